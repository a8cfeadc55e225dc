-- One row: what the headline shows beside the sales.
SELECT
    (SELECT count(*) FROM marts.fct_orders) AS orders,
    (SELECT count(*) FROM marts.fct_orders WHERE status_group = 'deleted') AS deleted,
    (SELECT count(DISTINCT date) FROM marts.fct_orders) AS days,
    (SELECT count(*) FROM marts.fct_payments WHERE payment_kind = 'credit_card') AS card_attempts,
    (SELECT count(*) FROM marts.fct_payments WHERE payment_kind = 'credit_card' AND succeeded) AS card_succeeded,
    (SELECT count(hours_to_deliver) FROM marts.fct_shipments WHERE hours_to_deliver >= 0) AS deliveries,
    (SELECT median(hours_to_deliver) FROM marts.fct_shipments WHERE hours_to_deliver >= 0) AS median_hours
