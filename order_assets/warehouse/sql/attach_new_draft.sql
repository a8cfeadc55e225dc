-- An older DuckDB reads only what was written for it.
ATTACH {path} AS warehouse (RECOVERY_MODE 'no_wal_writes', STORAGE_VERSION {version})
