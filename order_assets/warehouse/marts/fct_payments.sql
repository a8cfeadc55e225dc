/* ---
description: Attempts to pay an order, by all means of payment; refunds are in fct_refunds
grain: one row per attempt to pay or to authorise a payment, and one for an order whose payments nobody shows
key: [date, order_pk, source, position]
refresh: days
references:
  date, order_pk: marts.fct_orders
  channel_pk: marts.dim_channels
  pos_pk: marts.dim_pos
  card_pk: marts.dim_cards
  payment_option_pk: marts.dim_payment_options
  payment_date: marts.dim_dates (day)
columns:
  date: Day that the order was placed in, in the business time zone
  order_date: The same day, under the name that says so
  payment_date: 'Day that the money came in, in the business time zone; of an attempt that brought in none the day
    that it was made; empty where payments are not shown'
  is_estimated_date: 'Whether payment_date is taken from the delivery or from the last change of the transaction, as
    for payments on delivery and transfers, or from the order, where nothing is dated'
  order_pk: Order (orders.pk)
  source: Table that the row comes from, in the schema orders; orders itself where no transaction shows how it was paid
  position: Place of the row in its set, counted from 0; empty where no transaction shows the payment
  transaction_pk: Key of the transaction in that table; unknown sets may have none
  channel_pk: Sales channel (channels.pk)
  customer_pk: Customer (customers.pk)
  payment_option_pk: Payment option that was chosen for the order (payment_options.pk)
  payment_option_type: Kind of that payment option
  payment_method: 'Means of this payment, by the table that the row comes from: an order paid by credit_card may have
    a part in loyalty_money; where no transaction shows it, payment_option_type'
  payment_kind: The same as payment_method, under the name it had before
  kind: 'Kind of transaction: purchase or pre_purchase; purchase where nothing is said'
  attempt_kind: 'purchase, which takes money, or authorisation, which only reserves it'
  attempted_at: When the attempt was made, UTC
  attempt_number: Which attempt of the order it is with this means and kind, counted from 1
  is_retry: Whether the attempt of this means and kind before it failed
  succeeded: Whether it went well; only card transactions always say so, others count as long as they do not say otherwise
  retries_until_success: Attempts of this means and kind before the first that went well; empty if none did
  capture_state: 'captured: the money is there; expected: it is to come, as on delivery or by transfer; authorised: reserved;
    failed; lapsed: expected, then canceled; unknown: nobody shows it, as for marketplaces'
  amount: Amount asked for; where no transaction shows the payment, that of the order
  captured_amount: Amount that the attempt brought in; empty where that is unknown
  authorised_amount: 'Amount that is reserved and not captured: later purchases of the order by the same means are
    taken off the oldest authorisation first; empty where that is unknown'
  expected_amount: Amount that is to come in; empty where that is unknown
  interest_amount: 'Interest for instalments that the order has, at its first card purchase that went well. Whether
    amounts have it inside, the shop does not say'
  currency: Currency of the amounts, ISO 4217 in lower case
  is_order_currency: Whether that is the currency of the order; fct_orders adds up no other
  pos_pk: Terminal used (pos.pk)
  pos_slug: Slug of the terminal when the transaction was made
  pos_name: Name of the terminal
  gateway: Implementation behind the terminal
  installment_count: Number of instalments of the order, for card payments; a failed attempt may have asked for others
  card_pk: Card programme of a card payment that went well (cards.pk)
  card: Name of the card programme of a card payment; empty for failed ones, as for bank
  card_type: Card type of a card payment; empty for failed ones, as for bank
  bank: 'Bank of the card of a card payment; empty for failed ones: the order names the card that it was paid with
    last, and no attempt names its own'
  status_group: 'Group of the status code of the order: canceled, waiting, in_progress, inactive, on_the_way, delivered,
    refunded; deleted where the shop has the order no more, other for codes that are not known'
  is_sale: 'Whether the order counts as sold: not waiting, canceled, inactive or deleted; a cancellation that is only
    asked for is a sale still'
--- */
WITH attempts AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY date, order_pk, source, kind ORDER BY created_at NULLS LAST, position
        ) AS attempt_number,
        lag(succeeded) OVER (
            PARTITION BY date, order_pk, source, kind ORDER BY created_at NULLS LAST, position
        ) IS FALSE AS is_retry,
        -- What was reserved up to this attempt, and what was taken of the order by the same means.
        sum(CASE WHEN succeeded AND effect = 'reserve' THEN amount END) OVER (
            PARTITION BY date, order_pk, source, currency ORDER BY created_at NULLS LAST, position
        ) AS reserved,
        sum(CASE WHEN succeeded AND effect = 'take' THEN amount END) OVER (
            PARTITION BY date, order_pk, source, currency
        ) AS taken,
        succeeded AND effect = 'take' AND row_number() OVER (
            PARTITION BY date, order_pk, source, succeeded, effect ORDER BY created_at NULLS LAST, position
        ) = 1 AS is_first_purchase
    FROM marts.money_movements
    WHERE effect IN ('take', 'reserve')
),

