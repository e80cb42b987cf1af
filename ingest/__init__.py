"""The pipeline from a donation folder to a searchable page."""
