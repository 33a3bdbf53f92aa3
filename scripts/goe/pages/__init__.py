"""HTML and SVG, for the released report and the internal pages."""
