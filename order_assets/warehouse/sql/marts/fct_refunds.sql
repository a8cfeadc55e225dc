-- Money that went back is counted where it moved. What the order says beyond that, as when a marketplace pays
-- back, has no transaction: it is one more row, under the order's newest cancellation plan if there is one.
WITH moved AS (
    SELECT date, order_pk, sum(amount) AS amount
    FROM marts.money_movements
    WHERE kind = 'refund' AND succeeded AND is_order_currency
    GROUP BY date, order_pk
),

refunds AS (
    SELECT date, order_pk, source, position, transaction_pk, created_at, amount, currency, is_order_currency
    FROM marts.money_movements
    WHERE kind = 'refund' AND succeeded
    UNION ALL
    SELECT o.date, o.pk, NULL, NULL, NULL, NULL, o.refund_amount - coalesce(m.amount, 0), lower(o.currency), true
    FROM orders.orders AS o
    LEFT JOIN moved AS m ON m.date = o.date AND m.order_pk = o.pk
    WHERE o.refund_amount > coalesce(m.amount, 0)
),

plans AS (
    SELECT
        date,
        order_pk,
        count(*) AS plans,
        max(position) AS position,
        -- arg_max passes over NULL, and must not take the value of another plan then.
        arg_max(coalesce(pk, 0), position) AS pk,
        arg_max(coalesce(plan_type, ''), position) AS plan_type,
        arg_max(coalesce(modified_date, created_date, '-infinity'::TIMESTAMPTZ), position) AS finished_at
    FROM orders.cancellation_plans
    WHERE coalesce(status, '') NOT IN ('waiting', 'rejected')
    GROUP BY date, order_pk
)

SELECT
    r.date,
    r.order_pk,
    coalesce(r.source, CASE WHEN p.plans > 0 THEN 'cancellation_plans' ELSE 'orders' END) AS source,
    coalesce(r.position, p.position, 0) AS position,
    r.transaction_pk,
    -- Which of several plans a transaction belongs to is not said.
    CASE WHEN r.source IS NULL OR p.plans = 1 THEN nullif(p.pk, 0) END AS plan_pk,
    CASE WHEN r.source IS NULL OR p.plans = 1 THEN nullif(p.plan_type, '') END AS plan_type,
    o.channel_pk,
    o.customer_pk,
    o.date_placed AS placed_at,
    CASE
        WHEN r.source IS NULL THEN nullif(p.finished_at, '-infinity'::TIMESTAMPTZ)
        ELSE r.created_at
    END AS refunded_at,
    r.amount,
    r.currency,
    r.is_order_currency
FROM refunds AS r
JOIN orders.orders AS o ON o.date = r.date AND o.pk = r.order_pk
LEFT JOIN plans AS p ON p.date = r.date AND p.order_pk = r.order_pk
