-- What a sale is worth on average, and how many units it has: both after cancellations and returns.
SELECT
    currency,
    round(sum(net_sales) / sum(sale_count), 2) AS average_order_value,
    round(sum(quantity_net) / sum(sale_count), 2) AS units_per_order
FROM marts.agg_daily_sales
GROUP BY ALL
HAVING sum(sale_count) > 0
