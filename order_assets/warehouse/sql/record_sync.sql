DELETE FROM meta.sync;
INSERT INTO meta.sync (cursor, transactions_cursor, synced_at, whole_listing_at, orders_known)
VALUES ($cursor, $transactions_cursor, $synced_at, $whole_listing_at, $orders_known)