numbered AS (
    SELECT
        date,
        order_pk,
        source,
        position,
        transaction_pk,
        kind,
        effect,
        succeeded,
        created_at,
        modified_at,
        attempt_number,
        is_retry,
        min(CASE WHEN succeeded THEN attempt_number END) OVER (
            PARTITION BY date, order_pk, source, kind
        ) - 1 AS retries_until_success,
        amount,
        greatest(0, least(amount, reserved - coalesce(taken, 0))) AS open_amount,
        is_first_purchase,
        currency,
        is_order_currency,
        pos_pk,
        pos_slug
    FROM attempts
    UNION ALL
    -- Paid by a means that has no table here, as through a marketplace: nobody shows whether and how.
    SELECT
        o.date, o.pk, 'orders', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, o.amount, NULL, NULL,
        lower(o.currency), true, NULL, NULL
    FROM {orders} AS o
    LEFT JOIN history.payment_options AS po ON po.date = o.date AND po.pk = o.payment_option_pk
    LEFT JOIN {payment_types} AS y ON y.payment_type = po.payment_type
    LEFT JOIN (
        SELECT date, order_pk, count(*) FILTER (WHERE effect IN ('take', 'reserve')) AS attempts
        FROM marts.money_movements
        GROUP BY date, order_pk
    ) AS a ON a.date = o.date AND a.order_pk = o.pk
    WHERE o.payment_option_pk IS NOT NULL AND y.source IS NULL AND coalesce(a.attempts, 0) = 0
),

-- What the order went through, as far as that was seen: an announced payment is there after it.
seen AS (
    SELECT
        h.date,
        h.order_pk,
        bool_or(s.status_group = 'waiting') AS was_waiting,
        bool_or(s.status_group IN ('in_progress', 'on_the_way', 'delivered', 'refunded')) AS was_approved,
        bool_or(s.status_group IN ('delivered', 'refunded')) AS was_delivered
    FROM orders.order_status_history AS h
    JOIN {statuses} AS s ON s.status = h.status
    GROUP BY h.date, h.order_pk
),

items AS (
    SELECT date, order_pk, max(delivered_date) AS delivered_at
    FROM orders.order_items
    GROUP BY date, order_pk
),

states AS (
    SELECT
        n.*,
        o.channel_pk,
        o.customer_pk,
        o.payment_option_pk,
        o.installment_pk,
        o.installment_count,
        coalesce(o.installment_interest_amount, 0) AS interest_amount,
        y.payment_type,
        y.collected,
        i.delivered_at,
        CASE
            WHEN n.source = 'orders' THEN 'unknown'
            WHEN NOT n.succeeded THEN 'failed'
            WHEN n.amount IS NULL THEN 'unknown'
            WHEN n.effect = 'reserve' THEN 'authorised'
            WHEN y.collected IS NULL THEN 'captured'
            WHEN y.collected = 'delivery' AND (i.delivered_at IS NOT NULL OR h.was_delivered) THEN 'captured'
            WHEN y.collected = 'approval' AND (o.refund_amount > 0 OR h.was_approved) THEN 'captured'
            WHEN s.status_group IN ('delivered', 'refunded') THEN 'captured'
            WHEN y.collected = 'approval' AND s.status_group IN ('in_progress', 'on_the_way') THEN 'captured'
            WHEN (o.tombstoned_at IS NOT NULL OR (s.status_group = 'canceled' AND NOT s.is_sale))
                AND (y.collected = 'delivery' OR h.was_waiting) THEN 'lapsed'
            WHEN o.tombstoned_at IS NULL AND (s.is_sale OR s.status_group = 'waiting') THEN 'expected'
            ELSE 'unknown'
        END AS capture_state,
        o.status_group,
        o.is_sale
    FROM numbered AS n
    JOIN {orders} AS o ON o.date = n.date AND o.pk = n.order_pk
    LEFT JOIN {statuses} AS s ON s.status = o.status
    LEFT JOIN {payment_types} AS y ON y.source = n.source
    LEFT JOIN seen AS h ON h.date = n.date AND h.order_pk = n.order_pk
    LEFT JOIN items AS i ON i.date = n.date AND i.order_pk = n.order_pk
)

