"""Files in and out: strict YAML, tables, the catalogue."""
