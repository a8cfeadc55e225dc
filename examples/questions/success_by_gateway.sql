-- How many attempts to pay by card went well, by the gateway that was asked?
SELECT
    gateway,
    count(*) AS attempts,
    count(*) FILTER (WHERE succeeded) AS went_well,
    round(100.0 * went_well / attempts, 1) AS percent
FROM marts.fct_payments
WHERE payment_method = 'credit_card'
GROUP BY ALL ORDER BY ALL
