/* ---
description: 'What was sold of each product, day by day: fct_order_items added up'
grain: one row per day, product, channel and currency
key: [date, product_sku, channel_pk, currency]
refresh: days
references:
  product_sku: marts.dim_products
  channel_pk: marts.dim_channels
columns:
  date: Day that the orders were placed in, in the business time zone
  order_date: The same day, under the name that says so
  product_sku: Stock keeping unit of the product
  channel_pk: Sales channel (channels.pk)
  currency: Currency of the amounts, ISO 4217 in lower case
  order_count: Sales that have the product
  quantity: Units in sales, canceled and returned ones too, as far as they are known
  canceled_quantity: Those of them that were canceled
  returned_quantity: Those of them that were returned
  quantity_net: Units sold and kept
  gross_sales: Prices before discounts
  order_discount: Discounts of the orders on the product
  canceled_sales: Prices less discounts of what was canceled in a sale
  returned_sales: Prices less discounts of what was returned
  net_sales: What was sold and kept
  net_sales_excl_tax: Net sales without tax, as far as it is known
--- */
SELECT
    date,
    date AS order_date,
    product_sku,
    channel_pk,
    currency,
    count(DISTINCT order_pk) AS order_count,
    sum(quantity) AS quantity,
    coalesce(sum(quantity) FILTER (WHERE is_canceled), 0) AS canceled_quantity,
    sum(returned_quantity) AS returned_quantity,
    sum(quantity_net) AS quantity_net,
    sum(gross_sales) AS gross_sales,
    sum(order_discount) AS order_discount,
    sum(canceled_sales) AS canceled_sales,
    sum(returned_sales) AS returned_sales,
    sum(net_sales) AS net_sales,
    sum(net_sales_excl_tax) AS net_sales_excl_tax
FROM marts.fct_order_items
WHERE is_sale
GROUP BY date, product_sku, channel_pk, currency
