-- What campaigns cost, and what the items that they were given on brought; an item of two campaigns counts for both.
SELECT
    d.promotion_name, d.currency, count(DISTINCT d.order_pk) AS sales,
    sum(d.allocated_amount) AS cost, sum(i.net_sales) AS net_sales
FROM marts.fct_order_discounts AS d
LEFT JOIN marts.fct_order_items AS i USING (item_pk)
WHERE d.is_sale
GROUP BY ALL
