-- The same of the files that the days came from; without ORDER BY of any kind, since a digest has no order.
SELECT {table_text} AS name, ($days)[file_index::BIGINT + 1] AS date, count(*) AS rows, bit_xor(hash({columns})) AS digest
FROM read_parquet({files}, hive_partitioning = false)
GROUP BY ALL
