-- Names and types of the columns of each file, in the file's order. The root of a file's schema has no type.
SELECT file_name, list(name ORDER BY column_id), list(duckdb_type ORDER BY column_id)
FROM parquet_schema($files)
WHERE num_children IS NULL
GROUP BY file_name
