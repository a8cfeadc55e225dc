-- A card is named by the order, not by the transaction, so only card transactions get it.
WITH attempts AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY date, order_pk, source, kind ORDER BY created_at NULLS LAST, position
        ) AS attempt_number
    FROM marts.money_movements
    WHERE effect IN ('take', 'reserve')
),

numbered AS (
    SELECT
        *,
        min(CASE WHEN succeeded THEN attempt_number END) OVER (
            PARTITION BY date, order_pk, source, kind
        ) - 1 AS retries_until_success
    FROM attempts
)

SELECT
    a.date,
    a.order_pk,
    a.source,
    a.position,
    a.transaction_pk,
    o.channel_pk,
    o.customer_pk,
    y.payment_type AS payment_kind,
    a.kind,
    a.created_at AS attempted_at,
    a.attempt_number,
    a.succeeded,
    a.retries_until_success,
    a.amount,
    -- An authorisation only reserves what a purchase takes later.
    CASE WHEN a.succeeded AND a.effect = 'take' THEN a.amount ELSE 0 END AS captured_amount,
    a.currency,
    a.is_order_currency,
    a.pos_pk,
    a.pos_slug,
    p.name AS pos_name,
    p.gateway,
    CASE WHEN a.source = 'transactions' THEN o.installment_count END AS installment_count,
    c.name AS card,
    t.name AS card_type,
    b.name AS bank,
    a.status_group,
    a.is_sale
FROM numbered AS a
JOIN orders.orders AS o ON o.date = a.date AND o.pk = a.order_pk
LEFT JOIN {payment_types} AS y ON y.source = a.source
LEFT JOIN history.pos AS p ON p.date = a.date AND p.pk = a.pos_pk
LEFT JOIN history.installments AS n ON n.date = a.date AND n.pk = o.installment_pk AND a.source = 'transactions'
LEFT JOIN history.cards AS c ON c.date = a.date AND c.pk = n.card_pk
LEFT JOIN history.card_types AS t ON t.date = a.date AND t.pk = c.card_type_pk
LEFT JOIN history.banks AS b ON b.date = a.date AND b.pk = c.bank_pk
