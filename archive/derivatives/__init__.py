"""What we make from originals: thumbnails, tiles, listening and viewing copies, text."""
