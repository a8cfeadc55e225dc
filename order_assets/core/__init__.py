"""What every room stands on and what knows nothing of orders: whole files, exact JSON, moments, quiet hours."""
