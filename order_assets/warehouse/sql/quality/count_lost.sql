-- How many rows each reference of a mart loses, all of them in one look.
SELECT {counts}
FROM {mart} AS m
WHERE {days}
