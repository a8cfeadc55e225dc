-- What was masked where the contract does not name it: how many values of which path, day by day.
CREATE OR REPLACE VIEW meta.masked_values AS
WITH masked AS (
    SELECT
        date,
        unnest(
            from_json(
                masked_paths, '[{"document": "VARCHAR", "path": "VARCHAR", "kind": "VARCHAR", "count": "BIGINT"}]'
            )
        ) AS found
    FROM meta.order_ledger
    WHERE masked_paths <> '[]'
)

SELECT
    date,
    found.document AS document,
    found.path AS path,
    found.kind AS kind,
    CAST(sum(found.count) AS BIGINT) AS masked,
    count(*) AS orders
FROM masked
GROUP BY ALL
