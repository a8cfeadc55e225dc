-- How many hours is a parcel on its way, by carrier and city? The middle one, and that nine in ten do not exceed.
SELECT
    carrier,
    city,
    count(*) AS parcels,
    median(hours_in_transit) AS median_hours,
    quantile_cont(hours_in_transit, 0.9) AS p90_hours
FROM marts.fct_shipments
WHERE hours_in_transit IS NOT NULL
GROUP BY ALL ORDER BY ALL
