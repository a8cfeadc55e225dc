-- Of an order that stands on several days the row counts that the shop changed last, else that of the newest day.
SELECT date, pk AS order_pk
FROM orders.orders
WHERE pk IN (SELECT pk FROM orders.orders GROUP BY pk HAVING count(*) > 1)
QUALIFY row_number() OVER (
    PARTITION BY pk ORDER BY coalesce(modified_date, '-infinity'::TIMESTAMPTZ) DESC, date DESC
) > 1
