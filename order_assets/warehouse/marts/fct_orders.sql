/* ---
description: Orders with what lies below them counted once
grain: one row per order
key: [date, order_pk]
refresh: days
references:
  channel_pk: orders.channels
  customer_pk, currency: marts.dim_customers
  geography_key: marts.dim_geography
rules: [amounts_add_up, status_goes_forward, volume_as_usual]
columns:
  date: Day that the order was placed in, in the business time zone
  order_pk: Order (orders.pk)
  number: Order number shown to people
  placed_at: When the customer placed the order, UTC
  channel_pk: Sales channel (channels.pk)
  channel_name: Name of the channel on that day
  channel_type: Kind of channel
  customer_pk: Customer (customers.pk)
  client_type: Client the order was placed with
  status: Status code, a number as text
  status_display: Name of the status code
  status_group: 'Group of the status code of the order: canceled, waiting, in_progress, inactive, on_the_way, delivered,
    refunded; deleted where the shop has the order no more, other for codes that are not known'
  is_sale: 'Whether the order counts as sold: not waiting, canceled, inactive or deleted; a cancellation that is only
    asked for is a sale still'
  tombstoned_at: When the shop had the order no more, UTC; empty while it has it
  cancel_status: State of a cancellation or return
  first_status: Status that the order was first seen in
  first_status_at: When that status was reached at the latest, UTC
  last_status_at: When the present status was reached at the latest, UTC
  status_changes: Changes of the status that were seen
  payment_kind: Kind of the payment option
  payment_option_slug: Slug of the payment option when the order was placed
  installment_count: Number of instalments
  payment_attempts: Attempts to pay or to authorise (fct_payments)
  failed_payments: Those that failed
  delivery_type: Kind of delivery
  geography_key: Place of the shipping address (dim_geography); empty without an address
  country_code: ISO 3166 code of the country of the shipping address, in lower case
  country: Country of the shipping address
  city: City of the shipping address
  currency: Currency of the amounts, ISO 4217 in lower case
  gross_amount: Order amount before discounts, with shipping
  discount_amount: Sum of discounts, as the order says it
  shipping_amount: Shipping fee
  amount: 'Order amount: after discounts, with shipping'
  refunded_amount: Amount refunded so far, as the order says it; single refunds are in fct_refunds
  net_amount: Order amount without what was refunded; of orders never paid too, so look at is_sale
  items_amount: Prices of the items in the currency of the order, before discounts
  paid_amount: What payments brought in, in the currency of the order; marketplaces show no payments
  items: Rows of items
  quantity: Units in them; empty where it is empty for an item
  distinct_skus: Different stock keeping units
  discounts: Discounts given (discount_items)
  refunds: Refunds (fct_refunds), none twice that moved in another currency
--- */
-- Everything below an order is counted per order before it is joined, so that nothing multiplies. What orders
-- point to is taken in the version of the order's own day, so that a day can be refreshed alone.
WITH items AS (
    SELECT
        date,
        order_pk,
        count(item_pk) AS items,
        -- Not known where it is not known of one of them.
        CASE WHEN count(quantity) = count(item_pk) THEN sum(quantity) END AS quantity,
        count(DISTINCT product_sku) AS distinct_skus,
        sum(price) FILTER (WHERE is_order_currency) AS amount
    FROM marts.fct_order_items
    GROUP BY date, order_pk
),

discounts AS (
    SELECT date, order_pk, count(pk) AS discounts
    FROM orders.discount_items
    GROUP BY date, order_pk
),

payments AS (
    SELECT
        date,
        order_pk,
        count(position) AS attempts,
        count(position) FILTER (WHERE NOT succeeded) AS failed,
        sum(captured_amount) FILTER (WHERE is_order_currency) AS captured
    FROM marts.fct_payments
    GROUP BY date, order_pk
),

refunds AS (
    SELECT date, order_pk, count(position) FILTER (WHERE NOT is_restated) AS refunds
    FROM marts.fct_refunds
    GROUP BY date, order_pk
),

