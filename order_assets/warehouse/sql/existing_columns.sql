-- The tables that the warehouse file has, one row per column in order.
SELECT
    t.schema_name,
    t.table_name,
    coalesce(t.comment, '') AS table_comment,
    c.column_name,
    c.data_type,
    NOT c.is_nullable AS required,
    coalesce(c.comment, '') AS column_comment
FROM duckdb_tables() AS t
JOIN duckdb_columns() AS c USING (database_name, schema_name, table_name)
WHERE t.database_name = current_database() AND t.schema_name IN ('orders', 'history', 'meta')
ORDER BY t.schema_name, t.table_name, c.column_index
