/* ---
description: Card programmes with their banks, under their newest names
grain: one row per card programme
key: [card_pk]
refresh: whole
columns:
  card_pk: Card programme (cards.pk)
  channel_pk: Sales channel that takes it (channels.pk)
  name: Name of the card programme
  card_type: Card type
  bank_pk: Bank (banks.pk)
  bank: Name of the bank
  is_commerce_card: Whether it is a company card
--- */
SELECT c.pk AS card_pk, c.channel_pk, c.name, t.name AS card_type, c.bank_pk, b.name AS bank, c.is_commerce_card
FROM orders.cards AS c
LEFT JOIN orders.banks AS b ON b.pk = c.bank_pk
LEFT JOIN orders.card_types AS t ON t.pk = c.card_type_pk
