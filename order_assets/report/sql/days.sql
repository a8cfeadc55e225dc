-- What became of the listed orders of each day, from the index and the ledgers as they lie on disk.
WITH listed AS (
    SELECT unnest($days) AS day, unnest($orders) AS listed
),

landed AS (
    SELECT
        date AS day,
        count(*) FILTER (WHERE outcome IN ('landed', 'tombstoned')) AS landed,
        count(*) FILTER (WHERE outcome = 'quarantined') AS quarantined,
        count(*) FILTER (WHERE outcome = 'pending') AS pending,
        coalesce(sum(requests), 0)::BIGINT AS requests,
        coalesce(sum(retries), 0)::BIGINT AS retries
    FROM read_parquet($ledgers, union_by_name = true, hive_partitioning = true, hive_types = {'date': DATE})
    WHERE date BETWEEN $first AND $last
    GROUP BY ALL
)

SELECT
    coalesce(i.day, l.day) AS day,
    coalesce(i.listed, 0) AS listed,
    coalesce(l.landed, 0) AS landed,
    coalesce(l.quarantined, 0) AS quarantined,
    coalesce(l.pending, 0) AS pending,
    coalesce(l.requests, 0) AS requests,
    coalesce(l.retries, 0) AS retries,
    l.day IS NOT NULL AS is_landed
FROM listed AS i
FULL JOIN landed AS l ON l.day = i.day
ORDER BY day
