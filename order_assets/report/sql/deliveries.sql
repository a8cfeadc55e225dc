-- Hours from placing to delivery by carrier: the middle, the middle half and all but the outer tenths.
SELECT
    coalesce(carrier, 'unknown') AS carrier,
    count(hours_to_deliver) AS deliveries,
    quantile_cont(hours_to_deliver, 0.1) AS p10,
    quantile_cont(hours_to_deliver, 0.25) AS p25,
    quantile_cont(hours_to_deliver, 0.5) AS median,
    quantile_cont(hours_to_deliver, 0.75) AS p75,
    quantile_cont(hours_to_deliver, 0.9) AS p90
FROM marts.fct_shipments
WHERE hours_to_deliver >= 0
GROUP BY ALL
ORDER BY median, carrier
