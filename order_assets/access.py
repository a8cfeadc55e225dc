"""Typed tables as data frames, without a running anything."""
