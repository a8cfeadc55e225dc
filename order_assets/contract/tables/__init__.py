"""Declares the tables of an order, by subject. Shapes, schemas and documentation are derived from them elsewhere."""