-- A state was reached before it was seen, and at the latest when the order was last changed.
states AS (
    SELECT
        date,
        order_pk,
        status,
        least(modified_date, observed_at) AS reached_at,
        observed_at,
        row_number() OVER (PARTITION BY date, order_pk ORDER BY observed_at) AS number,
        lag(status) OVER (PARTITION BY date, order_pk ORDER BY observed_at) AS status_before
    FROM orders.order_status_history
),

changes AS (
    SELECT
        date,
        order_pk,
        count(number) - 1 AS status_changes,
        min(CASE WHEN number = 1 THEN status END) AS first_status,
        min(CASE WHEN number = 1 THEN reached_at END) AS first_status_at,
        arg_max(reached_at, observed_at) AS last_status_at
    FROM states
    WHERE number = 1 OR status IS DISTINCT FROM status_before
    GROUP BY date, order_pk
)

SELECT
    o.date,
    o.pk AS order_pk,
    o.number,
    o.date_placed AS placed_at,
    o.channel_pk,
    ch.name AS channel_name,
    ch.channel_type,
    o.customer_pk,
    o.client_type,
    o.status,
    o.status_display,
    CASE
        WHEN o.tombstoned_at IS NOT NULL THEN 'deleted'
        WHEN st.status = o.status THEN st.status_group
        ELSE 'other'
    END AS status_group,
    CASE
        WHEN o.tombstoned_at IS NOT NULL THEN false
        WHEN st.status = o.status THEN st.is_sale
        ELSE true
    END AS is_sale,
    o.tombstoned_at,
    o.cancel_status,
    s.first_status,
    s.first_status_at,
    s.last_status_at,
    coalesce(s.status_changes, 0) AS status_changes,
    po.payment_type AS payment_kind,
    o.payment_option_slug,
    o.installment_count,
    coalesce(pa.attempts, 0) AS payment_attempts,
    coalesce(pa.failed, 0) AS failed_payments,
    o.delivery_type,
    CASE
        WHEN a.pk IS NOT NULL
            THEN coalesce(a.country_pk, 0) || '-' || coalesce(a.city_pk, 0) || '-' || coalesce(a.township_pk, 0)
                || '-' || coalesce(a.district_pk, 0)
    END AS geography_key,
    co.code AS country_code,
    co.name AS country,
    ci.name AS city,
    lower(o.currency) AS currency,
    o.amount + coalesce(o.discount_amount, 0) AS gross_amount,
    o.discount_amount,
    o.shipping_amount,
    o.amount,
    o.refund_amount AS refunded_amount,
    o.amount - coalesce(o.refund_amount, 0) AS net_amount,
    coalesce(i.amount, 0) AS items_amount,
    coalesce(pa.captured, 0) AS paid_amount,
    coalesce(i.items, 0) AS items,
    CASE WHEN i.order_pk IS NULL THEN 0 ELSE i.quantity END AS quantity,
    coalesce(i.distinct_skus, 0) AS distinct_skus,
    coalesce(d.discounts, 0) AS discounts,
    coalesce(r.refunds, 0) AS refunds
FROM orders.orders AS o
LEFT JOIN items AS i ON i.date = o.date AND i.order_pk = o.pk
LEFT JOIN discounts AS d ON d.date = o.date AND d.order_pk = o.pk
LEFT JOIN payments AS pa ON pa.date = o.date AND pa.order_pk = o.pk
LEFT JOIN refunds AS r ON r.date = o.date AND r.order_pk = o.pk
LEFT JOIN changes AS s ON s.date = o.date AND s.order_pk = o.pk
LEFT JOIN {statuses} AS st ON st.status = o.status
LEFT JOIN history.channels AS ch ON ch.date = o.date AND ch.pk = o.channel_pk
LEFT JOIN history.payment_options AS po ON po.date = o.date AND po.pk = o.payment_option_pk
LEFT JOIN history.addresses AS a ON a.date = o.date AND a.pk = o.shipping_address_pk
LEFT JOIN history.countries AS co ON co.date = o.date AND co.pk = a.country_pk
LEFT JOIN history.cities AS ci ON ci.date = o.date AND ci.pk = a.city_pk
