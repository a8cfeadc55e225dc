-- How far the net sales of an order are from what its items say, per day and currency. Items of other currencies, and
-- orders whose items were never sent, say nothing about it.
SELECT
    date AS day,
    currency,
    count(*) AS orders,
    count(*) FILTER (WHERE difference <> 0) AS orders_off,
    min(difference) AS least,
    quantile_disc(difference, 0.05) AS p05,
    quantile_disc(difference, 0.5) AS median,
    quantile_disc(difference, 0.95) AS p95,
    max(difference) AS most,
    list_sort(list(order_pk) FILTER (WHERE difference <> 0))[:5] AS examples
FROM (
    SELECT
        date,
        order_pk,
        currency,
        net_sales - (gross_sales - order_discount - canceled_sales - returned_sales) AS difference
    FROM marts.fct_orders
    WHERE {days} AND is_sale AND items > 0 AND foreign_items = 0 AND net_sales IS NOT NULL
)
GROUP BY date, currency
ORDER BY date, currency
