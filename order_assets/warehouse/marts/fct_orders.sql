/* ---
description: Orders with what lies below them counted once
grain: one row per order; one that stands on several days has a row on the newest alone
key: [order_pk]
refresh: days
restated: marts.customer_orders
references:
  channel_pk: marts.dim_channels
  customer_pk: marts.dim_customers
  customer_pk, currency: marts.agg_customer_currency
  geography_key: marts.dim_geography
  status: marts.dim_statuses
rules: [orders_are_there_once, amounts_add_up, sales_add_up, discounts_agree, status_goes_forward,
  volume_as_usual]
columns:
  date: Day that the order was placed in, in the business time zone
  order_date: The same day, under the name that says so
  order_pk: Order (orders.pk)
  number: Order number shown to people
  placed_at: When the customer placed the order, UTC
  placed_local: When the customer placed the order, in the business time zone (meta.settings)
  channel_pk: Sales channel (channels.pk)
  channel_name: Name of the channel on that day; the newest is in dim_channels
  channel_type: Kind of channel
  customer_pk: Customer (customers.pk)
  customer_order_number: Which sale of the customer it is among the loaded days, counted from 1; empty where it is none
  is_new_customer: 'True for the first sale here of an account that was opened at most a day before, false for later
    sales; empty where nobody knows, as of older accounts and guests, and where the order is no sale'
  client_type: Client the order was placed with
  status: Status code, a number as text
  status_display: Name of the status code
  status_group: 'Group of the status code of the order: canceled, waiting, in_progress, inactive, on_the_way, delivered,
    refunded; deleted where the shop has the order no more, other for codes that are not known'
  is_sale: 'Whether the order counts as sold: not waiting, canceled, inactive or deleted; a cancellation that is only
    asked for is a sale still'
  is_deleted: Whether the shop has the order no more
  tombstoned_at: When the shop had the order no more, UTC; empty while it has it
  cancel_status: State of a cancellation or return
  first_status: Status that the order was first seen in
  first_status_at: When that status was reached at the latest, UTC
  last_status_at: When the present status was reached at the latest, UTC
  status_changes: Changes of the status that were seen
  payment_option_pk: Payment option (payment_options.pk)
  payment_kind: Kind of the payment option
  payment_option_slug: Slug of the payment option when the order was placed
  installment_count: Number of instalments
  payment_attempts: Attempts to pay or to authorise (fct_payments)
  failed_payments: Those that failed
  cargo_company_pk: Carrier chosen by the customer (cargo_companies.pk)
  delivery_type: Kind of delivery
  has_gift_box: Whether a gift box was ordered
  geography_key: Place of the shipping address (dim_geography); empty without an address
  country_code: ISO 3166 code of the country of the shipping address, in lower case
  country: Country of the shipping address
  city: City of the shipping address
  currency: Currency of the amounts, ISO 4217 in lower case
  gross_sales: Prices of the items before discounts, without shipping; 0 where the order is no sale
  order_discount: Discounts; 0 where the order is no sale
  canceled_sales: Prices less discounts of items that were canceled in a sale
  returned_sales: Prices less discounts of items that were returned
  net_sales: 'What was sold and kept, without shipping: total_sales - shipping_income. The check sales_add_up says
    where that is not gross_sales - order_discount - canceled_sales - returned_sales'
  net_sales_excl_tax: Net sales of the items without tax; empty where tax_amount is
  tax_amount: 'Tax of the net sales of the items; empty where nobody said whether prices include tax
    (ORDER_ASSETS_PRICES_INCLUDE_TAX), or no rate is known'
  shipping_income: Shipping fee less what of it was refunded; 0 where the order is no sale
  total_sales: 'net_sales + shipping_income: the order amount less what was refunded; 0 where the order is no sale'
  refund_state: none, partial or full, by what was refunded of the order amount, whatever the status is
  shipping_refund_amount: Shipping fee refunded so far
  discount_refund_amount: Discount taken back by refunds
  shipping_tax_rate: Tax rate of shipping, percent
  installment_interest_amount: Interest for instalments; whether amount has it in it is not documented
  shipping_interest_amount: Share of that which falls on shipping
  gross_amount: Order amount before discounts, with shipping
  discount_amount: Sum of discounts, as the order says it
  shipping_amount: Shipping fee
  amount: 'Order amount: after discounts, with shipping'
  refunded_amount: Amount refunded so far, as the order says it; single refunds are in fct_refunds
  net_amount: 'Order amount without what was refunded, shipping with it, of orders never paid too: net_sales is what
    was sold'
  items_amount: Prices of the items in the currency of the order, before discounts
  paid_amount: 'What payments brought in, in the currency of the order: 0 where nothing came in, empty where nobody
    knows, as marketplaces show no payments'
  items: Rows of items
  foreign_items: Those in another currency than the order; no amount here has them
  quantity: Units in them; empty where it is empty for an item
  returned_quantity: Units that were returned
  quantity_net: Units sold and kept; 0 where the order is no sale
  distinct_skus: Different stock keeping units
  discounts: Discounts given (discount_items)
  refunds: Refunds (fct_refunds), none twice that moved in another currency
--- */
-- Sums of more than sixteen digits are no amounts of an order: they are empty, so that the day is loaded all the same.
-- Everything below an order is counted per order before it is joined, so that nothing multiplies. What orders
-- point to is taken in the version of the order's own day, so that a day can be refreshed alone.
WITH items AS (
    SELECT
        date,
        order_pk,
        count(item_pk) AS items,
        -- Not known where it is not known of one of them.
        CASE WHEN count(quantity) = count(item_pk) THEN TRY_CAST(sum(quantity) AS DECIMAL(18, 3)) END AS quantity,
        CASE WHEN count(quantity) = count(item_pk) THEN TRY_CAST(sum(returned_quantity) AS DECIMAL(18, 3)) END
            AS returned_quantity,
        CASE WHEN count(quantity_net) = count(item_pk) THEN TRY_CAST(sum(quantity_net) AS DECIMAL(18, 3)) END AS quantity_net,
        count(DISTINCT product_sku) AS distinct_skus,
        count(item_pk) FILTER (WHERE NOT is_order_currency) AS foreign_items,
        TRY_CAST(coalesce(sum(price) FILTER (WHERE is_order_currency), 0) AS DECIMAL(18, 2)) AS amount,
        TRY_CAST(coalesce(sum(gross_sales) FILTER (WHERE is_order_currency), 0) AS DECIMAL(18, 2)) AS gross_sales,
        TRY_CAST(coalesce(sum(canceled_sales) FILTER (WHERE is_order_currency), 0) AS DECIMAL(18, 2)) AS canceled_sales,
        TRY_CAST(coalesce(sum(returned_sales) FILTER (WHERE is_order_currency), 0) AS DECIMAL(18, 2)) AS returned_sales,
        CASE
            WHEN count(tax_amount) = count(item_pk)
                THEN TRY_CAST(sum(tax_amount) FILTER (WHERE is_order_currency) AS DECIMAL(18, 2))
        END AS tax_amount,
        CASE
            WHEN count(tax_amount) = count(item_pk)
                THEN TRY_CAST(sum(net_sales_excl_tax) FILTER (WHERE is_order_currency) AS DECIMAL(18, 2))
        END AS net_sales_excl_tax
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
        bool_or(capture_state = 'unknown') AS has_unknown,
        TRY_CAST(sum(captured_amount) FILTER (WHERE is_order_currency) AS DECIMAL(18, 2)) AS captured
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
    o.date AS order_date,
    o.pk AS order_pk,
    o.number,
    o.date_placed AS placed_at,
    o.date_placed AT TIME ZONE {business_zone} AS placed_local,
    o.channel_pk,
    ch.name AS channel_name,
    ch.channel_type,
    o.customer_pk,
    co.customer_order_number,
    co.is_new_customer,
    o.client_type,
    o.status,
    o.status_display,
    o.status_group,
    o.is_sale,
    o.tombstoned_at IS NOT NULL AS is_deleted,
    o.tombstoned_at,
    o.cancel_status,
    s.first_status,
    s.first_status_at,
    s.last_status_at,
    coalesce(s.status_changes, 0) AS status_changes,
    o.payment_option_pk,
    po.payment_type AS payment_kind,
    o.payment_option_slug,
    o.installment_count,
    coalesce(pa.attempts, 0) AS payment_attempts,
    coalesce(pa.failed, 0) AS failed_payments,
    o.cargo_company_pk,
    o.delivery_type,
    o.has_gift_box,
    CASE
        WHEN a.pk IS NOT NULL
            THEN coalesce(a.country_pk, 0) || '-' || coalesce(a.city_pk, 0) || '-' || coalesce(a.township_pk, 0)
                || '-' || coalesce(a.district_pk, 0)
    END AS geography_key,
    cn.code AS country_code,
    cn.name AS country,
    ci.name AS city,
    lower(o.currency) AS currency,
    CASE WHEN i.order_pk IS NULL THEN 0 ELSE i.gross_sales END AS gross_sales,
    CASE WHEN o.is_sale THEN coalesce(o.discount_amount, 0) ELSE 0 END AS order_discount,
    CASE WHEN i.order_pk IS NULL THEN 0 ELSE i.canceled_sales END AS canceled_sales,
    CASE WHEN i.order_pk IS NULL THEN 0 ELSE i.returned_sales END AS returned_sales,
    TRY_CAST(o.total_sales - o.shipping_income AS DECIMAL(18, 2)) AS net_sales,
    i.net_sales_excl_tax,
    i.tax_amount,
    o.shipping_income,
    o.total_sales,
    CASE
        WHEN coalesce(o.refund_amount, 0) = 0 THEN 'none'
        WHEN o.refund_amount >= o.amount THEN 'full'
        WHEN o.refund_amount < o.amount THEN 'partial'
    END AS refund_state,
    o.shipping_refund_amount,
    o.discount_refund_amount,
    o.shipping_tax_rate,
    o.installment_interest_amount,
    o.shipping_interest_amount,
    TRY_CAST(o.amount + coalesce(o.discount_amount, 0) AS DECIMAL(18, 2)) AS gross_amount,
    o.discount_amount,
    o.shipping_amount,
    o.amount,
    o.refund_amount AS refunded_amount,
    TRY_CAST(o.amount - coalesce(o.refund_amount, 0) AS DECIMAL(18, 2)) AS net_amount,
    CASE WHEN i.order_pk IS NULL THEN 0 ELSE i.amount END AS items_amount,
    CASE
        WHEN pa.has_unknown THEN NULL
        WHEN pa.attempts > 0 OR pt.source IS NOT NULL THEN coalesce(pa.captured, 0)
    END AS paid_amount,
    coalesce(i.items, 0) AS items,
    coalesce(i.foreign_items, 0) AS foreign_items,
    CASE WHEN i.order_pk IS NULL THEN 0 ELSE i.quantity END AS quantity,
    CASE WHEN i.order_pk IS NULL THEN 0 ELSE i.returned_quantity END AS returned_quantity,
    CASE WHEN i.order_pk IS NULL THEN 0 ELSE i.quantity_net END AS quantity_net,
    coalesce(i.distinct_skus, 0) AS distinct_skus,
    coalesce(d.discounts, 0) AS discounts,
    coalesce(r.refunds, 0) AS refunds
FROM (
    SELECT
        *,
        TRY_CAST(CASE WHEN is_sale THEN amount - coalesce(refund_amount, 0) ELSE 0 END AS DECIMAL(18, 2)) AS total_sales,
        TRY_CAST(
            CASE WHEN is_sale THEN coalesce(shipping_amount, 0) - coalesce(shipping_refund_amount, 0) ELSE 0 END
            AS DECIMAL(18, 2)
        ) AS shipping_income
    FROM {orders}
) AS o
LEFT JOIN marts.customer_orders AS co ON co.date = o.date AND co.order_pk = o.pk
LEFT JOIN items AS i ON i.date = o.date AND i.order_pk = o.pk
LEFT JOIN discounts AS d ON d.date = o.date AND d.order_pk = o.pk
LEFT JOIN payments AS pa ON pa.date = o.date AND pa.order_pk = o.pk
LEFT JOIN refunds AS r ON r.date = o.date AND r.order_pk = o.pk
LEFT JOIN changes AS s ON s.date = o.date AND s.order_pk = o.pk
LEFT JOIN history.channels AS ch ON ch.date = o.date AND ch.pk = o.channel_pk
LEFT JOIN history.payment_options AS po ON po.date = o.date AND po.pk = o.payment_option_pk
LEFT JOIN {payment_types} AS pt ON pt.payment_type = po.payment_type
LEFT JOIN history.addresses AS a ON a.date = o.date AND a.pk = o.shipping_address_pk
LEFT JOIN history.countries AS cn ON cn.date = o.date AND cn.pk = a.country_pk
LEFT JOIN history.cities AS ci ON ci.date = o.date AND ci.pk = a.city_pk
