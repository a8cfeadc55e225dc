-- Things that these days know anything of: their newest version has to be found again.
DELETE FROM {newest} WHERE ({key}) IN (
    SELECT ({key}) FROM {history} WHERE date BETWEEN $first AND $last AND list_contains($days, date)
)
