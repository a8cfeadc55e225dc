"""What every room builds on and what knows nothing of orders."""
