"""Plain types of the archive, without I/O. Tables, index documents and pages are made from these; they know nothing of them."""
