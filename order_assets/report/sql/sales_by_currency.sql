-- Net sales per currency, exact; the largest number of orders first, since amounts of two currencies do not compare.
SELECT upper(coalesce(currency, '?')) AS currency, sum(sale_count)::BIGINT AS orders, sum(net_sales) AS net_sales
FROM marts.agg_daily_sales
WHERE is_sale
GROUP BY ALL
ORDER BY orders DESC, currency
