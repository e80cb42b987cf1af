"""What leaves the archive in other people's forms: citations, quotations, plain text, PDF. Pure: no web, no store, no clock."""
