"""The counting rules again, slow and obvious: what the kernel is checked against. Shares no code with goe."""


def filtered(alleles, dp, gq, ad, wanted, min_gq=20, min_dp=10, min_dp_haploid=5, min_ab=0.2, on=True):
    """Rule 1. alleles: list of int or None; dp, gq: int or None; ad: list of int or None, or None.

    Returns the alleles, or None when the genotype counts as missing.
    """
    called = [a for a in alleles if a is not None]
    if not called:
        return None
    known = [d for d in (ad or []) if d is not None]
    depth = dp if dp is not None else (sum(known) if known else None)
    if depth == 0 and all(a == 0 for a in called):
        return None
    if not on:
        return alleles
    if gq is None or gq < min_gq:
        return None
    if depth is None or depth < (min_dp_haploid if wanted == 1 else min_dp):
        return None
    if len(set(called)) > 1:
        for a in called:
            if ad is None or a >= len(ad) or ad[a] is None or ad[a] / depth < min_ab:
                return None
    return alleles


def call(alleles, wanted):
    """Rule 2. Alleles of the call after ploidy: (), (a,) or (a, b)."""
    if alleles is None or wanted == 0 or len(alleles) > 2:
        return ()
    called = [a for a in alleles if a is not None]
    if wanted == 1:
        return (called[0],) if called and len(set(called)) == 1 else ()
    return tuple(called) if len(alleles) == 2 and len(called) == 2 else ()


def code(call, holders):
    """What a call is for the site allele that the record's allele numbers `holders` carry."""
    copies = sum(a in holders for a in call)
    return {
        (0, 0): "missing",
        (1, 0): "ref1",
        (1, 1): "hemi",
        (2, 0): "ref2",
        (2, 1): "het",
        (2, 2): "hom",
    }[len(call), copies]


def merged(codes):
    """Rule 3.4."""
    carriers = {c for c in codes if c in ("het", "hom", "hemi")}
    references = {c for c in codes if c in ("ref1", "ref2")}
    for group in (carriers, references):
        if group:
            return group.pop() if len(group) == 1 else "missing"
    return "missing"
