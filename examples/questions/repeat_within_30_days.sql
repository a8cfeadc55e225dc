-- Of the customers with a sale, how many had the next within 30 days.
SELECT
    date_trunc('month', one.order_date) AS first_month,
    count(*) AS customers,
    count(*) FILTER (WHERE two.order_date <= one.order_date + 30) AS came_back
FROM marts.fct_orders AS one
LEFT JOIN marts.fct_orders AS two ON two.customer_pk = one.customer_pk AND two.customer_order_number = 2
WHERE one.customer_order_number = 1
GROUP BY ALL
