"""Readers of what lies in a donation folder."""
