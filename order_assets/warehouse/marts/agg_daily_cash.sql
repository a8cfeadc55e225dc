/* ---
description: 'Money by the day that it moved on: what payments brought in and what went back'
grain: one row per day, currency and means of payment
key: [day, currency, payment_method]
refresh: whole
references:
  day: marts.dim_dates
columns:
  day: Day that the money moved on, in the business time zone (payment_date, refund_date)
  currency: Currency of the amounts, ISO 4217 in lower case
  payment_method: Means of payment; marketplace and the like show refunds only
  payments: Payments that brought in money
  refunds: Refunds, none twice that moved in another currency
  captured_amount: What payments brought in; empty for means whose payments nobody shows
  refunded_amount: What went back
  net_cash: What came in without what went back; empty where one of them is not known
--- */
-- Amounts that are expected, reserved or not known are of no day: they are in fct_payments.
WITH moved AS (
    SELECT
        payment_date AS day,
        currency,
        payment_method,
        1 AS payments,
        0 AS refunds,
        captured_amount,
        0 AS refunded_amount,
        true AS is_shown
    FROM marts.fct_payments
    WHERE capture_state = 'captured'
    UNION ALL
    SELECT
        r.refund_date,
        r.currency,
        r.payment_method,
        0,
        1,
        0,
        r.amount,
        y.source IS NOT NULL
    FROM marts.fct_refunds AS r
    LEFT JOIN {payment_types} AS y ON y.payment_type = r.payment_method
    WHERE NOT r.is_restated
)

SELECT
    day,
    currency,
    payment_method,
    CAST(sum(payments) AS BIGINT) AS payments,
    CAST(sum(refunds) AS BIGINT) AS refunds,
    TRY_CAST(CASE WHEN bool_and(is_shown) THEN sum(captured_amount) END AS DECIMAL(18, 2)) AS captured_amount,
    TRY_CAST(sum(refunded_amount) AS DECIMAL(18, 2)) AS refunded_amount,
    TRY_CAST(CASE WHEN bool_and(is_shown) THEN sum(captured_amount - refunded_amount) END AS DECIMAL(18, 2)) AS net_cash
FROM moved
GROUP BY day, currency, payment_method
