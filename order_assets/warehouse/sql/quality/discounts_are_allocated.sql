-- Discounts whose parts do not add up to them.
SELECT day, 'the parts of a discount are not the discount' AS contradiction, count(*) AS orders, min(order_pk) AS example
FROM (
    SELECT date AS day, order_pk, discount_item_pk
    FROM marts.fct_order_discounts
    WHERE {days}
    GROUP BY date, order_pk, discount_item_pk
    HAVING sum(allocated_amount) IS DISTINCT FROM max(discount_total)
)
GROUP BY day
ORDER BY day
