CREATE TABLE IF NOT EXISTS meta.superseded_orders (date DATE NOT NULL, order_pk BIGINT NOT NULL);
COMMENT ON TABLE meta.superseded_orders IS
'Orders that moved to another day, on the days that still have them: no mart has these. Grain: one row per order and day';
COMMENT ON COLUMN meta.superseded_orders.date IS 'Day that has the order still, until it is refreshed';
COMMENT ON COLUMN meta.superseded_orders.order_pk IS 'Order (orders.pk)'
