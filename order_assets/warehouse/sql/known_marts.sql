-- The marts that were made here, and of what. Tables beside them in the schema may be somebody else's.
SELECT m.name, m.definition
FROM meta.marts AS m
JOIN duckdb_tables() AS t ON t.table_name = m.name
WHERE t.database_name = current_database() AND t.schema_name = 'marts'
