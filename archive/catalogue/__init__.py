"""Rows in SQLite, all of them made again from what the home keeps."""
