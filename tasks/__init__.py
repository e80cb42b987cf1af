"""What make does, where make is missing: `python -m tasks NAME`. Standard library only, so that it runs before anything is installed."""
