-- What is reserved on cards and not captured yet? Orders that are no sales are left out.
SELECT order_date, order_pk, currency, sum(authorised_amount) AS authorised
FROM marts.fct_payments
WHERE is_sale AND authorised_amount > 0
GROUP BY ALL ORDER BY ALL
