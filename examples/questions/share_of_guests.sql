-- Sales of guests beside those of registered customers.
SELECT coalesce(c.user_type, 'unknown') AS user_type, o.currency, count(*) AS sales, sum(o.net_sales) AS net_sales
FROM marts.fct_orders AS o
LEFT JOIN marts.dim_customers AS c USING (customer_pk)
WHERE o.is_sale
GROUP BY ALL
