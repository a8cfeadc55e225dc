/* ---
description: Days without a gap, from the first that is loaded to a year ahead
grain: one row per day
key: [day]
refresh: whole
columns:
  day: Day in the business time zone
  iso_year: Year that the ISO week is counted to
  iso_week: ISO week, 1 to 53
  year: Year of the calendar
  quarter: Quarter, 1 to 4
  month: Month, 1 to 12
  month_start: First day of the month
  week_start: Monday of the week
  weekday: Day of the week, 1 for Monday to 7 for Sunday
  is_weekend: Whether it is a Saturday or a Sunday
  is_loaded: Whether the orders of that day are in the warehouse
--- */
SELECT
    c.day,
    isoyear(c.day) AS iso_year,
    weekofyear(c.day) AS iso_week,
    year(c.day) AS year,
    quarter(c.day) AS quarter,
    month(c.day) AS month,
    CAST(date_trunc('month', c.day) AS DATE) AS month_start,
    CAST(date_trunc('week', c.day) AS DATE) AS week_start,
    isodow(c.day) AS weekday,
    isodow(c.day) >= 6 AS is_weekend,
    d.date IS NOT NULL AS is_loaded
FROM (
    SELECT CAST(unnest(generate_series(first, last + INTERVAL 1 YEAR, INTERVAL 1 DAY)) AS DATE) AS day
    FROM (
        SELECT
            min(date) AS first,
            greatest(max(date), CAST(now() AT TIME ZONE {business_zone} AS DATE)) AS last
        FROM meta.days
    )
) AS c
LEFT JOIN meta.days AS d ON d.date = c.day
