-- Rows whose reference leads nowhere, per day; a mart without days has one row without a day.
SELECT
    {day} AS day,
    count(*) AS rows,
    count(DISTINCT ({columns},)) AS values,
    min(concat_ws(', ', {example})) AS example,
    arg_min(concat_ws(', ', {columns}), concat_ws(', ', {example})) AS named
FROM {mart} AS m
WHERE
    {days}
    AND {first} IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM {target} AS t WHERE {matches})
GROUP BY ALL
-- Without days there is one group, also where no row is lost.
HAVING count(*) > 0
