-- Of the units that were delivered the share that came back, by what the variants of a product have in common.
SELECT
    p.base_code,
    sum(i.quantity) AS delivered,
    sum(i.returned_quantity) AS returned,
    round(100 * sum(i.returned_quantity) / sum(i.quantity), 1) AS return_rate
FROM marts.fct_order_items AS i
JOIN marts.dim_products AS p USING (product_sku)
WHERE i.is_sale AND NOT i.is_canceled AND i.delivered_at IS NOT NULL
GROUP BY ALL
