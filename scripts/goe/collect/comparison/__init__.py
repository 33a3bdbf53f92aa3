"""Countries and datasets of a collection compared: what differs between peoples, and what looks like a laboratory."""
