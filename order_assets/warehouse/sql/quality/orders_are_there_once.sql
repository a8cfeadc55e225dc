-- Orders that stand on another day as well.
SELECT m.date AS day, 'an order stands on several days' AS contradiction, count(*) AS orders, min(m.order_pk) AS example
FROM (SELECT date, order_pk FROM marts.fct_orders WHERE {days}) AS m
WHERE EXISTS (SELECT 1 FROM marts.fct_orders AS o WHERE o.order_pk = m.order_pk AND o.date <> m.date)
GROUP BY m.date
ORDER BY m.date
