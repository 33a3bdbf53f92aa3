"""What a table of callable AN says of itself beside an earlier release, for those who write, read and check it."""

EARLIER, KEPT, LOWERED = "earlier_release", "kept", "lowered"
"""What the table of a contig says beside an earlier release: what that shows of people who are still counted is kept,
or is lowered somewhere, since fewer are called by the data or rules of today."""
