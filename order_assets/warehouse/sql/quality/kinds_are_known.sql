-- Movements of kinds that are not known to move money, by table and kind. A kind is shown where it looks like one.
SELECT
    date AS day,
    source,
    CASE WHEN regexp_full_match(kind, '[a-z][a-z_ -]{{0,39}}') THEN kind ELSE '(not a word)' END AS shown_kind,
    count(*) AS rows,
    min(order_pk) AS order_pk,
    arg_min(position, order_pk) AS position
FROM marts.money_movements
WHERE effect = 'none' AND {days}
GROUP BY date, source, shown_kind
ORDER BY date, rows DESC, source, shown_kind
