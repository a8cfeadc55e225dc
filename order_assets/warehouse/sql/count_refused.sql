SELECT {counts}
FROM read_parquet($files, hive_partitioning = false)
GROUP BY file_index
ORDER BY file_index
