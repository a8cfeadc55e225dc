"""The assets, a module for each step: list, fetch, flatten, load, report."""
