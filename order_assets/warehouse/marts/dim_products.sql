/* ---
description: Products that orders have, under their newest names
grain: one row per stock keeping unit
key: [product_sku]
refresh: whole
columns:
  product_sku: Stock keeping unit
  product_pk: Product key
  base_code: Base code, which the variants of a product have in common
  product_name: Newest name
  first_sold: Day of the first sale among the loaded days
  last_sold: Day of the newest sale
--- */
-- The newest that is not empty, of the orders in which they were placed.
SELECT
    product_sku,
    arg_max(product_pk, (placed_at, item_pk)) AS product_pk,
    arg_max(product_base_code, (placed_at, item_pk)) AS base_code,
    arg_max(product_name, (placed_at, item_pk)) AS product_name,
    min(order_date) FILTER (WHERE is_sale) AS first_sold,
    max(order_date) FILTER (WHERE is_sale) AS last_sold
FROM marts.fct_order_items
WHERE product_sku IS NOT NULL
GROUP BY product_sku
