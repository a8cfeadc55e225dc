/* ---
description: Which of a customer's sales an order is, among the days that are loaded; fct_orders shows it
grain: one row per order that is a sale of a customer
key: [order_pk]
refresh: whole
references:
  date, order_pk: marts.fct_orders
columns:
  date: Day that the order was placed in, in the business time zone
  order_pk: Order (orders.pk)
  customer_order_number: Which sale of the customer it is among the loaded days, counted from 1
  is_new_customer: 'True for the first sale here of an account that was opened at most a day before, false for later
    sales; empty where nobody knows, as of older accounts and guests'
--- */
-- An older account may have bought on days that are not loaded, a guest under another name.
SELECT
    s.date,
    s.order_pk,
    s.customer_order_number,
    CASE
        WHEN s.customer_order_number > 1 THEN false
        WHEN c.user_type = 'guest' THEN NULL
        WHEN c.date_joined >= s.date_placed - INTERVAL 1 DAY THEN true
    END AS is_new_customer
FROM (
    SELECT
        date,
        pk AS order_pk,
        customer_pk,
        date_placed,
        row_number() OVER (PARTITION BY customer_pk ORDER BY date_placed, pk) AS customer_order_number
    FROM {orders}
    WHERE is_sale AND customer_pk IS NOT NULL
) AS s
LEFT JOIN orders.customers AS c ON c.pk = s.customer_pk
