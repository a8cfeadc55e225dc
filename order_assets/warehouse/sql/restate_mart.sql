-- What other days can change is brought up to date on all of them; only rows that differ are written.
UPDATE {mart} AS m SET {columns}
FROM {source} AS s
WHERE {matches} AND ({differs})
