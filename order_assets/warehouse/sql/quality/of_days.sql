date BETWEEN $first AND $last AND list_contains($days, date)
