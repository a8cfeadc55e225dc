-- Interest taken for instalments.
SELECT installment_count, currency, count(*) AS sales, sum(installment_interest_amount) AS interest
FROM marts.fct_orders
WHERE is_sale AND installment_interest_amount > 0
GROUP BY ALL
ORDER BY ALL
