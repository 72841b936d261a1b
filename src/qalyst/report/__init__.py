"""What a person reads of a run: tables, figures, one page, and where it all came from.

Nothing here computes a result; all numbers are those of an `Analysis`. Drawing and table
libraries are imported when they are used.
"""
