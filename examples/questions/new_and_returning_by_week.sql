-- Sales of new and of returning customers by week; empty where nobody knows which they are.
SELECT date_trunc('week', order_date) AS week, is_new_customer, currency, count(*) AS sales, sum(net_sales) AS net_sales
FROM marts.fct_orders
WHERE is_sale
GROUP BY ALL
ORDER BY ALL
