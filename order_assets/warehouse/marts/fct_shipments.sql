/* ---
description: Parcels that were handed to a carrier, and how long their way took
grain: one row per order, carrier and tracking number
key: [date, order_pk, parcel]
refresh: days
references:
  date, order_pk: marts.fct_orders
  channel_pk: marts.dim_channels
  cargo_company_pk: marts.dim_carriers
  geography_key: marts.dim_geography
columns:
  date: Day that the order was placed in, in the business time zone
  order_date: The same day, under the name that says so
  order_pk: Order (orders.pk)
  parcel: Which parcel of the order it is, counted from 1
  tracking_number: Tracking number; empty where none is known
  channel_pk: Sales channel (channels.pk)
  customer_pk: Customer (customers.pk)
  carrier: 'Carrier that shipped: of the items, else of the exchanges with carriers; the one that was chosen for the
    order only where nothing says who shipped'
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
  items: Rows of items in the parcel; 0 where items say nothing of it
  exchanges: Exchanges with carriers about the order (shipping_infos), of all its parcels
  accepted: Those that the carrier accepted
  placed_at: When the customer placed the order, UTC
  shipped_at: When the order was shipped, UTC; of several parcels the first; empty if nothing dates it
  shipped_date: That day, in the business time zone
  shipped_from: 'Table that dates it: order_status_history, if the change was seen, else shipping_infos'
  delivered_at: When the parcel was delivered, UTC; empty if nothing dates it
  delivery_date: That day, in the business time zone
  delivered_from: 'Table that dates it: order_status_history, if the change was seen, else order_items; of several
    parcels order_items first'
  promised_at: 'When it should be delivered, UTC: the earliest estimate of its items, else the end of the delivery
    window that was agreed; empty if nothing was promised'
  promised_date: That day, in the business time zone
  is_late: Whether it was delivered after the promise; empty without a promise or a delivery
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
        -- The one that accepted shipped; else the first that was asked.
        arg_min(shipping_company, (is_send IS NOT TRUE, position)) AS carrier
    FROM orders.shipping_infos
    GROUP BY date, order_pk
),

items AS (
    SELECT
        i.date,
        i.order_pk,
        nullif(i.shipping_company, '') AS carrier,
        coalesce(nullif(i.tracking_number, ''), nullif(o.tracking_number, '')) AS tracking_number,
        i.delivered_date,
        i.estimated_delivery_date,
        -- Of an order with numbered parcels, items without a number are in none of them.
        count(nullif(i.tracking_number, '')) OVER (PARTITION BY i.date, i.order_pk) AS numbered,
        max(nullif(i.shipping_company, '')) OVER (
            PARTITION BY i.date, i.order_pk, coalesce(nullif(i.tracking_number, ''), nullif(o.tracking_number, ''))
        ) AS any_carrier
    FROM orders.order_items AS i
    JOIN orders.orders AS o ON o.date = i.date AND o.pk = i.order_pk
),

parcels AS (
    SELECT
        date,
        order_pk,
        -- An item that names no carrier went with the others of its number.
        coalesce(carrier, any_carrier) AS carrier,
        tracking_number,
        count(*) AS items,
        max(delivered_date) AS delivered_at,
        min(estimated_delivery_date) AS promised_at
    FROM items
    WHERE tracking_number IS NOT NULL OR numbered = 0
    GROUP BY ALL
),

shipments AS (
    SELECT
        o.date,
        o.pk AS order_pk,
        row_number() OVER (
            PARTITION BY o.date, o.pk ORDER BY p.tracking_number, p.carrier
        ) AS parcel,
        coalesce(p.tracking_number, nullif(o.tracking_number, '')) AS tracking_number,
        coalesce(p.carrier, inf.carrier, nullif(cc.shipping_company, '')) AS carrier,
        o.cargo_company_pk,
        coalesce(p.items, 0) AS items,
        coalesce(inf.exchanges, 0) AS exchanges,
        coalesce(inf.accepted, 0) AS accepted,
        coalesce(s.shipped_at, inf.accepted_at) AS shipped_at,
        CASE
            WHEN s.shipped_at IS NOT NULL THEN 'order_status_history'
            WHEN inf.accepted_at IS NOT NULL THEN 'shipping_infos'
        END AS shipped_from,
        s.delivered_at AS order_delivered_at,
        p.delivered_at AS parcel_delivered_at,
        count(*) OVER (PARTITION BY o.date, o.pk) > 1 AS is_one_of_several,
        coalesce(p.promised_at, try_cast(o.delivery_range ->> '$.end' AS TIMESTAMPTZ)) AS promised_at
    FROM orders.orders AS o
    LEFT JOIN {statuses} AS st ON st.status = o.status
    LEFT JOIN seen AS s ON s.date = o.date AND s.order_pk = o.pk
    LEFT JOIN infos AS inf ON inf.date = o.date AND inf.order_pk = o.pk
    LEFT JOIN parcels AS p ON p.date = o.date AND p.order_pk = o.pk
    LEFT JOIN history.cargo_companies AS cc ON cc.date = o.date AND cc.pk = o.cargo_company_pk
    WHERE
        inf.accepted > 0
        OR s.was_shipped
        OR st.leg IN ('shipped', 'under_way')
        OR coalesce(p.tracking_number, nullif(o.tracking_number, '')) IS NOT NULL
),

dated AS (
    SELECT
        *,
        CASE
            WHEN is_one_of_several THEN coalesce(parcel_delivered_at, order_delivered_at)
            ELSE coalesce(order_delivered_at, parcel_delivered_at)
        END AS delivered_at,
        CASE
            WHEN parcel_delivered_at IS NOT NULL AND (is_one_of_several OR order_delivered_at IS NULL) THEN 'order_items'
            WHEN order_delivered_at IS NOT NULL THEN 'order_status_history'
        END AS delivered_from
    FROM shipments
)

SELECT
    s.date,
    s.date AS order_date,
    s.order_pk,
    s.parcel,
    s.tracking_number,
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
    s.items,
    s.exchanges,
    s.accepted,
    f.placed_at,
    s.shipped_at,
    CAST(s.shipped_at AT TIME ZONE {business_zone} AS DATE) AS shipped_date,
    s.shipped_from,
    s.delivered_at,
    CAST(s.delivered_at AT TIME ZONE {business_zone} AS DATE) AS delivery_date,
    s.delivered_from,
    s.promised_at,
    CAST(s.promised_at AT TIME ZONE {business_zone} AS DATE) AS promised_date,
    s.delivered_at > s.promised_at AS is_late,
    epoch(s.shipped_at - f.placed_at) / 3600 AS hours_to_ship,
    epoch(s.delivered_at - s.shipped_at) / 3600 AS hours_in_transit,
    epoch(s.delivered_at - f.placed_at) / 3600 AS hours_to_deliver
FROM dated AS s
JOIN marts.fct_orders AS f ON f.date = s.date AND f.order_pk = s.order_pk
