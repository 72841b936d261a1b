"""Cohort engines: expected quantities of every strategy and profile."""
