"""Dates as written, read: reign eras, sexagenary years, Western years, and spans of them. Years only, so far; months and days come next."""
