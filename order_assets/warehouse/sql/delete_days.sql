-- The range lets whole row groups be skipped; the list says which days inside it are meant.
DELETE FROM {table} WHERE date BETWEEN $first AND $last AND list_contains($days, date)
