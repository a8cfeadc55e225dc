/* ---
description: Discounts of orders, spread over the items that benefit from them
grain: one row per discount and item that benefits, or one without an item where none is named
key: [discount_item_pk, item_pk]
refresh: days
references:
  date, order_pk: marts.fct_orders
  channel_pk: marts.dim_channels
  item_pk: marts.fct_order_items
rules: [discounts_are_allocated]
columns:
  date: Day that the order was placed in, in the business time zone
  order_date: The same day, under the name that says so
  order_pk: Order (orders.pk)
  discount_item_pk: Discount of the order (discount_items.pk)
  item_pk: Item that benefits (order_items.pk); empty where the shop names none that is there
  channel_pk: Sales channel (channels.pk)
  discount_name: Name of the discount
  promotion_pk: Promotion key
  promotion_name: Name of the promotion when the order was placed
  offer_type: Kind of offer
  code: Coupon code, if one was used
  currency: Currency of the amounts, ISO 4217 in lower case
  discount_total: The whole discount, in each of its rows
  allocated_amount: 'Part of the discount that falls on the item, as allocated_by says, to the cent; the rows of a discount
    add up to it'
  allocated_by: 'item: what the item says, where it has only this discount and all parts add up; price: by the prices of
    the items; whole: no item benefits'
  status_group: 'Group of the status code of the order: canceled, waiting, in_progress, inactive, on_the_way, delivered,
    refunded; deleted where the shop has the order no more, other for codes that are not known'
  is_sale: 'Whether the order counts as sold: not waiting, canceled, inactive or deleted; a cancellation that is only
    asked for is a sale still'
--- */
-- In whole cents; the last share is what the others leave, because each is the difference of two sums from the start.
WITH benefits AS (
    SELECT DISTINCT
        a.date,
        a.order_pk,
        a.discount_item_pk,
        i.item_pk,
        i.position,
        CAST(CAST(greatest(coalesce(i.price, 0), 0) AS DECIMAL(24, 2)) * 100 AS HUGEINT) AS price,
        i.discount_amount,
        i.discounts
    FROM orders.discount_applicants AS a
    JOIN marts.fct_order_items AS i
        ON i.date = a.date AND i.order_pk = a.order_pk AND i.item_pk = a.order_item_pk
    WHERE a.role = 'benefit'
),

shares AS (
    SELECT
        d.date,
        d.order_pk,
        d.pk AS discount_item_pk,
        d.name AS discount_name,
        d.promotion_pk,
        d.promotion_name,
        d.offer_type,
        d.code,
        d.amount AS discount_total,
        CAST(CAST(d.amount AS DECIMAL(24, 2)) * 100 AS HUGEINT) AS cents,
        b.item_pk,
        b.discount_amount AS said,
        coalesce(
            bool_and(b.discounts = 1 AND b.discount_amount IS NOT NULL) OVER whole
            AND sum(b.discount_amount) OVER whole = d.amount,
            false
        ) AS is_said,
        -- Where no price says anything, all items have the same share.
        CASE
            WHEN sum(b.price) OVER whole = 0 THEN count(*) OVER whole
            ELSE sum(b.price) OVER whole
        END AS weight,
        CASE
            WHEN sum(b.price) OVER whole = 0 THEN row_number() OVER sofar
            ELSE sum(b.price) OVER sofar
        END AS weight_until,
        CASE
            WHEN sum(b.price) OVER whole = 0 THEN 1
            ELSE b.price
        END AS own_weight
    FROM orders.discount_items AS d
    LEFT JOIN benefits AS b ON b.date = d.date AND b.order_pk = d.order_pk AND b.discount_item_pk = d.pk
    WINDOW
        whole AS (PARTITION BY d.date, d.order_pk, d.pk),
        sofar AS (
            PARTITION BY d.date, d.order_pk, d.pk ORDER BY b.position, b.item_pk
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        )
)

SELECT
    s.date,
    s.date AS order_date,
    s.order_pk,
    s.discount_item_pk,
    s.item_pk,
    o.channel_pk,
    s.discount_name,
    s.promotion_pk,
    s.promotion_name,
    s.offer_type,
    s.code,
    lower(o.currency) AS currency,
    s.discount_total,
    CASE
        WHEN s.item_pk IS NULL THEN s.discount_total
        WHEN s.is_said THEN s.said
        ELSE CAST(
            CAST(
                s.cents * s.weight_until // s.weight - s.cents * (s.weight_until - s.own_weight) // s.weight
                AS DECIMAL(36, 0)
            ) * CAST(0.01 AS DECIMAL(2, 2)) AS DECIMAL(18, 2)
        )
    END AS allocated_amount,
    CASE WHEN s.item_pk IS NULL THEN 'whole' WHEN s.is_said THEN 'item' ELSE 'price' END AS allocated_by,
    o.status_group,
    o.is_sale
FROM shares AS s
JOIN {orders} AS o ON o.date = s.date AND o.pk = s.order_pk
