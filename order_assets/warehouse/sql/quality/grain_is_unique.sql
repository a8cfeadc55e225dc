-- Keys that are there more than once, per day; a mart without days has one row without a day.
SELECT
    day,
    count(*) AS keys,
    sum(rows - 1)::BIGINT AS too_many,
    arg_min({{'key': example, 'order_pk': order_pk}}, example, 3) AS examples
FROM (
    SELECT
        {day} AS day,
        count(*) AS rows,
        concat_ws(', ', {example}) AS example,
        any_value({order_pk}) AS order_pk
    FROM {mart} AS m
    WHERE {days}
    GROUP BY {key}
    HAVING count(*) > 1
)
GROUP BY day
