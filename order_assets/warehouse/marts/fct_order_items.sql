/* ---
description: Items of orders
grain: one row per order item
key: [date, item_pk]
refresh: days
references:
  date, order_pk: marts.fct_orders
  channel_pk: orders.channels
rules: [quantities_are_read]
columns:
  date: Day that the order was placed in, in the business time zone
  order_pk: Order (orders.pk)
  item_pk: Item (order_items.pk)
  position: Place of the item in its order, counted from 0
  placed_at: When the customer placed the order, UTC
  channel_pk: Sales channel (channels.pk)
  customer_pk: Customer (customers.pk)
  product_pk: Product key
  product_sku: Stock keeping unit of the product
  product_base_code: Base code of the product
  product_name: Name of the product
  status: Status code of the item
  status_display: Name of the status code
  cancel_status: State of a cancellation or return of the item
  currency: Currency of the amounts, ISO 4217 in lower case
  is_order_currency: Whether that is the currency of the order; fct_orders adds up no other
  quantity: 'Units in the row: the attribute quantity of merged items, else 1; empty where what is given cannot be read,
    which the check quantities_are_read reports'
  retail_price: Price of the row before reductions
  price: Price of the row
  discount_amount: Discounts on the row
  net_amount: Price without the discounts on the row
  tax_rate: Tax rate, percent
  discounts: Discounts of the order that the item benefits from
  delivered_at: When the item was delivered, UTC
  status_group: 'Group of the status code of the order: canceled, waiting, in_progress, inactive, on_the_way, delivered,
    refunded; deleted where the shop has the order no more, other for codes that are not known'
  is_sale: 'Whether the order counts as sold: not waiting, canceled, inactive or deleted; a cancellation that is only
    asked for is a sale still'
--- */
SELECT
    i.date,
    i.order_pk,
    i.pk AS item_pk,
    i.position,
    o.date_placed AS placed_at,
    o.channel_pk,
    o.customer_pk,
    i.product_pk,
    i.product_sku,
    i.product_base_code,
    i.product_name,
    i.status,
    i.status_display,
    i.cancel_status,
    lower(coalesce(nullif(i.price_currency, ''), o.currency)) AS currency,
    nullif(i.price_currency, '') IS NULL
    OR lower(i.price_currency) IS NOT DISTINCT FROM lower(o.currency) AS is_order_currency,
    CASE
        -- A row stands for one unit, unless items were merged; how many is then among the attributes.
        WHEN i.given_quantity IS NULL THEN 1
        -- Nothing is made of what is not a number of units, less than a million: neither 1 nor what may be meant.
        WHEN
            regexp_full_match(i.given_quantity, '"? *[0-9]{1,6}([.][0-9]{1,3}0*)? *"?')
            THEN nullif(CAST(trim(i.given_quantity, '" ') AS DECIMAL(18, 3)), 0)
    END AS quantity,
    i.retail_price,
    i.price,
    i.discount_amount,
    i.price - coalesce(i.discount_amount, 0) AS net_amount,
    i.tax_rate,
    coalesce(d.discounts, 0) AS discounts,
    i.delivered_date AS delivered_at,
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
FROM (
    SELECT
        *,
        coalesce(
            attributes -> '$.quantity',
            -- Attributes that are no object can hold it all the same, in a form that nobody knows.
            CASE WHEN attributes NOT LIKE '{%' AND contains(attributes, 'quantity') THEN attributes END
        )::VARCHAR AS given_quantity
    FROM orders.order_items
) AS i
JOIN orders.orders AS o ON o.date = i.date AND o.pk = i.order_pk
LEFT JOIN (
    SELECT date, order_pk, order_item_pk, count(DISTINCT discount_item_pk) AS discounts
    FROM orders.discount_applicants
    WHERE role = 'benefit'
    GROUP BY date, order_pk, order_item_pk
) AS d ON d.date = i.date AND d.order_pk = i.order_pk AND d.order_item_pk = i.pk
LEFT JOIN {statuses} AS s ON s.status = o.status
