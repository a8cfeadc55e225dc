-- What went back on which day, and why? By the day of the refund, not of the order.
SELECT refund_date, currency, reason_kind, count(*) AS refund_count, sum(amount) AS refunded
FROM marts.fct_refunds
WHERE NOT is_restated
GROUP BY ALL ORDER BY ALL
