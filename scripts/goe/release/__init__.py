"""The release folder: its table of numbers, texts, formats and descriptions."""
