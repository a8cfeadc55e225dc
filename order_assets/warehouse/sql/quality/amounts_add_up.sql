-- How far items, shipping and discounts are from the order amount, per day and currency. Orders whose items were
-- never sent say nothing about it.
SELECT
    date AS day,
    currency,
    count(*) AS orders,
    count(*) FILTER (WHERE difference <> 0) AS orders_off,
    min(difference) AS least,
    quantile_disc(difference, 0.05) AS p05,
    quantile_disc(difference, 0.5) AS median,
    quantile_disc(difference, 0.95) AS p95,
    max(difference) AS most,
    count(*) FILTER (WHERE difference <> 0 AND difference = discount) AS without_discounts,
    count(*) FILTER (WHERE difference <> 0 AND difference = interest) AS with_interest,
    list_sort(list(order_pk) FILTER (WHERE difference <> 0))[:5] AS examples
FROM (
    SELECT
        date,
        order_pk,
        currency,
        coalesce(discount_amount, 0) AS discount,
        coalesce(installment_interest_amount, 0) AS interest,
        amount - (items_amount + coalesce(shipping_amount, 0) - coalesce(discount_amount, 0)) AS difference
    FROM marts.fct_orders
    WHERE {days} AND items > 0 AND amount IS NOT NULL
)
GROUP BY date, currency
ORDER BY date, currency
