-- Net sales per day or week, channel and currency; what was sold and kept, without shipping.
SELECT
    date_trunc($step, date)::DATE AS day,
    coalesce(channel_name, 'no channel') AS channel,
    upper(coalesce(currency, '?')) AS currency,
    sum(sale_count)::BIGINT AS orders,
    sum(net_sales)::DOUBLE AS net_sales
FROM marts.agg_daily_sales
WHERE is_sale
GROUP BY ALL
ORDER BY day, channel, currency
