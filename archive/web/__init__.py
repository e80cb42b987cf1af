"""The public pages, the interface for programs and the media routes."""
