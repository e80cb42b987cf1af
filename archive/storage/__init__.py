"""Originals in OCFL 1.1 objects, the journal of human decisions and the private store."""
