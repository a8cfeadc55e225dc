/* ---
description: 'Money that went back: refund transactions that went well, and what an order says beyond them'
grain: one row per refund
key: [date, order_pk, source, position]
refresh: days
references:
  date, order_pk: marts.fct_orders
  channel_pk: marts.dim_channels
  refund_date: marts.dim_dates (day)
rules: [refunds_agree]
columns:
  date: Day that the order was placed in, in the business time zone
  order_date: The same day, under the name that says so
  refund_date: Day that the money went back, in the business time zone
  is_estimated_date: 'Whether refund_date is no date of a transaction: it is that of the cancellation plan then, else
    that of the last change of the order, else order_date'
  order_pk: Order (orders.pk)
  source: Table that the refund comes from; for what no transaction shows, cancellation_plans or orders
  position: Place of the row in its set, counted from 0
  transaction_pk: Key of the transaction in that table, if the refund has one
  plan_pk: Cancellation plan, where the order has only one, or no transaction shows the refund
  plan_type: Whether the plan cancels or refunds
  reason_kind: 'cancellation: of what was not sold after all; return: of what was; shipping: the shipping fee alone; unknown
    where neither plan nor status of the order says it, or plans differ'
  payment_method: Means that the money went back by, by the table that the row comes from; that of the payment option
    of the order where no transaction shows it
  channel_pk: Sales channel (channels.pk)
  customer_pk: Customer (customers.pk)
  placed_at: When the customer placed the order, UTC
  refunded_at: When the money went back, UTC; without a transaction when the plan was last changed
  amount: Amount refunded
  currency: Currency of the amounts, ISO 4217 in lower case
  is_order_currency: Whether that is the currency of the order; fct_orders adds up no other
  is_restated: 'Whether the row says in the currency of the order what refund transactions in other currencies moved:
    the same money once more, so fct_orders does not count it as a refund'
  status_group: 'Group of the status code of the order: canceled, waiting, in_progress, inactive, on_the_way, delivered,
    refunded; deleted where the shop has the order no more, other for codes that are not known'
  is_sale: 'Whether the order counts as sold: not waiting, canceled, inactive or deleted; a cancellation that is only
    asked for is a sale still'
--- */
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
        CASE WHEN min(p.plan_type) = max(p.plan_type) THEN min(p.plan_type) END AS only_type,
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
    r.date AS order_date,
    coalesce(
        CAST(
            CASE
                WHEN r.source IS NOT NULL THEN r.created_at
                ELSE coalesce(nullif(p.finished_at, '-infinity'::TIMESTAMPTZ), o.modified_date)
            END AT TIME ZONE {business_zone} AS DATE
        ),
        r.date
    ) AS refund_date,
    r.source IS NULL OR r.created_at IS NULL AS is_estimated_date,
    r.order_pk,
    coalesce(r.source, CASE WHEN p.plans > 0 THEN 'cancellation_plans' ELSE 'orders' END) AS source,
    coalesce(r.position, p.position, 0) AS position,
    r.transaction_pk,
    -- Which of several plans a transaction belongs to is not said.
    CASE WHEN r.source IS NULL OR p.plans = 1 THEN nullif(p.pk, 0) END AS plan_pk,
    CASE WHEN r.source IS NULL OR p.plans = 1 THEN nullif(p.plan_type, '') END AS plan_type,
    CASE
        WHEN o.refund_amount = o.shipping_refund_amount AND o.refund_amount > 0 THEN 'shipping'
        WHEN p.only_type = 'cancel' THEN 'cancellation'
        WHEN p.only_type = 'refund' THEN 'return'
        WHEN p.plans > 0 THEN 'unknown'
        WHEN o.status_group = 'canceled' AND NOT o.is_sale THEN 'cancellation'
        WHEN o.status_group = 'refunded' THEN 'return'
        ELSE 'unknown'
    END AS reason_kind,
    coalesce(y.payment_type, po.payment_type) AS payment_method,
    o.channel_pk,
    o.customer_pk,
    o.date_placed AS placed_at,
    CASE
        WHEN r.source IS NULL THEN nullif(p.finished_at, '-infinity'::TIMESTAMPTZ)
        ELSE r.created_at
    END AS refunded_at,
    TRY_CAST(r.amount AS DECIMAL(18, 2)) AS amount,
    r.currency,
    r.is_order_currency,
    r.is_restated,
    o.status_group,
    o.is_sale
FROM refunds AS r
JOIN {orders} AS o ON o.date = r.date AND o.pk = r.order_pk
LEFT JOIN {payment_types} AS y ON y.source = r.source
LEFT JOIN history.payment_options AS po ON po.date = r.date AND po.pk = o.payment_option_pk
LEFT JOIN plans AS p ON p.date = r.date AND p.order_pk = r.order_pk
