/* ---
description: Orders that were handed to a carrier, and how long their way took
grain: one row per order that was handed to a carrier
key: [date, order_pk]
refresh: days
references:
  date, order_pk: marts.fct_orders
  channel_pk: orders.channels
  cargo_company_pk: orders.cargo_companies
  geography_key: marts.dim_geography
columns:
  date: Day that the order was placed in, in the business time zone
  order_pk: Order (orders.pk)
  channel_pk: Sales channel (channels.pk)
  customer_pk: Customer (customers.pk)
  carrier: 'Carrier: of the order, else of its exchanges with carriers, else of its items'
  cargo_company_pk: Carrier chosen by the customer (cargo_companies.pk)
  delivery_type: Kind of delivery
  geography_key: Place of the shipping address (dim_geography); empty without an address
  country: Country of the shipping address
  city: City of the shipping address
  status: Status code of the order
  status_group: 'Group of the status code of the order: canceled, waiting, in_progress, inactive, on_the_way, delivered,
    refunded; deleted where the shop has the order no more, other for codes that are not known'
  is_sale: 'Whether the order counts as sold: not waiting, canceled, inactive or deleted; a cancellation that is only
    asked for is a sale still'
  exchanges: Exchanges with carriers (shipping_infos)
  accepted: Those that the carrier accepted
  placed_at: When the customer placed the order, UTC
  shipped_at: When the order was shipped, UTC; empty if nothing dates it
  shipped_from: 'Table that dates it: order_status_history, if the change was seen, else shipping_infos'
  delivered_at: When the order was delivered, UTC; empty if nothing dates it
  delivered_from: 'Table that dates it: order_status_history, if the change was seen, else order_items'
  hours_to_ship: Hours from placing to shipping
  hours_in_transit: Hours from shipping to delivery
  hours_to_deliver: Hours from placing to delivery
--- */
-- The times come from the states that the order was seen in. The first state that was seen may have been reached
-- long before, so it dates nothing; then what the carrier and the items say is taken.
WITH states AS (
    SELECT
        h.date,
        h.order_pk,
        known.leg,
        least(h.modified_date, h.observed_at) AS reached_at,
        row_number() OVER (PARTITION BY h.date, h.order_pk ORDER BY h.observed_at) > 1 AS is_dated
    FROM orders.order_status_history AS h
    LEFT JOIN {statuses} AS known ON known.status = h.status
),

seen AS (
    SELECT
        date,
        order_pk,
        bool_or(leg IN ('shipped', 'under_way')) AS was_shipped,
        min(reached_at) FILTER (WHERE is_dated AND leg = 'shipped') AS shipped_at,
        min(reached_at) FILTER (WHERE is_dated AND leg = 'delivered') AS delivered_at
    FROM states
    GROUP BY date, order_pk
),

infos AS (
    SELECT
        date,
        order_pk,
        count(pk) AS exchanges,
        count(pk) FILTER (WHERE is_send) AS accepted,
        min(created_date) FILTER (WHERE is_send) AS accepted_at,
        arg_min(shipping_company, position) AS carrier
    FROM orders.shipping_infos
    GROUP BY date, order_pk
),

items AS (
    SELECT
        date,
        order_pk,
        max(delivered_date) AS delivered_at,
        arg_min(shipping_company, position) AS carrier
    FROM orders.order_items
    GROUP BY date, order_pk
),

shipments AS (
    SELECT
        o.date,
        o.pk AS order_pk,
        coalesce(nullif(cc.shipping_company, ''), inf.carrier, it.carrier) AS carrier,
        o.cargo_company_pk,
        coalesce(inf.exchanges, 0) AS exchanges,
        coalesce(inf.accepted, 0) AS accepted,
        coalesce(s.shipped_at, inf.accepted_at) AS shipped_at,
        CASE
            WHEN s.shipped_at IS NOT NULL THEN 'order_status_history'
            WHEN inf.accepted_at IS NOT NULL THEN 'shipping_infos'
        END AS shipped_from,
        coalesce(s.delivered_at, it.delivered_at) AS delivered_at,
        CASE
            WHEN s.delivered_at IS NOT NULL THEN 'order_status_history'
            WHEN it.delivered_at IS NOT NULL THEN 'order_items'
        END AS delivered_from
    FROM orders.orders AS o
    LEFT JOIN {statuses} AS st ON st.status = o.status
    LEFT JOIN seen AS s ON s.date = o.date AND s.order_pk = o.pk
    LEFT JOIN infos AS inf ON inf.date = o.date AND inf.order_pk = o.pk
    LEFT JOIN items AS it ON it.date = o.date AND it.order_pk = o.pk
    LEFT JOIN history.cargo_companies AS cc ON cc.date = o.date AND cc.pk = o.cargo_company_pk
    WHERE
        inf.accepted > 0
        OR s.was_shipped
        OR st.leg IN ('shipped', 'under_way')
        OR nullif(o.tracking_number, '') IS NOT NULL
)

SELECT
    s.date,
    s.order_pk,
    f.channel_pk,
    f.customer_pk,
    s.carrier,
    s.cargo_company_pk,
    f.delivery_type,
    f.geography_key,
    f.country,
    f.city,
    f.status,
    f.status_group,
    f.is_sale,
    s.exchanges,
    s.accepted,
    f.placed_at,
    s.shipped_at,
    s.shipped_from,
    s.delivered_at,
    s.delivered_from,
    epoch(s.shipped_at - f.placed_at) / 3600 AS hours_to_ship,
    epoch(s.delivered_at - s.shipped_at) / 3600 AS hours_in_transit,
    epoch(s.delivered_at - f.placed_at) / 3600 AS hours_to_deliver
FROM shipments AS s
JOIN marts.fct_orders AS f ON f.date = s.date AND f.order_pk = s.order_pk
