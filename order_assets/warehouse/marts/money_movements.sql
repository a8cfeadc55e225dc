/* ---
description: 'Transactions of all kinds under one head: purchases, authorisations and refunds, also failed ones'
grain: one row per transaction of an order
key: [date, order_pk, source, position]
refresh: days
rules: [kinds_are_known]
columns:
  date: Day that the order was placed in, in the business time zone
  order_pk: Order (orders.pk)
  source: Table that the row comes from, in the schema orders
  position: Place of the row in its set, counted from 0
  transaction_pk: Key of the transaction in that table; unknown sets may have none
  kind: Kind of transaction in lower case, such as purchase, pre_purchase or refund; purchase where nothing is said
  effect: 'What it does to money if it went well: take, reserve, give_back, or none for kinds that are not known'
  succeeded: Whether it went well; only card transactions always say so, others count as long as they do not say otherwise
  created_at: When it was made, UTC
  modified_at: When it was last changed, UTC
  amount: Amount that was or should have been moved, positive also for refunds
  currency: Currency of the amounts, ISO 4217 in lower case
  is_order_currency: Whether that is the currency of the order; fct_orders adds up no other
  pos_pk: Terminal used (pos.pk)
  pos_slug: Slug of the terminal when the transaction was made
  status_group: 'Group of the status code of the order: canceled, waiting, in_progress, inactive, on_the_way, delivered,
    refunded; deleted where the shop has the order no more, other for codes that are not known'
  is_sale: 'Whether the order counts as sold: not waiting, canceled, inactive or deleted; a cancellation that is only
    asked for is a sale still'
--- */
-- The six transaction sets under one head. `order_transactions` repeats them and is left out.
-- Five of the sets are documented by name only: what kind a row is and whether it went well is looked for in its text.
WITH undocumented AS (
    SELECT date, order_pk, 'funds_transfer_transactions' AS source, position, pk, raw, amount, created_date, modified_date
    FROM orders.funds_transfer_transactions
    UNION ALL
    SELECT date, order_pk, 'pay_on_delivery_transactions', position, pk, raw, amount, created_date, modified_date
    FROM orders.pay_on_delivery_transactions
    UNION ALL
    SELECT date, order_pk, 'loyalty_transactions', position, pk, raw, amount, created_date, modified_date
    FROM orders.loyalty_transactions
    UNION ALL
    SELECT date, order_pk, 'bex_transactions', position, pk, raw, amount, created_date, modified_date
    FROM orders.bex_transactions
    UNION ALL
    SELECT date, order_pk, 'cash_register_transactions', position, pk, raw, amount, created_date, modified_date
    FROM orders.cash_register_transactions
),

movements AS (
    SELECT
        date,
        order_pk,
        'transactions' AS source,
        position,
        pk,
        coalesce(nullif(lower(trim(transaction_type)), ''), 'purchase') AS kind,
        coalesce(is_succeeded, false) AS is_succeeded,
        amount,
        nullif(currency, '') AS currency,
        pos_pk,
        pos_slug,
        created_date,
        modified_date
    FROM orders.transactions
    UNION ALL
    SELECT
        date,
        order_pk,
        source,
        position,
        pk,
        coalesce(nullif(lower(trim(raw ->> '$.transaction_type')), ''), 'purchase'),
        -- What says nothing went well; what says something that is neither yes nor no is not taken for a yes.
        raw ->> '$.is_succeeded' IS NULL OR coalesce(try_cast(raw ->> '$.is_succeeded' AS BOOLEAN), false),
        amount,
        nullif(raw ->> '$.currency', ''),
        NULL,
        NULL,
        created_date,
        modified_date
    FROM undocumented
)

SELECT
    m.date,
    m.order_pk,
    m.source,
    m.position,
    m.pk AS transaction_pk,
    m.kind,
    CASE WHEN k.kind = m.kind THEN k.effect ELSE 'none' END AS effect,
    m.is_succeeded AS succeeded,
    m.created_date AS created_at,
    m.modified_date AS modified_at,
    m.amount,
    lower(coalesce(m.currency, o.currency)) AS currency,
    m.currency IS NULL OR lower(m.currency) IS NOT DISTINCT FROM lower(o.currency) AS is_order_currency,
    m.pos_pk,
    m.pos_slug,
    o.status_group,
    o.is_sale
FROM movements AS m
JOIN {orders} AS o ON o.date = m.date AND o.pk = m.order_pk
LEFT JOIN {transaction_kinds} AS k ON k.kind = m.kind
