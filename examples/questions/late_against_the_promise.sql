-- Items that were delivered after the promise, by the month of the order.
SELECT
    date_trunc('month', order_date) AS month,
    count(is_late) AS delivered,
    count(*) FILTER (WHERE is_late) AS late
FROM marts.fct_order_items
GROUP BY ALL
