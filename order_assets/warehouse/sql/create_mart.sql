-- Sorted, so that the rows of a day lie together.
CREATE TABLE {mart} AS
SELECT * FROM (
{select}
) AS mart
ORDER BY {key}
