/* ---
description: What each customer ordered in each currency; nothing that names them
grain: one row per customer and currency
key: [customer_pk, currency]
refresh: whole
references:
  customer_pk: marts.dim_customers
  channel_pk: marts.dim_channels
columns:
  customer_pk: Customer (customers.pk)
  currency: Currency of the amounts, ISO 4217 in lower case
  channel_pk: Sales channel of the customer (channels.pk)
  user_type: Kind of account
  first_order_at: When the first order was placed, UTC
  first_order_pk: That order
  last_order_at: When the newest order was placed, UTC
  last_order_pk: That order
  order_count: Orders
  sale_count: Those that are sales
  orders: Orders; the name of before for order_count
  canceled_orders: Those that were or are being canceled
  ordered_amount: Amounts of all orders
  refunded_amount: Amounts refunded so far
  deleted_orders: Those that the shop has no more
  net_sales: What was sold and kept, without shipping
  lifetime_value: 'Net sales of all orders: what was sold and kept, without shipping. Before, shipping was in it'
--- */
SELECT
    f.customer_pk,
    f.currency,
    min(c.channel_pk) AS channel_pk,
    min(c.user_type) AS user_type,
    min(f.placed_at) AS first_order_at,
    arg_min(f.order_pk, (f.placed_at, f.order_pk)) AS first_order_pk,
    max(f.placed_at) AS last_order_at,
    arg_max(f.order_pk, (f.placed_at, f.order_pk)) AS last_order_pk,
    count(f.order_pk) AS order_count,
    count(f.order_pk) FILTER (WHERE f.is_sale) AS sale_count,
    count(f.order_pk) AS orders,
    count(f.order_pk) FILTER (WHERE f.status_group = 'canceled') AS canceled_orders,
    coalesce(sum(f.amount), 0) AS ordered_amount,
    coalesce(sum(f.refunded_amount), 0) AS refunded_amount,
    count(f.order_pk) FILTER (WHERE f.status_group = 'deleted') AS deleted_orders,
    coalesce(sum(f.net_sales), 0) AS net_sales,
    coalesce(sum(f.net_sales), 0) AS lifetime_value
FROM marts.fct_orders AS f
LEFT JOIN orders.customers AS c ON c.pk = f.customer_pk
WHERE f.customer_pk IS NOT NULL
GROUP BY f.customer_pk, f.currency
