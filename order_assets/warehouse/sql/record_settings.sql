DELETE FROM meta.settings;
INSERT INTO meta.settings BY NAME
SELECT
    $time_zone AS time_zone,
    $first_day AS first_day,
    $prices_include_tax AS prices_include_tax,
    $quantity_attribute AS quantity_attribute,
    array_to_string(list_sort(list(DISTINCT split_part(privacy_policy, '/', 1))), ', ') AS privacy,
    $contract_version AS contract_version,
    $code_version AS code_version,
    now() AS made_at
FROM meta.order_ledger
