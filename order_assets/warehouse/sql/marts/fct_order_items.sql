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
    -- A row stands for one unit, unless items were merged; how many is then among the attributes.
    coalesce(try_cast(i.attributes ->> '$.quantity' AS DECIMAL(18, 3)), 1) AS quantity,
    i.retail_price,
    i.price,
    i.discount_amount,
    i.price - coalesce(i.discount_amount, 0) AS net_amount,
    i.tax_rate,
    coalesce(d.discounts, 0) AS discounts,
    i.delivered_date AS delivered_at
FROM orders.order_items AS i
JOIN orders.orders AS o ON o.date = i.date AND o.pk = i.order_pk
LEFT JOIN (
    SELECT date, order_pk, order_item_pk, count(DISTINCT discount_item_pk) AS discounts
    FROM orders.discount_applicants
    WHERE role = 'benefit'
    GROUP BY date, order_pk, order_item_pk
) AS d ON d.date = i.date AND d.order_pk = i.order_pk AND d.order_item_pk = i.pk
