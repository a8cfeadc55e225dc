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
GROUP BY ALL;
COMMENT ON VIEW meta.masked_values IS 'Values masked where the contract does not name them. Grain: day, document, path, kind';
COMMENT ON COLUMN meta.masked_values.date IS 'Day of the orders';
COMMENT ON COLUMN meta.masked_values.document IS 'Document of the order: detail, items or discounts';
COMMENT ON COLUMN meta.masked_values.path IS 'Where in the document; [] stands for each element of a set';
COMMENT ON COLUMN meta.masked_values.kind IS 'What the values were taken for';
COMMENT ON COLUMN meta.masked_values.masked IS 'Values that were masked or left out';
COMMENT ON COLUMN meta.masked_values.orders IS 'Orders that had some'
