/* ---
description: Items of orders, with what was sold, canceled and returned of them
grain: one row per order item
key: [date, item_pk]
refresh: days
references:
  date, order_pk: marts.fct_orders
  channel_pk: marts.dim_channels
  customer_pk: marts.dim_customers
  product_sku: marts.dim_products
  status: marts.dim_statuses
rules: [quantities_are_read]
columns:
  date: Day that the order was placed in, in the business time zone
  order_date: The same day, under the name that says so
  order_pk: Order (orders.pk)
  item_pk: Item (order_items.pk)
  parent_pk: Item that this one was split from (order_items.pk)
  position: Place of the item in its order, counted from 0
  placed_at: When the customer placed the order, UTC
  channel_pk: Sales channel (channels.pk)
  customer_pk: Customer (customers.pk)
  product_pk: Product key
  product_sku: Stock keeping unit of the product
  product_base_code: Base code of the product when the order was placed
  product_name: Name of the product when the order was placed; the newest is in dim_products
  status: Status code of the item
  status_display: Name of the status code
  cancel_status: State of a cancellation or return of the item
  is_canceled: Whether the item, or its whole order, was canceled; one that is only asked for is not
  is_returned: Whether the item, or its whole order, was refunded after it was sold
  currency: Currency of the amounts, ISO 4217 in lower case
  is_order_currency: Whether that is the currency of the order; fct_orders adds up no other
  quantity: 'Units in the row, canceled and returned ones too: the attribute that ORDER_ASSETS_QUANTITY_ATTRIBUTE names,
    else 1; empty where it cannot be read, which the check quantities_are_read reports'
  returned_quantity: Those of them that were returned
  quantity_net: Units sold and kept; 0 for what was canceled or returned, and where the order is no sale
  retail_price: Price of the row before reductions
  price: Price of the row; discounts of the order are in discount_amount
  discount_amount: Discounts of the order on the row
  net_amount: 'Price without the discounts on the row, also of canceled and returned rows and of orders that are no
    sales: net_sales is what was sold'
  gross_sales: Price of the row before discounts, canceled and returned rows with it; 0 where the order is no sale
  order_discount: Discounts of the order on the row; 0 where the order is no sale
  canceled_sales: 'Of gross_sales - order_discount what was canceled'
  returned_sales: 'Of gross_sales - order_discount what was returned'
  net_sales: 'What was sold and kept: gross_sales - order_discount - canceled_sales - returned_sales'
  tax_rate: Tax rate, percent
  tax_amount: 'Tax of net_sales, to the cent: x rate / (100 + rate) where ORDER_ASSETS_PRICES_INCLUDE_TAX is yes, x rate
    / 100 where it is no; empty where nobody said it, or no rate is known'
  net_sales_excl_tax: Net_sales without tax; empty where tax_amount is
  discounts: Discounts of the order that the item benefits from
  promised_at: When delivery was expected, UTC
  delivered_at: When the item was delivered, UTC
  is_late: Whether it was delivered after the promise; empty before it is delivered, and without a promise
  status_group: 'Group of the status code of the order: canceled, waiting, in_progress, inactive, on_the_way, delivered,
    refunded; deleted where the shop has the order no more, other for codes that are not known'
  is_sale: 'Whether the order counts as sold: not waiting, canceled, inactive or deleted; a cancellation that is only
    asked for is a sale still'
--- */
-- Measures of sales are 0 where nothing was sold, so that they can be summed as they are; each step needs the one before.
WITH given AS (
    SELECT
        *,
        coalesce(
            attributes -> {quantity_path},
            -- Attributes that are no object can hold it all the same, in a form that nobody knows.
            CASE WHEN attributes NOT LIKE '{%' AND contains(attributes, {quantity_attribute}) THEN attributes END
        )::VARCHAR AS given_quantity
    FROM orders.order_items
),

benefits AS (
    SELECT date, order_pk, order_item_pk, count(DISTINCT discount_item_pk) AS discounts
    FROM orders.discount_applicants
    WHERE role = 'benefit'
    GROUP BY date, order_pk, order_item_pk
),

