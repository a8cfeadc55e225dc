SELECT
    i.date,
    i.order_pk,
    i.pk AS item_pk,
    i.position,
    o.date_placed AS placed_at,
    o.channel_pk,
    o.customer_pk,
    i.product_pk,
    i.product_sku,
    i.product_base_code,
    i.product_name,
    i.status,
    i.status_display,
    i.cancel_status,
    lower(coalesce(nullif(i.price_currency, ''), o.currency)) AS currency,
    nullif(i.price_currency, '') IS NULL
    OR lower(i.price_currency) IS NOT DISTINCT FROM lower(o.currency) AS is_order_currency,
    CASE
        -- A row stands for one unit, unless items were merged; how many is then among the attributes.
        WHEN i.given_quantity IS NULL THEN 1
        -- Nothing is made of what is not a number of units, less than a million: neither 1 nor what may be meant.
        WHEN
            regexp_full_match(i.given_quantity, '"? *[0-9]{{1,6}}([.][0-9]{{1,3}}0*)? *"?')
            THEN nullif(CAST(trim(i.given_quantity, '" ') AS DECIMAL(18, 3)), 0)
    END AS quantity,
    i.retail_price,
    i.price,
    i.discount_amount,
    i.price - coalesce(i.discount_amount, 0) AS net_amount,
    i.tax_rate,
    coalesce(d.discounts, 0) AS discounts,
    i.delivered_date AS delivered_at,
    CASE
        WHEN o.tombstoned_at IS NOT NULL THEN 'deleted'
        WHEN s.status = o.status THEN s.status_group
        ELSE 'other'
    END AS status_group,
    CASE
        WHEN o.tombstoned_at IS NOT NULL THEN false
        WHEN s.status = o.status THEN s.is_sale
        ELSE true
    END AS is_sale
FROM (
    SELECT
        *,
        coalesce(
            attributes -> '$.quantity',
            -- Attributes that are no object can hold it all the same, in a form that nobody knows.
            CASE WHEN attributes NOT LIKE '{{%' AND contains(attributes, 'quantity') THEN attributes END
        )::VARCHAR AS given_quantity
    FROM orders.order_items
) AS i
JOIN orders.orders AS o ON o.date = i.date AND o.pk = i.order_pk
LEFT JOIN (
    SELECT date, order_pk, order_item_pk, count(DISTINCT discount_item_pk) AS discounts
    FROM orders.discount_applicants
    WHERE role = 'benefit'
    GROUP BY date, order_pk, order_item_pk
) AS d ON d.date = i.date AND d.order_pk = i.order_pk AND d.order_item_pk = i.pk
LEFT JOIN {statuses} AS s ON s.status = o.status
