-- Attempts to pay by card, by gateway and by number of instalments.
SELECT
    CASE WHEN grouping(gateway) = 0 THEN 'gateway' ELSE 'instalments' END AS aspect,
    CASE
        WHEN grouping(gateway) = 0 THEN coalesce(regexp_extract(gateway, '[^.]+$'), 'unknown')
        ELSE coalesce(installment_count::VARCHAR, 'unknown')
    END AS name,
    count(*) AS attempts,
    count(*) FILTER (WHERE succeeded) AS succeeded
FROM marts.fct_payments
WHERE payment_kind = 'credit_card'
GROUP BY GROUPING SETS ((gateway), (installment_count))
ORDER BY aspect, attempts DESC, name
