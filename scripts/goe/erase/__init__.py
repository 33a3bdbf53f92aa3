"""What a run keeps of one person, found and erased."""
