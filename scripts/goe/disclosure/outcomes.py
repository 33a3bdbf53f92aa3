"""What becomes of an allele under disclosure control, and why: as numbers in arrays and kernels, and in words."""

WITHHELD, REDUCED, FULL = range(3)
OUTCOMES = ("WITHHELD", "REDUCED", "FULL")

# Of `goe.disclosure.control.Decision.reason`.
SHOWN, NO_CARRIER, FEW_PEOPLE, BELOW_FLOOR, PLOIDY, TOO_NARROW, TOGETHER, ALL_TOGETHER, BESIDE_EARLIER = range(9)
SEARCH_ENDED, SHARED, AS_EARLIER = range(9, 12)

# By that number: why an allele is in no public file, and last why it may show less than it could.
REASONS = (
    "",
    "nobody who counts carries it",
    "the people are too few to publish anything",
    "carriers or non-carriers of Total are too few",
    "haploid and diploid calls that no region explains, of too few people",
    "Total alone would tell the numbers of a withheld stratum",
    "with other alleles of the position Total would tell the numbers of a withheld group",
    "the same, and these were withheld as well",
    "beside alleles of the earlier release Total would tell the numbers of a group",
    "in part public: the search for the fewest cells was ended",
    "in part public: with other alleles of the position it would tell a withheld number",
    "in part public: beside the earlier release it would tell a withheld number",
)
# Those of alleles of which something is public.
IN_PART = REASONS[SEARCH_ENDED:]
