"""Full text over titles, notes, page text and transcripts."""
