-- Tax in the net sales by rate and month; empty while nobody said whether prices include tax.
SELECT
    date_trunc('month', order_date) AS month, tax_rate, currency,
    sum(net_sales_excl_tax) AS net_sales_excl_tax, sum(tax_amount) AS tax
FROM marts.fct_order_items
WHERE is_sale
GROUP BY ALL
ORDER BY ALL
