"""Loops over a model: other values, scenarios and sequences."""
