-- Money that went back, by the day that the order was placed in, with the share of what was ordered then; orders that
-- the shop deleted are left out.
WITH refunded AS (
    SELECT
        date_trunc($step, date)::DATE AS day,
        upper(coalesce(currency, '?')) AS currency,
        count(*) AS refunds,
        sum(amount)::DOUBLE AS refunded
    FROM marts.fct_refunds
    WHERE is_order_currency AND status_group <> 'deleted'
    GROUP BY ALL
),

ordered AS (
    SELECT
        date_trunc($step, date)::DATE AS day,
        upper(coalesce(currency, '?')) AS currency,
        sum(amount)::DOUBLE AS ordered
    FROM marts.agg_daily_sales
    WHERE status_group <> 'deleted'
    GROUP BY ALL
)

SELECT r.day, r.currency, r.refunds, r.refunded, r.refunded / nullif(o.ordered, 0) AS share
FROM refunded AS r
LEFT JOIN ordered AS o USING (day, currency)
ORDER BY r.day, r.currency
