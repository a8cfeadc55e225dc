-- The files are given in the order of their days.
INSERT INTO {table} (date, {columns})
SELECT ($days)[file_index::BIGINT + 1], {columns}
FROM read_parquet($files, hive_partitioning = false, union_by_name = {by_name})
