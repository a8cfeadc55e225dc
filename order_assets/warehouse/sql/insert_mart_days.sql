-- The days reach the scans of everything that the mart reads, because it joins and groups by the day. The rows are
-- sorted, so that those of a day lie together.
INSERT INTO {mart}
SELECT * FROM (
{select}
) AS mart
WHERE date BETWEEN $first AND $last AND list_contains($days, date)
ORDER BY {key}
