/* ---
description: Attempts to pay an order, by all means of payment; refunds are in fct_refunds
grain: one row per attempt to pay or to authorise a payment
key: [date, order_pk, source, position]
refresh: days
references:
  date, order_pk: marts.fct_orders
  channel_pk: orders.channels
  pos_pk: orders.pos
columns:
  date: Day that the order was placed in, in the business time zone
  order_pk: Order (orders.pk)
  source: Table that the row comes from, in the schema orders
  position: Place of the row in its set, counted from 0
  transaction_pk: Key of the transaction in that table; unknown sets may have none
  channel_pk: Sales channel (channels.pk)
  customer_pk: Customer (customers.pk)
  payment_kind: Means of payment, by the table that the row comes from
  kind: 'Kind of transaction: purchase or pre_purchase; purchase where nothing is said'
  attempted_at: When the attempt was made, UTC
  attempt_number: Which attempt of the order it is with this means and kind, counted from 1
  succeeded: Whether it went well; only card transactions always say so, others count as long as they do not say otherwise
  retries_until_success: Attempts of this means and kind before the first that went well; empty if none did
  amount: Amount asked for
  captured_amount: 'Amount that the attempt brought in: nothing for failed ones and for authorisations'
  currency: Currency of the amounts, ISO 4217 in lower case
  is_order_currency: Whether that is the currency of the order; fct_orders adds up no other
  pos_pk: Terminal used (pos.pk)
  pos_slug: Slug of the terminal when the transaction was made
  pos_name: Name of the terminal
  gateway: Implementation behind the terminal
  installment_count: Number of instalments of a card payment
  card: Card programme of a card payment
  card_type: Card type of a card payment
  bank: Bank of the card
  status_group: 'Group of the status code of the order: canceled, waiting, in_progress, inactive, on_the_way, delivered,
    refunded; deleted where the shop has the order no more, other for codes that are not known'
  is_sale: 'Whether the order counts as sold: not waiting, canceled, inactive or deleted; a cancellation that is only
    asked for is a sale still'
--- */
-- A card is named by the order, not by the transaction, so only card transactions get it.
WITH attempts AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY date, order_pk, source, kind ORDER BY created_at NULLS LAST, position
        ) AS attempt_number
    FROM marts.money_movements
    WHERE effect IN ('take', 'reserve')
),

numbered AS (
    SELECT
        *,
        min(CASE WHEN succeeded THEN attempt_number END) OVER (
            PARTITION BY date, order_pk, source, kind
        ) - 1 AS retries_until_success
    FROM attempts
)

SELECT
    a.date,
    a.order_pk,
    a.source,
    a.position,
    a.transaction_pk,
    o.channel_pk,
    o.customer_pk,
    y.payment_type AS payment_kind,
    a.kind,
    a.created_at AS attempted_at,
    a.attempt_number,
    a.succeeded,
    a.retries_until_success,
    a.amount,
    -- An authorisation only reserves what a purchase takes later.
    CASE WHEN a.succeeded AND a.effect = 'take' THEN a.amount ELSE 0 END AS captured_amount,
    a.currency,
    a.is_order_currency,
    a.pos_pk,
    a.pos_slug,
    p.name AS pos_name,
    p.gateway,
    CASE WHEN a.source = 'transactions' THEN o.installment_count END AS installment_count,
    c.name AS card,
    t.name AS card_type,
    b.name AS bank,
    a.status_group,
    a.is_sale
FROM numbered AS a
JOIN orders.orders AS o ON o.date = a.date AND o.pk = a.order_pk
LEFT JOIN {payment_types} AS y ON y.source = a.source
LEFT JOIN history.pos AS p ON p.date = a.date AND p.pk = a.pos_pk
LEFT JOIN history.installments AS n ON n.date = a.date AND n.pk = o.installment_pk AND a.source = 'transactions'
LEFT JOIN history.cards AS c ON c.date = a.date AND c.pk = n.card_pk
LEFT JOIN history.card_types AS t ON t.date = a.date AND t.pk = c.card_type_pk
LEFT JOIN history.banks AS b ON b.date = a.date AND b.pk = c.bank_pk
