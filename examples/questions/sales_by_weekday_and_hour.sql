-- When people order, on the clock of the shop: weekday (1 is Monday) and hour.
SELECT isodow(placed_local) AS weekday, hour(placed_local) AS hour, currency, count(*) AS sales, sum(net_sales) AS net_sales
FROM marts.fct_orders
WHERE is_sale
GROUP BY ALL
ORDER BY ALL
