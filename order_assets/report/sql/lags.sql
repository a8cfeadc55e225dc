-- How long after its last change, by the shop's clock, an order was read: by the day or week of reading.
SELECT
    date_trunc($step, fetched_at)::DATE AS day,
    count(*) AS orders,
    median(epoch(fetched_at - listed_modified_date) / 3600) AS median_hours,
    quantile_cont(epoch(fetched_at - listed_modified_date) / 3600, 0.95) AS p95_hours
FROM meta.order_ledger
WHERE fetched_at IS NOT NULL AND listed_modified_date IS NOT NULL
GROUP BY ALL
ORDER BY day
