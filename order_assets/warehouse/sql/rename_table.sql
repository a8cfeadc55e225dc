ALTER TABLE {table} RENAME TO {table_name}
