-- Orders whose refund transactions and whose own refund_amount contradict each other. An order that shows no payment,
-- as those of marketplaces do, shows no refund either.
WITH moved AS (
    SELECT
        date,
        order_pk,
        sum(amount) FILTER (WHERE effect = 'give_back' AND is_order_currency) AS refunded,
        count(*) FILTER (WHERE effect = 'give_back') AS refunds,
        count(*) FILTER (WHERE effect = 'take') AS payments
    FROM marts.money_movements
    WHERE succeeded AND {days}
    GROUP BY date, order_pk
)

SELECT
    m.date AS day,
    CASE
        WHEN coalesce(f.refunded_amount, 0) = 0 THEN 'refund transactions, but no refund_amount'
        WHEN m.refunded > f.refunded_amount THEN 'refund transactions above refund_amount'
        ELSE 'refund_amount, but no refund transaction'
    END AS contradiction,
    count(*) AS orders,
    min(m.order_pk) AS example
FROM moved AS m
JOIN marts.fct_orders AS f ON f.date = m.date AND f.order_pk = m.order_pk
WHERE
    (m.refunds > 0 AND coalesce(f.refunded_amount, 0) = 0)
    OR m.refunded > f.refunded_amount
    OR (f.refunded_amount > 0 AND m.payments > 0 AND m.refunds = 0)
GROUP BY m.date, contradiction
ORDER BY m.date, orders DESC, contradiction
