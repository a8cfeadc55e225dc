SELECT {table_text} AS name, date, count(*) AS rows FROM {table}
WHERE date BETWEEN $first AND $last AND list_contains($days, date)
GROUP BY date
