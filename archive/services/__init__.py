"""What people do with the archive; web and commands call these."""
