-- How were sales paid? By means of payment, one row per currency; what nobody shows stands beside it.
SELECT
    currency,
    payment_method,
    count(DISTINCT order_pk) AS order_count,
    sum(captured_amount) AS captured,
    sum(expected_amount) AS expected,
    sum(amount) FILTER (WHERE capture_state = 'unknown') AS unknown
FROM marts.fct_payments WHERE is_sale
GROUP BY ALL ORDER BY ALL
