-- Money that went back is counted where it moved. What the order says beyond that, as when a marketplace pays
-- back, has no transaction: it is one more row, under the order's newest cancellation plan if there is one. Where
-- money went back in another currency, that row may be the same money in the currency of the order; no rate says so.
WITH moved AS (
    SELECT
        date,
        order_pk,
        sum(amount) FILTER (WHERE is_order_currency) AS amount,
        bool_or(NOT is_order_currency) AS has_other_currency
    FROM marts.money_movements
    WHERE effect = 'give_back' AND succeeded
    GROUP BY date, order_pk
),

refunds AS (
    SELECT
        date,
        order_pk,
        source,
        position,
        transaction_pk,
        created_at,
        amount,
        currency,
        is_order_currency,
        false AS is_restated
    FROM marts.money_movements
    WHERE effect = 'give_back' AND succeeded
    UNION ALL
    SELECT
        o.date,
        o.pk,
        NULL,
        NULL,
        NULL,
        NULL,
        o.refund_amount - coalesce(m.amount, 0),
        lower(o.currency),
        true,
        coalesce(m.has_other_currency, false)
    FROM orders.orders AS o
    LEFT JOIN moved AS m ON m.date = o.date AND m.order_pk = o.pk
    WHERE o.refund_amount > coalesce(m.amount, 0)
),

plans AS (
    SELECT
        p.date,
        p.order_pk,
        count(*) AS plans,
        max(p.position) AS position,
        -- arg_max passes over NULL, and must not take the value of another plan then.
        arg_max(coalesce(p.pk, 0), p.position) AS pk,
        arg_max(coalesce(p.plan_type, ''), p.position) AS plan_type,
        arg_max(coalesce(p.modified_date, p.created_date, '-infinity'::TIMESTAMPTZ), p.position) AS finished_at
    FROM orders.cancellation_plans AS p
    LEFT JOIN {cancel_statuses} AS c ON c.status = p.status
    WHERE coalesce(c.is_carried_out, true)
    GROUP BY p.date, p.order_pk
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
    r.is_order_currency,
    r.is_restated,
    CASE
        WHEN o.tombstoned_at IS NOT NULL THEN 'deleted'
        WHEN s.status = o.status THEN s.status_group
        ELSE 'other'
    END AS status_group,
    CASE
        WHEN o.tombstoned_at IS NOT NULL THEN false
        WHEN s.status = o.status THEN s.is_sale
        ELSE true
    END AS is_sale
FROM refunds AS r
JOIN orders.orders AS o ON o.date = r.date AND o.pk = r.order_pk
LEFT JOIN {statuses} AS s ON s.status = o.status
LEFT JOIN plans AS p ON p.date = r.date AND p.order_pk = r.order_pk