items AS (
    SELECT
        i.*,
        o.date_placed,
        o.channel_pk,
        o.customer_pk,
        o.status_group,
        o.is_sale,
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
        TRY_CAST(i.price - coalesce(i.discount_amount, 0) AS DECIMAL(18, 2)) AS net_amount,
        coalesce(d.discounts, 0) AS discounts,
        -- By the item's own status, or by that of its order.
        coalesce(ofi.status = i.status AND ofi.status_group = 'canceled' AND ofi.is_final, false)
        OR coalesce(ofo.status = o.status AND ofo.status_group = 'canceled' AND ofo.is_final, false) AS is_canceled,
        coalesce(ofi.status = i.status AND ofi.status_group = 'refunded', false)
        OR coalesce(ofo.status = o.status AND ofo.status_group = 'refunded', false) AS is_refunded
    FROM given AS i
    JOIN {orders} AS o ON o.date = i.date AND o.pk = i.order_pk
    LEFT JOIN benefits AS d ON d.date = i.date AND d.order_pk = i.order_pk AND d.order_item_pk = i.pk
    LEFT JOIN {statuses} AS ofi ON ofi.status = i.status
    LEFT JOIN {statuses} AS ofo ON ofo.status = o.status
),

sold AS (
    SELECT
        *,
        is_refunded AND NOT is_canceled AS is_returned,
        CASE WHEN is_sale THEN price ELSE 0 END AS gross_sales,
        CASE WHEN is_sale THEN coalesce(discount_amount, 0) ELSE 0 END AS order_discount,
        CASE WHEN is_sale AND is_canceled THEN net_amount ELSE 0 END AS canceled_sales,
        CASE WHEN is_sale AND is_refunded AND NOT is_canceled THEN net_amount ELSE 0 END AS returned_sales,
        CASE WHEN is_sale AND NOT is_canceled AND NOT is_refunded THEN net_amount ELSE 0 END AS net_sales,
        -- Whole numbers, so that nothing is rounded but the tax: cents, and ten thousandths of a percent.
        CAST(tax_rate * 10000 AS HUGEINT) AS rate,
        CASE
            WHEN {prices_include_tax} THEN 1000000 + CAST(tax_rate * 10000 AS HUGEINT)
            WHEN NOT {prices_include_tax} THEN 1000000
        END AS whole
    FROM items
),

taxed AS (
    SELECT
        *,
        CASE
            WHEN net_sales = 0 AND {prices_include_tax} IS NOT NULL THEN 0
            ELSE TRY_CAST(
                CAST((2 * CAST(CAST(net_sales AS DECIMAL(24, 2)) * 100 AS HUGEINT) * rate + whole) // (2 * whole) AS DECIMAL(36, 0))
                * CAST(0.01 AS DECIMAL(2, 2)) AS DECIMAL(18, 2)
            )
        END AS tax_amount
    FROM sold
)

SELECT
    date,
    date AS order_date,
    order_pk,
    pk AS item_pk,
    parent_pk,
    position,
    date_placed AS placed_at,
    channel_pk,
    customer_pk,
    product_pk,
    product_sku,
    product_base_code,
    product_name,
    status,
    status_display,
    cancel_status,
    is_canceled,
    is_returned,
    currency,
    is_order_currency,
    quantity,
    CASE WHEN is_returned THEN quantity ELSE 0 END AS returned_quantity,
    CASE WHEN is_sale AND NOT is_canceled AND NOT is_returned THEN quantity ELSE 0 END AS quantity_net,
    retail_price,
    price,
    discount_amount,
    net_amount,
    gross_sales,
    order_discount,
    canceled_sales,
    returned_sales,
    net_sales,
    tax_rate,
    tax_amount,
    TRY_CAST(
        CASE WHEN {prices_include_tax} THEN net_sales - tax_amount WHEN tax_amount IS NOT NULL THEN net_sales END
        AS DECIMAL(18, 2)
    ) AS net_sales_excl_tax,
    discounts,
    estimated_delivery_date AS promised_at,
    delivered_date AS delivered_at,
    delivered_date > estimated_delivery_date AS is_late,
    status_group,
    is_sale
FROM taxed
