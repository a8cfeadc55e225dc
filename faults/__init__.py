"""Tries to break the promises that order_assets makes: `make faults`, or `python -m faults [NAME ...]`.

Each scenario disturbs the way of the data in one manner, the shop's side (`remote`) or this machine's (`own_side`),
and compares what comes of it with a run that nobody disturbed. `world` has the shop and the comparisons, `scenario`
what a scenario is, `matrix` the table. A new fault is one more entry in `remote.SCENARIOS` or `own_side.SCENARIOS`.
"""
