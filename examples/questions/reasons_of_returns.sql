-- Why goods came back, or were canceled before: only what was carried out.
SELECT plan_type, reason, currency, count(*) AS items, sum(quantity) AS units, sum(amount) AS amount
FROM marts.fct_returns
WHERE is_carried_out
GROUP BY ALL
ORDER BY ALL
