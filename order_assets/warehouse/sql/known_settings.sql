SELECT time_zone, first_day, prices_include_tax FROM meta.settings
