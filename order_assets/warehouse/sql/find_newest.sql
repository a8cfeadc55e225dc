-- Things that have a history but no newest version. The row is chosen from few columns and then fetched by its
-- number, which is far cheaper than to sort all columns.
INSERT INTO {newest} ({columns})
SELECT {columns} FROM {history} WHERE rowid IN (
    SELECT arg_max(rowid, {age}) FROM (SELECT rowid, * FROM {history} ANTI JOIN {newest} USING ({key})) GROUP BY {key}
)
