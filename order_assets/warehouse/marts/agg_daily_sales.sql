/* ---
description: 'Orders by day, channel, currency and group of status: fct_orders added up; sales are those of is_sale'
grain: one row per day, channel, currency, status group and whether it is a sale
key: [date, channel_pk, currency, status_group, is_sale]
refresh: days
references:
  channel_pk: marts.dim_channels
rules: [daily_sales_equal_orders]
columns:
  date: Day that the orders were placed in, in the business time zone
  order_date: The same day, under the name that says so
  channel_pk: Sales channel (channels.pk)
  currency: Currency of the amounts, ISO 4217 in lower case
  status_group: 'Group of the status code of the order: canceled, waiting, in_progress, inactive, on_the_way, delivered,
    refunded; deleted where the shop has the order no more, other for codes that are not known'
  is_sale: 'Whether the order counts as sold: not waiting, canceled, inactive or deleted; a cancellation that is only
    asked for is a sale still'
  channel_name: Name of the channel on that day; the newest is in dim_channels
  order_count: Orders
  sale_count: Orders that are sales
  orders: Orders; the name of before for order_count
  items: Rows of items
  quantity: Units in them, canceled and returned ones too, as far as they are known
  returned_quantity: Units that were returned
  quantity_net: Units sold and kept
  gross_sales: Prices of the items of sales before discounts, without shipping
  order_discount: Discounts of sales
  canceled_sales: Prices less discounts of items that were canceled in a sale
  returned_sales: Prices less discounts of items that were returned
  net_sales: What was sold and kept, without shipping
  net_sales_excl_tax: Net sales of the items without tax, as far as it is known
  tax_amount: Tax of the net sales of the items, as far as it is known
  shipping_income: Shipping fees of sales less what of them was refunded
  total_sales: 'net_sales + shipping_income: amounts less refunds of sales'
  gross_amount: Order amounts before discounts, with shipping
  discount_amount: Discounts
  shipping_amount: Shipping fees
  amount: 'Order amounts: after discounts, with shipping'
  refunded_amount: Amounts refunded so far
  net_amount: 'Order amounts without what was refunded, shipping with it, of orders never paid too: net_sales is what was
    sold'
  items_amount: Prices of the items before discounts
  paid_amount: What payments brought in, as far as it is known
--- */
SELECT
    date,
    date AS order_date,
    channel_pk,
    currency,
    status_group,
    is_sale,
    min(channel_name) AS channel_name,
    count(order_pk) AS order_count,
    count(order_pk) FILTER (WHERE is_sale) AS sale_count,
    count(order_pk) AS orders,
    CAST(sum(items) AS BIGINT) AS items,
    sum(quantity) AS quantity,
    sum(returned_quantity) AS returned_quantity,
    sum(quantity_net) AS quantity_net,
    sum(gross_sales) AS gross_sales,
    sum(order_discount) AS order_discount,
    sum(canceled_sales) AS canceled_sales,
    sum(returned_sales) AS returned_sales,
    sum(net_sales) AS net_sales,
    sum(net_sales_excl_tax) AS net_sales_excl_tax,
    sum(tax_amount) AS tax_amount,
    sum(shipping_income) AS shipping_income,
    sum(total_sales) AS total_sales,
    sum(gross_amount) AS gross_amount,
    sum(discount_amount) AS discount_amount,
    sum(shipping_amount) AS shipping_amount,
    sum(amount) AS amount,
    sum(refunded_amount) AS refunded_amount,
    sum(net_amount) AS net_amount,
    sum(items_amount) AS items_amount,
    sum(paid_amount) AS paid_amount
FROM marts.fct_orders
GROUP BY date, channel_pk, currency, status_group, is_sale
