-- Orders of each day beside the median of the same weekday in the weeks before, as far as those days are loaded.
WITH loaded AS (
    SELECT d.date, coalesce(o.orders, 0) AS orders
    FROM meta.days AS d
    LEFT JOIN (
        SELECT date, count(*) AS orders
        FROM marts.fct_orders
        WHERE date BETWEEN $first - 7 * $weeks AND $last
        GROUP BY date
    ) AS o ON o.date = d.date
    WHERE d.date BETWEEN $first - 7 * $weeks AND $last
)

SELECT d.date AS day, d.orders, count(w.date) AS weeks, median(w.orders) AS usual
FROM loaded AS d
LEFT JOIN loaded AS w
    ON w.date < d.date
    AND w.date >= d.date - 7 * $weeks
    AND isodow(w.date) = isodow(d.date)
WHERE list_contains($days, d.date)
GROUP BY d.date, d.orders
ORDER BY d.date
