"""Decision analysis of any costs and effects by strategy; knows nothing of models."""
