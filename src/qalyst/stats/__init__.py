"""Survival and uncertainty families, addressed random numbers."""
