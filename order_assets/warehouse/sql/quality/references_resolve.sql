SELECT count(*) AS rows, count(DISTINCT ({columns},)) AS values
FROM {mart} AS m
WHERE
    {days}
    AND {first} IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM {target} AS t WHERE {matches})
