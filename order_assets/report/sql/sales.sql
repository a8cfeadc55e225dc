-- Net sales per day or week, channel and currency; orders that were never paid or came to nothing are left out.
SELECT
    date_trunc($step, date)::DATE AS day,
    coalesce(channel_name, 'no channel') AS channel,
    upper(coalesce(currency, '?')) AS currency,
    sum(orders)::BIGINT AS orders,
    sum(net_amount)::DOUBLE AS net_sales
FROM marts.agg_daily_sales
WHERE is_sale
GROUP BY ALL
ORDER BY day, channel, currency
