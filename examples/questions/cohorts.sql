-- What customers brought in the months after their first sale.
SELECT
    date_trunc('month', c.first_sale_date) AS first_month,
    date_diff('month', c.first_sale_date, o.order_date) AS months_after,
    o.currency,
    count(DISTINCT o.customer_pk) AS customers,
    sum(o.net_sales) AS net_sales
FROM marts.fct_orders AS o
JOIN marts.dim_customers AS c USING (customer_pk)
WHERE o.is_sale
GROUP BY ALL
