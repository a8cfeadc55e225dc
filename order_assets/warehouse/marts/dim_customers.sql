/* ---
description: Customers with what is known of their orders in all currencies; nothing that names them
grain: one row per customer
key: [customer_pk]
refresh: whole
references:
  customer_pk: orders.customers
  channel_pk: marts.dim_channels
  first_order_pk: marts.fct_orders (order_pk)
  first_sale_order_pk: marts.fct_orders (order_pk)
columns:
  customer_pk: Customer (customers.pk)
  channel_pk: Sales channel of the customer (channels.pk)
  user_type: 'Kind of account: registered or guest'
  is_active: Whether the account is in use
  joined_at: When the account was opened, UTC
  email_allowed: Consent to e-mails
  sms_allowed: Consent to text messages
  call_allowed: Consent to calls
  first_order_at: When the first order among the loaded days was placed, UTC
  first_order_pk: That order
  last_order_at: When the newest order was placed, UTC
  last_order_pk: That order
  first_sale_date: Day of the first sale among the loaded days
  first_sale_order_pk: That order
  last_sale_date: Day of the newest sale
  days_since_last_sale: Days from the newest sale to the newest day that is loaded
  order_count: Orders
  sale_count: Those that are sales
  canceled_order_count: Those that were or are being canceled
  deleted_order_count: Those that the shop has no more
  is_first_order_certain: 'Whether the first sale here is the first of all: the account was opened at most a day before it.
    Others, and guests, may have bought on days that are not loaded'
--- */
SELECT
    f.customer_pk,
    c.channel_pk,
    c.user_type,
    c.is_active,
    c.date_joined AS joined_at,
    c.email_allowed,
    c.sms_allowed,
    c.call_allowed,
    f.first_order_at,
    f.first_order_pk,
    f.last_order_at,
    f.last_order_pk,
    f.first_sale_date,
    f.first_sale_order_pk,
    f.last_sale_date,
    max(f.last_order_date) OVER () - f.last_sale_date AS days_since_last_sale,
    f.order_count,
    f.sale_count,
    f.canceled_order_count,
    f.deleted_order_count,
    f.is_first_order_certain
FROM (
    SELECT
        customer_pk,
        min(placed_at) AS first_order_at,
        arg_min(order_pk, (placed_at, order_pk)) AS first_order_pk,
        max(placed_at) AS last_order_at,
        arg_max(order_pk, (placed_at, order_pk)) AS last_order_pk,
        max(order_date) AS last_order_date,
        min(order_date) FILTER (WHERE is_sale) AS first_sale_date,
        min(CASE WHEN customer_order_number = 1 THEN order_pk END) AS first_sale_order_pk,
        max(order_date) FILTER (WHERE is_sale) AS last_sale_date,
        count(order_pk) AS order_count,
        count(order_pk) FILTER (WHERE is_sale) AS sale_count,
        count(order_pk) FILTER (WHERE status_group = 'canceled') AS canceled_order_count,
        count(order_pk) FILTER (WHERE is_deleted) AS deleted_order_count,
        coalesce(bool_or(is_new_customer), false) AS is_first_order_certain
    FROM marts.fct_orders
    WHERE customer_pk IS NOT NULL
    GROUP BY customer_pk
) AS f
LEFT JOIN orders.customers AS c ON c.pk = f.customer_pk
