-- The state of a day is said by its ledger, which is loaded before.
INSERT INTO meta.days BY NAME
SELECT
    d.date,
    now() AS loaded_at,
    d.rows,
    $contract_version AS contract_version,
    $code_version AS code_version,
    CASE
        WHEN o.known < o.listed THEN NULL
        WHEN o.pending > 0 THEN 'pending'
        WHEN o.quarantined > 0 THEN 'quarantined'
        ELSE 'complete'
    END AS state,
    coalesce(o.listed, 0) AS listed,
    coalesce(o.landed, 0) AS landed,
    coalesce(o.tombstoned, 0) AS tombstoned,
    coalesce(o.quarantined, 0) AS quarantined,
    coalesce(o.pending, 0) AS pending
FROM (SELECT unnest($days) AS date, unnest($rows) AS rows) AS d
LEFT JOIN (
    SELECT
        date,
        count(*) AS listed,
        count(outcome) AS known,
        count(*) FILTER (WHERE outcome = 'landed') AS landed,
        count(*) FILTER (WHERE outcome = 'tombstoned') AS tombstoned,
        count(*) FILTER (WHERE outcome = 'quarantined') AS quarantined,
        count(*) FILTER (WHERE outcome = 'pending') AS pending
    FROM (
        SELECT date, {outcome} AS outcome FROM meta.order_ledger
        WHERE date BETWEEN $first AND $last AND list_contains($days, date)
    )
    GROUP BY date
) AS o ON o.date = d.date
