-- Orders whose discount is not what their items, or what their discounts, add up to. Items of other currencies, and
-- orders whose items were never sent, say nothing about it.
WITH items AS (
    SELECT date, order_pk, sum(coalesce(discount_amount, 0)) AS amount
    FROM marts.fct_order_items
    WHERE {days}
    GROUP BY date, order_pk
),

discounts AS (
    SELECT date, order_pk, sum(amount) AS amount
    FROM orders.discount_items
    WHERE {days}
    GROUP BY date, order_pk
)

SELECT
    f.date AS day,
    CASE
        WHEN i.amount <> f.amount THEN 'the order has another discount than its items'
        ELSE 'the order has another discount than its discounts'
    END AS contradiction,
    count(*) AS orders,
    min(f.order_pk) AS example
FROM (
    SELECT date, order_pk, coalesce(discount_amount, 0) AS amount
    FROM marts.fct_orders
    WHERE {days} AND items > 0 AND foreign_items = 0
) AS f
LEFT JOIN items AS i ON i.date = f.date AND i.order_pk = f.order_pk
LEFT JOIN discounts AS d ON d.date = f.date AND d.order_pk = f.order_pk
WHERE i.amount <> f.amount OR coalesce(d.amount, 0) <> f.amount
GROUP BY f.date, contradiction
ORDER BY f.date, orders DESC, contradiction
