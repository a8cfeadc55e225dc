-- Groups that are on one side only: in agg_daily_sales, or in fct_orders added up.
WITH made AS (
    SELECT * EXCLUDE (order_date, channel_name)
    FROM marts.agg_daily_sales
    WHERE {days}
),

orders AS (
    SELECT
        date,
        channel_pk,
        currency,
        status_group,
        is_sale,
        count(*) AS order_count,
        count(*) FILTER (WHERE is_sale) AS sale_count,
        count(*) AS orders,
        sum(items) AS items,
        sum(quantity) AS quantity,
        sum(returned_quantity) AS returned_quantity,
        sum(quantity_net) AS quantity_net,
        sum(gross_sales) AS gross_sales,
        sum(order_discount) AS order_discount,
        sum(canceled_sales) AS canceled_sales,
        sum(returned_sales) AS returned_sales,
        sum(net_sales) AS net_sales,
        sum(net_sales_excl_tax) AS net_sales_excl_tax,
        sum(tax_amount) AS tax_amount,
        sum(shipping_income) AS shipping_income,
        sum(total_sales) AS total_sales,
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
)

SELECT DISTINCT date AS day, channel_pk, currency, status_group
FROM ((FROM made EXCEPT FROM orders) UNION ALL (FROM orders EXCEPT FROM made))
ORDER BY ALL
