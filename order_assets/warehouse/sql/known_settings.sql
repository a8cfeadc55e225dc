SELECT time_zone, first_day, prices_include_tax, coalesce(quantity_attribute, 'quantity') FROM meta.settings
