-- Rows of each day and a digest of all their values, which does not depend on the order of the rows.
SELECT {table_text} AS name, date, count(*) AS rows, bit_xor(hash({columns})) AS digest
FROM {table}
WHERE date BETWEEN $first AND $last AND list_contains($days, date)
GROUP BY date
