DELETE FROM meta.marts WHERE name = $name
