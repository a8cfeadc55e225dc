"""Tests of the work on days."""