SELECT
    a.date,
    a.date AS order_date,
    CASE
        WHEN a.source <> 'orders' THEN coalesce(
            CAST(
                CASE
                    WHEN a.capture_state = 'captured' AND a.collected = 'delivery'
                        THEN coalesce(a.delivered_at, a.modified_at, a.created_at)
                    WHEN a.capture_state = 'captured' AND a.collected = 'approval'
                        THEN coalesce(a.modified_at, a.created_at)
                    ELSE a.created_at
                END AT TIME ZONE {business_zone} AS DATE
            ),
            a.date
        )
    END AS payment_date,
    CASE
        WHEN a.source <> 'orders'
            THEN a.created_at IS NULL OR (a.capture_state = 'captured' AND a.collected IS NOT NULL)
    END AS is_estimated_date,
    a.order_pk,
    a.source,
    a.position,
    a.transaction_pk,
    a.channel_pk,
    a.customer_pk,
    a.payment_option_pk,
    po.payment_type AS payment_option_type,
    coalesce(a.payment_type, po.payment_type) AS payment_method,
    coalesce(a.payment_type, po.payment_type) AS payment_kind,
    a.kind,
    CASE a.effect WHEN 'take' THEN 'purchase' WHEN 'reserve' THEN 'authorisation' END AS attempt_kind,
    a.created_at AS attempted_at,
    a.attempt_number,
    a.is_retry,
    a.succeeded,
    a.retries_until_success,
    a.capture_state,
    a.amount,
    CASE a.capture_state WHEN 'captured' THEN a.amount WHEN 'unknown' THEN NULL ELSE 0 END AS captured_amount,
    TRY_CAST(
        CASE a.capture_state WHEN 'authorised' THEN a.open_amount WHEN 'unknown' THEN NULL ELSE 0 END AS DECIMAL(18, 2)
    ) AS authorised_amount,
    CASE a.capture_state WHEN 'expected' THEN a.amount WHEN 'unknown' THEN NULL ELSE 0 END AS expected_amount,
    CASE WHEN a.source = 'transactions' AND a.is_first_purchase THEN a.interest_amount ELSE 0 END AS interest_amount,
    a.currency,
    a.is_order_currency,
    a.pos_pk,
    a.pos_slug,
    p.name AS pos_name,
    p.gateway,
    CASE WHEN a.source = 'transactions' THEN a.installment_count END AS installment_count,
    c.pk AS card_pk,
    c.name AS card,
    t.name AS card_type,
    b.name AS bank,
    a.status_group,
    a.is_sale
FROM states AS a
LEFT JOIN history.payment_options AS po ON po.date = a.date AND po.pk = a.payment_option_pk
LEFT JOIN history.pos AS p ON p.date = a.date AND p.pk = a.pos_pk
-- A card is named by the order, not by the transaction, so only card transactions that went well get it.
LEFT JOIN history.installments AS n
    ON n.date = a.date AND n.pk = a.installment_pk AND a.source = 'transactions' AND a.succeeded
LEFT JOIN history.cards AS c ON c.date = a.date AND c.pk = n.card_pk
LEFT JOIN history.card_types AS t ON t.date = a.date AND t.pk = c.card_type_pk
LEFT JOIN history.banks AS b ON b.date = a.date AND b.pk = c.bank_pk
