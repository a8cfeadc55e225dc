"""The report, from the facts to the page in a browser."""
