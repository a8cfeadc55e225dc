-- The views that this room made; others in the schema are left alone.
SELECT view_name FROM duckdb_views()
WHERE database_name = current_database() AND schema_name = 'versions' AND contains(comment, 'every version, each since')
