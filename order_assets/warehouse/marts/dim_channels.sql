/* ---
description: Sales channels under their newest names
grain: one row per channel
key: [channel_pk]
refresh: whole
columns:
  channel_pk: Sales channel (channels.pk)
  channel_name: Newest name
  channel_type: Kind of channel
  is_active: Whether the channel is in use
--- */
SELECT pk AS channel_pk, name AS channel_name, channel_type, is_active
FROM orders.channels
