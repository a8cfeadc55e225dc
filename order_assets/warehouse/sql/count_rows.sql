SELECT {schema_text} AS schema, {table_text} AS name, count(*) AS rows FROM {table}
