-- How many card payments went well at once? Failed attempts name no bank, so they count with the payment after them.
SELECT
    bank,
    installment_count,
    count(*) AS paid,
    count(*) FILTER (WHERE retries_until_success = 0) AS paid_at_once,
    round(100.0 * paid_at_once / paid, 1) AS percent_at_once
FROM marts.fct_payments
WHERE payment_method = 'credit_card' AND attempt_kind = 'purchase' AND succeeded
GROUP BY ALL ORDER BY ALL
