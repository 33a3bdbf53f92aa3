"""What may be published of the counts."""
