-- The products that brought most, after cancellations and returns.
SELECT p.product_sku, p.product_name, a.currency, sum(a.quantity_net) AS units, sum(a.net_sales) AS net_sales
FROM marts.agg_daily_products AS a
JOIN marts.dim_products AS p USING (product_sku)
GROUP BY ALL
ORDER BY net_sales DESC, p.product_sku, a.currency
LIMIT 20
