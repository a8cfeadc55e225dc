SELECT
    date,
    channel_pk,
    currency,
    status_group,
    is_sale,
    min(channel_name) AS channel_name,
    count(order_pk) AS orders,
    CAST(sum(items) AS BIGINT) AS items,
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
GROUP BY date, channel_pk, currency, status_group, is_sale
