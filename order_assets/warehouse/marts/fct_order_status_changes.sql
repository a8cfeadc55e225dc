/* ---
description: States that orders came into, as far as they were seen
grain: one row per change of the status of an order, the first state that was seen included
key: [date, order_pk, change_number]
refresh: days
references:
  date, order_pk: marts.fct_orders
columns:
  date: Day that the order was placed in, in the business time zone
  order_date: The same day, under the name that says so
  order_pk: Order (orders.pk)
  change_number: Which change of the order it is, counted from 1
  from_status: Status code before; empty for the first that was seen
  to_status: Status code after
  from_group: Group of the status before
  to_group: Group of the status after; other for codes that are not known
  reached_at: When the status was reached at the latest, UTC
  reached_date: That day, in the business time zone
  observed_at: When it was first seen, UTC
  hours_in_state: Hours until the next change was reached; empty for the last
  is_observed: 'Whether the change itself was seen: the first state may have been reached long before'
  is_history_observed: 'Whether the order was seen from its beginning, so that its way can be told: its first state was
    waiting or approved. Orders that were fetched later show their last states only'
--- */
WITH states AS (
    SELECT
        h.date,
        h.order_pk,
        h.status,
        coalesce(s.status_group, 'other') AS status_group,
        s.rank,
        least(h.modified_date, h.observed_at) AS reached_at,
        h.observed_at,
        row_number() OVER (
            PARTITION BY h.date, h.order_pk ORDER BY h.observed_at
        ) AS number,
        lag(h.status) OVER (
            PARTITION BY h.date, h.order_pk ORDER BY h.observed_at
        ) AS status_before,
        lag(coalesce(s.status_group, 'other')) OVER (
            PARTITION BY h.date, h.order_pk ORDER BY h.observed_at
        ) AS group_before
    FROM orders.order_status_history AS h
    JOIN {orders} AS o ON o.date = h.date AND o.pk = h.order_pk
    LEFT JOIN {statuses} AS s ON s.status = h.status
),

changes AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY date, order_pk ORDER BY observed_at) AS change_number,
        lead(reached_at) OVER (PARTITION BY date, order_pk ORDER BY observed_at) AS left_at,
        -- Ranks up to that of approved are of orders that nothing was done with yet.
        bool_or(number = 1 AND rank <= 3) OVER (PARTITION BY date, order_pk) AS is_history_observed
    FROM states
    WHERE number = 1 OR status IS DISTINCT FROM status_before
)

SELECT
    date,
    date AS order_date,
    order_pk,
    change_number,
    status_before AS from_status,
    status AS to_status,
    group_before AS from_group,
    status_group AS to_group,
    reached_at,
    CAST(reached_at AT TIME ZONE {business_zone} AS DATE) AS reached_date,
    observed_at,
    epoch(left_at - reached_at) / 3600 AS hours_in_state,
    number > 1 AS is_observed,
    coalesce(is_history_observed, false) AS is_history_observed
FROM changes
