-- Ranks of the status codes in the life of an order. Codes of no rank are left out: orders go into a cancellation
-- from anywhere, come back from one that was refused, and nobody knows where unknown codes stand. A cancellation
-- that is through is the end.
WITH ranked AS (
    SELECT h.date, h.order_pk, h.observed_at, h.status, known.rank
    FROM orders.order_status_history AS h
    JOIN {statuses} AS known ON known.status = h.status
    WHERE known.rank IS NOT NULL AND {days}
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
)

SELECT date AS day, status_before, status, count(DISTINCT order_pk) AS orders, min(order_pk) AS example
FROM steps
WHERE rank < rank_before
GROUP BY date, status_before, status
ORDER BY date, orders DESC, status_before, status
