CREATE OR REPLACE VIEW {view} AS
SELECT {columns}, valid_from, lead(valid_from) OVER (PARTITION BY {key} ORDER BY valid_from) AS valid_to
FROM (SELECT {columns}, {valid_from} AS valid_from FROM {history} QUALIFY {is_version})
