-- Items of which a quantity is given that cannot be read, and what it is in place of a number of units; and items
-- without a quantity under the key that is set, but with a number under another that is called like one.
SELECT day, order_pk, item_pk, if(other_key <> '' AND quantity IS NOT NULL, 'another key: ' || other_key, given) AS given
FROM (
    SELECT
        m.date AS day,
        m.order_pk,
        m.item_pk,
        m.quantity,
        CASE json_type(i.attributes, {quantity_path})
            WHEN 'VARCHAR' THEN 'a text'
            WHEN 'NULL' THEN 'null'
            WHEN 'BOOLEAN' THEN 'true or false'
            WHEN 'OBJECT' THEN 'an object'
            WHEN 'ARRAY' THEN 'a list'
            ELSE if(json_type(i.attributes, {quantity_path}) IS NULL, 'attributes that are no object', 'a number')
        END AS given,
        CASE
            WHEN json_type(i.attributes, {quantity_path}) IS NULL
                THEN regexp_extract(
                    i.attributes, '"(adet|adedi|miktar|miktari|quantity|qty|units?|pieces?)" *: *"?[0-9]', 1, 'i'
                )
        END AS other_key
    FROM marts.fct_order_items AS m
    JOIN orders.order_items AS i ON i.date = m.date AND i.pk = m.item_pk AND i.order_pk = m.order_pk
    WHERE m.date BETWEEN $first AND $last AND list_contains($days, m.date)
)
WHERE quantity IS NULL OR other_key <> ''
ORDER BY day, order_pk, item_pk
