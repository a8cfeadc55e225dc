-- Ranks of the status codes in the life of an order. Codes of no rank are left out: orders go into a cancellation
-- from anywhere, come back from one that was refused, and nobody knows where unknown codes stand. A cancellation
-- that is through is the end.
WITH ranked AS (
    SELECT
        date,
        order_pk,
        observed_at,
        status,
        CASE
            WHEN status IN ('200', '300') THEN 1
            WHEN status = '350' THEN 2
            WHEN status = '400' THEN 3
            WHEN status = '450' THEN 4
            WHEN status IN ('500', '510', '520', '540') THEN 5
            WHEN status = '550' THEN 6
            WHEN status IN ('544', '545', '546', '547') THEN 7
            WHEN status = '600' THEN 8
            WHEN status = '100' THEN 9
        END AS rank
    FROM orders.order_status_history
    WHERE {days}
),

steps AS (
    SELECT
        date,
        order_pk,
        status,
        rank,
        lag(status) OVER (PARTITION BY date, order_pk ORDER BY observed_at) AS status_before,
        lag(rank) OVER (PARTITION BY date, order_pk ORDER BY observed_at) AS rank_before
    FROM ranked
    WHERE rank IS NOT NULL
)

SELECT date AS day, status_before, status, count(DISTINCT order_pk) AS orders, min(order_pk) AS example
FROM steps
WHERE rank < rank_before
GROUP BY date, status_before, status
ORDER BY date, orders DESC, status_before, status
