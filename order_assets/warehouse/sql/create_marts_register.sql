CREATE TABLE IF NOT EXISTS meta.marts (name VARCHAR NOT NULL, definition VARCHAR NOT NULL);
COMMENT ON TABLE meta.marts IS 'Marts that were made here. Grain: one row per mart';
COMMENT ON COLUMN meta.marts.name IS 'Mart, in the schema marts';
COMMENT ON COLUMN meta.marts.definition IS 'Digest of its SELECT, comments and types: when it changes, the mart is made anew'
