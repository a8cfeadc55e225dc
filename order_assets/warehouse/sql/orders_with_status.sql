-- Orders with what their status says: the one place where an order that is gone, or is in a code that is not known,
-- is put into a group and counted as a sale or not. An order that moved to another day is there on that day alone.
SELECT
    o.*,
    CASE
        WHEN o.tombstoned_at IS NOT NULL THEN 'deleted'
        WHEN s.status = o.status THEN s.status_group
        ELSE 'other'
    END AS status_group,
    CASE
        WHEN o.tombstoned_at IS NOT NULL THEN false
        WHEN s.status = o.status THEN s.is_sale
        ELSE true
    END AS is_sale
FROM orders.orders AS o
LEFT JOIN {statuses} AS s ON s.status = o.status
LEFT JOIN meta.superseded_orders AS n ON n.date = o.date AND n.order_pk = o.pk
WHERE n.order_pk IS NULL
