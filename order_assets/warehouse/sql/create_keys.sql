-- Comma between the columns of one key.
CREATE OR REPLACE TABLE meta.keys AS
SELECT
    schema_name::VARCHAR AS schema_name,
    table_name::VARCHAR AS table_name,
    kind::VARCHAR AS kind,
    columns::VARCHAR AS columns,
    references_table::VARCHAR AS references_table,
    references_columns::VARCHAR AS references_columns
FROM {keys};
COMMENT ON COLUMN meta.keys.schema_name IS 'Schema of the table: orders or marts';
COMMENT ON COLUMN meta.keys.table_name IS 'Table or mart';
COMMENT ON COLUMN meta.keys.kind IS 'key: no two rows have the same in these columns; reference: they are found elsewhere';
COMMENT ON COLUMN meta.keys.columns IS 'Columns, with commas';
COMMENT ON COLUMN meta.keys.references_table IS 'Schema and table that a reference leads to';
COMMENT ON COLUMN meta.keys.references_columns IS 'Columns there, in the same order'
