/* ---
description: Ways to pay that channels offer, under their newest names
grain: one row per payment option
key: [payment_option_pk]
refresh: whole
references:
  channel_pk: marts.dim_channels
columns:
  payment_option_pk: Payment option (payment_options.pk)
  channel_pk: Sales channel that offers it (channels.pk)
  name: Name
  slug: Slug of today; orders keep the one of their day
  payment_option_type: Kind of payment
  collected: 'When the money of such payments is there: at once, on approval of the order, on delivery, or unknown for
    those that show no payments'
  is_active: Whether it is offered
--- */
SELECT
    o.pk AS payment_option_pk,
    o.channel_pk,
    o.name,
    o.slug,
    o.payment_type AS payment_option_type,
    CASE WHEN y.source IS NULL THEN 'unknown' ELSE coalesce('on ' || y.collected, 'at once') END AS collected,
    o.is_active
FROM orders.payment_options AS o
LEFT JOIN {payment_types} AS y ON y.payment_type = o.payment_type
