SELECT count(*) AS keys, coalesce(sum(rows - 1), 0)::BIGINT AS too_many
FROM (
    SELECT count(*) AS rows
    FROM {mart}
    WHERE {days}
    GROUP BY {key}
    HAVING count(*) > 1
)
