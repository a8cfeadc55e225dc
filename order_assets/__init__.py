"""Akinon Omnitron orders as Dagster assets: fetched in detail, flattened to Parquet, loaded into DuckDB.

The rooms, in the order in which the data goes through them: `omnitron` (the API as a client sees it),
`landing` (from a response to a stored row), `tables` (from landing to typed Parquet), `warehouse` (from Parquet
to DuckDB). `contract` says what an order is and serves all of them; `defs` is the only room that knows Dagster;
`sandbox` is a stand-in shop for development, demonstration and tests.
"""
