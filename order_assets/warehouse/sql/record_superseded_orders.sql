DELETE FROM meta.superseded_orders;
INSERT INTO meta.superseded_orders
{rows}
