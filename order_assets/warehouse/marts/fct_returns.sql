/* ---
description: Cancellations and returns of items, as the shop plans and carries them out
grain: one row per plan and item, or one without an item where the plan names none
key: [date, order_pk, plan_position, item_pk]
refresh: days
references:
  date, order_pk: marts.fct_orders
  channel_pk: marts.dim_channels
  item_pk: marts.fct_order_items
columns:
  date: Day that the order was placed in, in the business time zone
  order_date: The same day, under the name that says so
  order_pk: Order (orders.pk)
  plan_position: Place of the plan in its set, counted from 0
  plan_pk: Cancellation plan (cancellation_plans.pk)
  item_pk: Item that goes back (order_items.pk); plans are not documented, this is read from cancel_items
  channel_pk: Sales channel (channels.pk)
  plan_type: 'cancel: before it was delivered; refund: after'
  status: State of the plan
  is_carried_out: Whether goods or money go back for it; not where it is only asked for or was rejected
  is_settled: Whether it is through, one way or the other
  reason: Code of the reason, as the shop has it
  requested_at: When the plan was made, UTC
  requested_date: The day of that, in the business time zone
  finished_at: When the plan was last changed, UTC; empty before it is through
  finished_date: The day of that, in the business time zone
  product_sku: Stock keeping unit of the product
  quantity: Units in the row of the item; empty where they are not known
  amount: Price less discounts of the item
  currency: Currency of the amounts, ISO 4217 in lower case
  is_sale: 'Whether the order counts as sold: not waiting, canceled, inactive or deleted; a cancellation that is only
    asked for is a sale still'
--- */
WITH planned AS (
    SELECT
        p.date,
        p.order_pk,
        p.position,
        p.pk,
        p.plan_type,
        p.status,
        p.created_date,
        p.modified_date,
        p.raw,
        -- One row for a plan without a list, too.
        unnest(coalesce(nullif(list_distinct(json_transform(p.raw -> '$.cancel_items', '["BIGINT"]')), []), [NULL::BIGINT]))
            AS named_item
    FROM orders.cancellation_plans AS p
)

SELECT
    p.date,
    p.date AS order_date,
    p.order_pk,
    p.position AS plan_position,
    p.pk AS plan_pk,
    p.named_item AS item_pk,
    o.channel_pk,
    p.plan_type,
    p.status,
    CASE WHEN c.status = p.status THEN c.is_carried_out ELSE true END AS is_carried_out,
    CASE WHEN c.status = p.status THEN c.is_settled ELSE false END AS is_settled,
    p.raw ->> ('$.reasons."' || p.named_item || '"') AS reason,
    p.created_date AS requested_at,
    CAST(p.created_date AT TIME ZONE {business_zone} AS DATE) AS requested_date,
    CASE WHEN c.is_settled THEN p.modified_date END AS finished_at,
    CASE WHEN c.is_settled THEN CAST(p.modified_date AT TIME ZONE {business_zone} AS DATE) END AS finished_date,
    i.product_sku,
    i.quantity,
    i.net_amount AS amount,
    coalesce(i.currency, lower(o.currency)) AS currency,
    o.is_sale
FROM planned AS p
JOIN {orders} AS o ON o.date = p.date AND o.pk = p.order_pk
LEFT JOIN marts.fct_order_items AS i ON i.date = p.date AND i.order_pk = p.order_pk AND i.item_pk = p.named_item
LEFT JOIN {cancel_statuses} AS c ON c.status = p.status
