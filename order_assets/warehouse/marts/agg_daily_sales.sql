/* ---
description: 'Orders by day, channel, currency and group of status: fct_orders added up; sales are those of is_sale'
grain: one row per day, channel, currency, status group and whether it is a sale
key: [date, channel_pk, currency, status_group, is_sale]
refresh: days
references:
  channel_pk: orders.channels
rules: [daily_sales_equal_orders]
columns:
  date: Day that the orders were placed in, in the business time zone
  channel_pk: Sales channel (channels.pk)
  currency: Currency of the amounts, ISO 4217 in lower case
  status_group: 'Group of the status code of the order: canceled, waiting, in_progress, inactive, on_the_way, delivered,
    refunded; deleted where the shop has the order no more, other for codes that are not known'
  is_sale: 'Whether the order counts as sold: not waiting, canceled, inactive or deleted; a cancellation that is only
    asked for is a sale still'
  channel_name: Name of the channel on that day
  orders: Orders
  items: Rows of items
  quantity: Units in them, as far as they are known
  gross_amount: Order amounts before discounts, with shipping
  discount_amount: Discounts
  shipping_amount: Shipping fees
  amount: 'Order amounts: after discounts, with shipping'
  refunded_amount: Amounts refunded so far
  net_amount: Order amounts without what was refunded
  items_amount: Prices of the items before discounts
  paid_amount: What payments brought in
--- */
SELECT
    date,
    channel_pk,
    currency,
    status_group,
    is_sale,
    min(channel_name) AS channel_name,
    count(order_pk) AS orders,
    CAST(sum(items) AS BIGINT) AS items,
    sum(quantity) AS quantity,
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
