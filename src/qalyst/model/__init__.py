"""From a model file to a lowered program: reading, checking, resolving, partial evaluation."""
