-- Orders of which more was refunded than their amount.
SELECT date AS day, 'more was refunded than the amount' AS contradiction, count(*) AS orders, min(order_pk) AS example
FROM marts.fct_orders
WHERE {days} AND refunded_amount > amount
GROUP BY date
ORDER BY date
