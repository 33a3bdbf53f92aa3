"""The audit of finished files, which shares no code with what chose the cells."""
