"""Parameters with provenance, and their draws."""
