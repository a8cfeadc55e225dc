-- Customers by how long ago, how often and for how much they bought, each in fifths; 5 is best.
SELECT
    c.customer_pk,
    m.currency,
    ntile(5) OVER (PARTITION BY m.currency ORDER BY c.days_since_last_sale DESC, c.customer_pk) AS recency,
    ntile(5) OVER (PARTITION BY m.currency ORDER BY m.sale_count, c.customer_pk) AS frequency,
    ntile(5) OVER (PARTITION BY m.currency ORDER BY m.net_sales, c.customer_pk) AS money
FROM marts.agg_customer_currency AS m
JOIN marts.dim_customers AS c USING (customer_pk)
WHERE m.sale_count > 0
