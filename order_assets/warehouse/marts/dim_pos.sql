/* ---
description: Virtual terminals at payment gateways, under their newest names
grain: one row per terminal
key: [pos_pk]
refresh: whole
columns:
  pos_pk: Terminal (pos.pk)
  channel_pk: Sales channel that it belongs to (channels.pk)
  name: Name
  slug: Slug
  gateway: Implementation behind the terminal
  gateway_name: Name of the gateway
--- */
SELECT pk AS pos_pk, channel_pk, name, slug, gateway, gateway_display AS gateway_name
FROM orders.pos
