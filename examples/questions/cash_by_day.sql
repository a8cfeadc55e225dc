-- What came in and went out on which day? Money of marketplaces is not ours to see, so it is left out.
SELECT day, currency, sum(captured_amount) AS captured, sum(refunded_amount) AS refunded, sum(net_cash) AS net_cash
FROM marts.agg_daily_cash
WHERE net_cash IS NOT NULL
GROUP BY ALL ORDER BY ALL
