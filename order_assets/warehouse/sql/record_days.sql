INSERT INTO meta.days (date, loaded_at, rows, contract_version)
SELECT unnest($days), now(), unnest($rows), $contract_version
