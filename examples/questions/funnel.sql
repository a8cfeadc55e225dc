-- How far did orders come, and how fast? Only orders that were seen from their beginning can tell.
SELECT
    count(DISTINCT order_pk) AS placed,
    count(DISTINCT order_pk) FILTER (WHERE to_group IN ('in_progress', 'on_the_way', 'delivered', 'refunded')) AS approved,
    count(DISTINCT order_pk) FILTER (WHERE to_group IN ('on_the_way', 'delivered', 'refunded')) AS shipped,
    count(DISTINCT order_pk) FILTER (WHERE to_group IN ('delivered', 'refunded')) AS delivered,
    median(hours_in_state) FILTER (WHERE to_group = 'in_progress') AS median_hours_in_a_state_before_shipping
FROM marts.fct_order_status_changes
WHERE is_history_observed
