SELECT date, loaded_at FROM meta.days ORDER BY date
