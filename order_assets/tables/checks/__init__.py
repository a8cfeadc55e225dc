"""Checks the tables of a day: against the contract, against each other, and against the documents they came from."""
