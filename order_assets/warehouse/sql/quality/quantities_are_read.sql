-- Items of which a quantity is given that cannot be read, and what it is in place of a number of units.
SELECT
    m.date AS day,
    m.order_pk,
    m.item_pk,
    CASE json_type(i.attributes, '$.quantity')
        WHEN 'VARCHAR' THEN 'a text'
        WHEN 'NULL' THEN 'null'
        WHEN 'BOOLEAN' THEN 'true or false'
        WHEN 'OBJECT' THEN 'an object'
        WHEN 'ARRAY' THEN 'a list'
        ELSE if(json_type(i.attributes, '$.quantity') IS NULL, 'attributes that are no object', 'a number')
    END AS given
FROM marts.fct_order_items AS m
JOIN orders.order_items AS i ON i.date = m.date AND i.pk = m.item_pk AND i.order_pk = m.order_pk
WHERE m.quantity IS NULL AND m.date BETWEEN $first AND $last AND list_contains($days, m.date)
ORDER BY m.date, m.order_pk, m.item_pk
