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
    """C3.4."""
    carriers = {c for c in codes if c in ("het", "hom", "hemi")}
    references = {c for c in codes if c in ("ref1", "ref2")}
    for group in (carriers, references):
        if group:
            return group.pop() if len(group) == 1 else "missing"
    return "missing"


def left_aligned(bases, pos, ref, alt):
    """Tan, Abecasis, Kang 2015 (doi 10.1093/bioinformatics/btv112). bases: the contig; pos 1-based."""
    moved = True
    while moved:
        moved = False
        if ref and alt and ref[-1] == alt[-1] and max(len(ref), len(alt)) > 1:
            ref, alt, moved = ref[:-1], alt[:-1], True
        if (not ref or not alt) and pos > 1:
            pos -= 1
            ref, alt, moved = bases[pos - 1] + ref, bases[pos - 1] + alt, True
    if not ref or not alt:  # nothing to the left of the first base: VCF then adds the base to the right
        after = bases[pos - 1 + len(ref)]
        return pos, ref + after, alt + after
    while len(ref) > 1 and len(alt) > 1 and ref[0] == alt[0]:
        pos, ref, alt = pos + 1, ref[1:], alt[1:]
    return pos, ref, alt


def site_alleles(bases, pos, ref, alts):
    """Rules 3.1 to 3.3: {(pos, ref, alt): set of ALT numbers that hold it}."""
    found = {}
    for number, alt in enumerate(alts, start=1):
        there = bases[pos - 1 : pos - 1 + len(ref)]
        if set(alt) - set("ACGT") or set(ref) - set("ACGT") or set(there) - set("ACGT") or alt == ref:
            continue
        if len(ref) == len(alt):
            made = [(pos + i, r, a) for i, (r, a) in enumerate(zip(ref, alt, strict=True)) if r != a]
        else:
            made = [left_aligned(bases, pos, ref, alt)]
        for allele in made:
            # Where the reference has a gap to the left, alignment takes an N into the allele.
            if not set(allele[1] + allele[2]) - set("ACGT"):
                found.setdefault(allele, set()).add(number)
    return found


def ploidy(contig, pos, sex, par):
    """Rule 2. par: (contig, start, end), 1-based inclusive; sex F, M or U."""
    inside = any(c == contig and s <= pos <= e for c, s, e in par)
    if contig == "chrM":
        return 1
    if contig == "chrX" and not inside:
        return {"F": 2, "M": 1, "U": 0}[sex]
    if contig == "chrY":
        return 1 if sex == "M" and not inside else 0
    return 2


def count(records, contigs, par, sheet, on=True):
    """Every site allele's codes: {(contig, pos, ref, alt): {sample: code}}.

    records: (contig, pos, ref, alts, {sample: (alleles, dp, gq, ad)}), upper case; contigs: name -> bases;
    sheet: sample -> sex; on: with the genotype filter.
    """
    met = {}
    for contig, pos, ref, alts, people in records:
        for allele, holders in site_alleles(contigs[contig], pos, ref, alts).items():
            codes = {}
            for sample, (alleles, dp, gq, ad) in people.items():
                wanted = ploidy(contig, pos, sheet[sample], par)
                codes[sample] = code(call(filtered(alleles, dp, gq, ad, wanted, on=on), wanted), holders)
            met.setdefault((contig, *allele), []).append(codes)
    return {key: {s: merged([c[s] for c in stack]) for s in stack[0]} for key, stack in met.items()}
