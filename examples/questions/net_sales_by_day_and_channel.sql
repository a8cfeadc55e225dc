-- Net sales by day and channel.
SELECT a.order_date, c.channel_name, a.currency, sum(a.net_sales) AS net_sales
FROM marts.agg_daily_sales AS a
JOIN marts.dim_channels AS c USING (channel_pk)
GROUP BY ALL
ORDER BY ALL
