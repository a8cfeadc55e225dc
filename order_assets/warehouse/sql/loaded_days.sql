SELECT date FROM meta.days ORDER BY date
