-- Where sales go to.
SELECT g.city, g.township, o.currency, count(*) AS sales, sum(o.net_sales) AS net_sales
FROM marts.fct_orders AS o
LEFT JOIN marts.dim_geography AS g USING (geography_key)
WHERE o.is_sale
GROUP BY ALL
