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
