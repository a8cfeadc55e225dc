/* ---
description: What each status code means; those that are not known are there as far as orders or items have them
grain: one row per status code
key: [status]
refresh: whole
columns:
  status: Status code, a number as text
  name: Name of the status code
  status_group: 'Group: canceled, waiting, in_progress, inactive, on_the_way, delivered, refunded; other for codes that
    are not known'
  rank: 'Place in the life of an order; empty where orders come to it and leave it in any direction'
  is_sale: 'Whether an order in it counts as sold: not waiting, canceled or inactive; a cancellation that is only asked
    for is a sale still. An order that the shop deleted is none, whatever its status'
  is_open: Whether something may still happen to an order in it
  is_final: Whether orders in it are left alone
  is_known: Whether the code is declared in the contract; others count as open sales
--- */
SELECT
    coalesce(s.status, o.status) AS status,
    coalesce(s.name, o.name) AS name,
    coalesce(s.status_group, 'other') AS status_group,
    s.rank,
    coalesce(s.is_sale, true) AS is_sale,
    coalesce(s.is_open, true) AS is_open,
    coalesce(s.is_final, false) AS is_final,
    s.status IS NOT NULL AS is_known
FROM {statuses} AS s
FULL JOIN (
    SELECT status, max(status_display) AS name
    FROM (
        SELECT status, status_display FROM orders.orders
        UNION ALL
        SELECT status, status_display FROM orders.order_items
    )
    WHERE status IS NOT NULL
    GROUP BY status
) AS o ON o.status = s.status
