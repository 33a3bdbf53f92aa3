"""Rules that settings choose from, without anything heavy: formats, site filters, thresholds of people."""
