-- Rows whose reference leads nowhere, per day; a mart without days has one row without a day.
SELECT
    {day} AS day,
    count(*) AS rows,
    count(DISTINCT ({columns},)) AS values,
    arg_min(
        {{'key': concat_ws(', ', {example}), 'named': concat_ws(', ', {columns}), 'order_pk': {order_pk}}},
        concat_ws(', ', {example}),
        3
    ) AS examples
FROM {mart} AS m
WHERE
    {days}
    AND {first} IS NOT NULL
    AND {leads_nowhere}
GROUP BY ALL
-- Without days there is one group, also where no row is lost.
HAVING count(*) > 0
