-- How far prices are reduced, and what discounts take off on top, in percent.
SELECT
    currency,
    round(100 * sum(retail_price - price) / sum(retail_price), 1) AS markdown,
    round(100 * sum(order_discount) / sum(gross_sales), 1) AS discount_depth
FROM marts.fct_order_items
WHERE is_sale
GROUP BY ALL
