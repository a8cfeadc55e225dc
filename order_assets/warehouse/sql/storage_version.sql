-- Such as v1.0.0+, which means from 1.0.0 until the next one that wrote otherwise.
SELECT tags['storage_version'] FROM duckdb_databases() WHERE database_name = 'warehouse'
