-- A draft that is not finished is thrown away, so it needs no write-ahead log.
ATTACH {path} AS warehouse (RECOVERY_MODE 'no_wal_writes')
