-- The views that this room made: they show one table of their own name. Other people's views are left alone.
SELECT view_name, regexp_extract(sql, ' AS SELECT \* FROM "?(orders|meta)"?\.', 1) AS source
FROM duckdb_views()
WHERE
    database_name = current_database()
    AND schema_name = 'main'
    AND NOT internal
    AND regexp_extract(sql, ' AS SELECT \* FROM "?(orders|meta)"?\."?([^".]+)"?;$', 2) = view_name
