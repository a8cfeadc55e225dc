-- Both sides of each sum, for groups that differ in any of them.
SELECT
    coalesce(a.date, f.date) AS day,
    coalesce(a.channel_pk, f.channel_pk) AS channel_pk,
    coalesce(a.currency, f.currency) AS currency,
    coalesce(a.status_group, f.status_group) AS status_group
FROM (
    SELECT
        date,
        channel_pk,
        currency,
        status_group,
        is_sale,
        orders,
        items,
        quantity,
        gross_amount,
        discount_amount,
        shipping_amount,
        amount,
        refunded_amount,
        net_amount,
        items_amount,
        paid_amount
    FROM marts.agg_daily_sales
    WHERE {days}
) AS a
FULL JOIN (
    SELECT
        date,
        channel_pk,
        currency,
        status_group,
        is_sale,
        count(*) AS orders,
        sum(items) AS items,
        sum(quantity) AS quantity,
        sum(gross_amount) AS gross_amount,
        sum(discount_amount) AS discount_amount,
        sum(shipping_amount) AS shipping_amount,
        sum(amount) AS amount,
        sum(refunded_amount) AS refunded_amount,
        sum(net_amount) AS net_amount,
        sum(items_amount) AS items_amount,
        sum(paid_amount) AS paid_amount
    FROM marts.fct_orders
    WHERE {days}
    GROUP BY date, channel_pk, currency, status_group, is_sale
) AS f
    ON f.date = a.date
    AND f.channel_pk IS NOT DISTINCT FROM a.channel_pk
    AND f.currency IS NOT DISTINCT FROM a.currency
    AND f.status_group = a.status_group
    AND f.is_sale = a.is_sale
WHERE
    a.orders IS DISTINCT FROM f.orders
    OR a.items IS DISTINCT FROM f.items
    OR a.quantity IS DISTINCT FROM f.quantity
    OR a.gross_amount IS DISTINCT FROM f.gross_amount
    OR a.discount_amount IS DISTINCT FROM f.discount_amount
    OR a.shipping_amount IS DISTINCT FROM f.shipping_amount
    OR a.amount IS DISTINCT FROM f.amount
    OR a.refunded_amount IS DISTINCT FROM f.refunded_amount
    OR a.net_amount IS DISTINCT FROM f.net_amount
    OR a.items_amount IS DISTINCT FROM f.items_amount
    OR a.paid_amount IS DISTINCT FROM f.paid_amount
ORDER BY ALL
