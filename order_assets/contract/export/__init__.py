"""Writes the contract for people and for other programs."""
