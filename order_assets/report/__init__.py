"""The report: a page of plots from the warehouse. No Dagster here."""
