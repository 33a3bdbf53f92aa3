"""The cohort's VCF-like files: gVCFs of GATK and bcftools style, single-sample VCFs, a joint VCF or BCF per contig."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pysam.bcftools

from goe.demo.calls import MISSING, NONE, Seen, Segment, diploid_coded, joint_alts
from goe.demo.genome import LENGTHS, Genome, is_par
from goe.demo.loci import Locus, trimmed
from goe.demo.people import DemoPerson

FORMATS = {
    "GT": '1,Type=String,Description="Genotype"',
    "AD": 'R,Type=Integer,Description="Read depth of each allele, REF first"',
    "DP": '1,Type=Integer,Description="Read depth"',
    "GQ": '1,Type=Integer,Description="Genotype quality"',
    "MIN_DP": '1,Type=Integer,Description="Least depth within the block"',
    "PL": 'G,Type=Integer,Description="Phred-scaled genotype likelihoods"',
    "PS": '1,Type=Integer,Description="Phase set"',
}
INFOS = {
    "END": '1,Type=Integer,Description="Last position of the block"',
    "MIN_DP": '1,Type=Integer,Description="Least depth within the block"',
    "MinDP": '1,Type=Integer,Description="Least depth within the block"',
    "DP": '1,Type=Integer,Description="Depth over all samples"',
    "AC": 'A,Type=Integer,Description="Allele count"',
    "AN": '1,Type=Integer,Description="Called alleles"',
    "AF": 'A,Type=Float,Description="Allele frequency"',
    "QD": '1,Type=Float,Description="Quality by depth"',
    "MQ": '1,Type=Float,Description="RMS mapping quality"',
    "FS": '1,Type=Float,Description="Strand bias, phred-scaled"',
    "ReadPosRankSum": '1,Type=Float,Description="Position in the read, ALT against REF"',
}
RENAMED = {"chr20": "20", "chrX": "X", "chrY": "Y", "chrM": "MT"}
"""Contig names of the one file that does not use those of the reference."""


@dataclass(frozen=True)
class Line:
    """One record without its samples' columns. alleles: file's allele number of each locus allele index."""

    pos: int
    ref: str
    alts: list[str]
    number: dict[int, int]
    locus: Locus


def header(
    contigs: Iterable[tuple[str, int]],
    formats: Iterable[str],
    infos: Iterable[str],
    samples: list[str],
    *more: str,
    ad: str = "R",
) -> list[str]:
    """Header lines; `more` are whole lines, `ad` the Number that AD is declared with."""
    declared = {k: FORMATS[k] for k in formats}
    if "AD" in declared:
        declared["AD"] = declared["AD"].replace("R,", f"{ad},", 1)
    return [
        "##fileformat=VCFv4.2",
        '##FILTER=<ID=PASS,Description="All filters passed">',
        '##FILTER=<ID=LowQual,Description="Low quality">',
        *more,
        *(f"##FORMAT=<ID={k},Number={v}>" for k, v in declared.items()),
        *(f"##INFO=<ID={k},Number={INFOS[k]}>" for k in infos),
        *(f"##contig=<ID={name},length={length}>" for name, length in contigs),
        "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples]),
    ]


def save(lines: list[str], path: Path) -> None:
    """Write as BGZF with .tbi, or as BCF with .csi, by the name's end."""
    text = ("\n".join(lines) + "\n").encode()
    plain = path.with_name(path.name.removesuffix(".bcf") + ".vcf.gz") if path.suffix == ".bcf" else path
    with pysam.BGZFile(str(plain), "wb", None) as out:
        out.write(text)
    if path.suffix == ".bcf":
        pysam.bcftools.view("--no-version", "-Ob", "-o", str(path), str(plain), catch_stdout=False)
        pysam.bcftools.index("-f", str(path), catch_stdout=False)
        plain.unlink()
    else:
        pysam.tabix_index(str(path), preset="vcf", force=True)


def genotype(seen: Seen, i: int, number: dict[int, int], phased: bool = False) -> str:
    """GT of locus `i` in the file's allele numbers."""
    a, b = int(seen.a[i]), int(seen.b[i])
    first = "." if a == MISSING else str(number.get(a, 0))
    if b == NONE:
        return first
    second = "." if b == MISSING else str(number.get(b, 0))
    if phased:
        return f"{first}|{second}"
    if a != MISSING and b != MISSING and number.get(b, 0) < number.get(a, 0):
        first, second = second, first
    return f"{first}/{second}"


def depths(seen: Seen, i: int, number: dict[int, int], extra: int = 0) -> str:
    """AD in the file's allele order; alleles the file does not list are left out, `extra` zeros follow."""
    row = seen.ad[i]
    if row[0] == MISSING:
        return "."
    order = sorted(number, key=number.__getitem__)
    return ",".join([str(int(row[k])) for k in order] + ["0"] * extra)


def dot(value: int) -> str:
    """The number, or `.`."""
    return "." if value == MISSING else str(int(value))


def likelihoods(gt: str, n_alleles: int, gq: int) -> str:
    """PL that agree with GT and GQ: 0 at the genotype, GQ next to it, more further off."""
    calls = gt.replace("|", "/").split("/")
    if "." in calls:
        return "."
    gq = max(gq, 0)
    if len(calls) == 1:
        return ",".join("0" if k == int(calls[0]) else str(gq + 20) for k in range(n_alleles))
    called = tuple(sorted(int(c) for c in calls))
    order = [(a, b) for b in range(n_alleles) for a in range(b + 1)]
    return ",".join("0" if g == called else str(gq + 30 * (len(set(g) & set(called)) == 0)) for g in order)


def lines_of(locus: Locus, alts: list[int], form: str) -> list[Line]:
    """Records for the ALTs (indexes) of a locus. form: plain, shifted, padded, atoms."""
    number = {0: 0} | {k: n + 1 for n, k in enumerate(alts)}
    if form == "atoms" and locus.kind == "mnv":
        return [Line(pos, ref, [alt], number, locus) for pos, ref, alt in locus.site[0]]
    if form == "shifted" and locus.shifted:
        pos, ref, alt = locus.shifted
        return [Line(pos, ref, [alt], number, locus)]
    ref, texts = trimmed(locus.ref, [locus.alts[k - 1] for k in alts])
    return [Line(locus.pos, ref, texts, number, locus)]


def padded(line: Line, genome: Genome) -> Line:
    """The same SNV written with the base before it."""
    before = genome.text(line.locus.contig, line.pos - 1, line.pos - 1)
    return Line(line.pos - 1, before + line.ref, [before + a for a in line.alts], line.number, line.locus)


def own_alts(seen: Seen, locus: Locus, who: int) -> list[int]:
    """ALTs a single-person file lists: those carried, or the first where the caller only weighed one."""
    carried = sorted({int(k) for k in locus.hap[who] if 0 < k <= len(locus.alts)})
    return carried or [1]


def write_joint(
    path: Path, contig: str, people: list[DemoPerson], loci: list[Locus], seen: dict[int, Seen], seed: int
) -> None:
    """Joint VCF of one contig: sites that its people carry, annotations of a joint caller, a few LowQual records."""
    rng = np.random.default_rng([seed, 5, list(LENGTHS).index(contig)])
    members = [i for i, p in enumerate(people) if p.input_type == "joint_vcf"]
    out = []
    for x in (x for x in loci if x.contig == contig):
        alts = joint_alts(x, people)
        if not alts:
            continue
        low = rng.random() < 0.02
        qual = float(np.round(rng.uniform(5, 29) if low else rng.uniform(80, 3000), 1))
        weak = int(rng.integers(0, 4)) if rng.random() < 0.02 else -1
        notes = (
            f"QD={1.1 if weak == 0 else rng.uniform(8, 30):.2f};MQ={35.0 if weak == 1 else rng.uniform(55, 60):.2f}"
            f";FS={80.0 if weak == 2 else abs(rng.normal(0, 4)):.2f}"
            f";ReadPosRankSum={-9.5 if weak == 3 else rng.normal(0, 0.8):.2f}"
        )
        lines = lines_of(x, alts, "shifted" if x.joint_shifted else "plain")
        hide: list[set[int]] = [set()]
        if x.twice:
            carriers = [i for i in members if x.carriers()[i]]
            lines += lines_of(x, alts, "shifted")
            hide = [set(carriers[1::2]), set(carriers[0::2])]
        for line, hidden in zip(lines, hide, strict=True):
            columns = []
            for i in members:
                s = seen[i]
                gt, ad = genotype(s, x.index, line.number), depths(s, x.index, line.number)
                if i in hidden:
                    gt = "/".join("0" for _ in gt.split("/"))
                    total = max(int(s.dp[x.index]), 0)
                    ad = ",".join([str(total)] + ["0"] * len(alts))
                columns.append(f"{gt}:{ad}:{dot(s.dp[x.index])}:{dot(s.gq[x.index])}")
            called = [a for c in columns for a in c.partition(":")[0].split("/") if a != "."]
            ac = [called.count(str(k + 1)) for k in range(len(alts))]
            counts = ",".join(map(str, ac))
            share = ",".join(f"{c / max(len(called), 1):.4g}" for c in ac)
            info = f"AC={counts};AF={share};AN={len(called)};{notes}"
            name = "LowQual" if low else "PASS"
            fixed = [contig, str(line.pos), ".", line.ref, ",".join(line.alts), f"{qual:.1f}", name, info]
            out.append((line.pos, "\t".join([*fixed, "GT:AD:DP:GQ", *columns])))
    infos = ["AC", "AF", "AN", "QD", "MQ", "FS", "ReadPosRankSum"]
    top = header(LENGTHS.items(), ["GT", "AD", "DP", "GQ"], infos, [people[i].sample_id for i in members])
    save(top + [text for _, text in sorted(out)], path)


def write_vcf(
    path: Path, genome: Genome, people: list[DemoPerson], loci: list[Locus], seen: Seen, who: int, seed: int
) -> None:
    """Single-sample VCF: carried sites only. Styles: unnormalised (indels at the right end of their homopolymer, SNVs
    with a base before), mnv (MNVs whole), renamed (contig names without chr, phased).
    """
    rng = np.random.default_rng([seed, 6, who])
    style = people[who].style
    form = {"unnormalised": "shifted", "mnv": "plain", "renamed": "atoms"}[style]
    names = RENAMED if style == "renamed" else {c: c for c in LENGTHS}
    phased = style == "renamed"
    contigs = [c for c in LENGTHS if c != "chrY" or people[who].true_sex != "XX"]
    out: dict[str, list[tuple[int, str]]] = {c: [] for c in LENGTHS}
    for x in loci:
        if not seen.visible[x.index]:
            continue
        lines = lines_of(x, own_alts(seen, x, who), "atoms" if x.kind == "mnv" and style != "mnv" else form)
        if x.padded and style == "unnormalised":
            lines = [padded(line, genome) for line in lines]
        for line in lines:
            i = x.index
            gt = genotype(seen, i, line.number, phased)
            values = [gt, dot(seen.gq[i]), dot(seen.dp[i]), depths(seen, i, line.number)]
            qual = rng.uniform(40, 900)
            info = f"DP={max(int(seen.dp[i]), 0)}"
            fixed = [names[x.contig], line.pos, ".", line.ref, ",".join(line.alts), f"{qual:.1f}", "PASS", info]
            out[x.contig].append((line.pos, "\t".join([*map(str, fixed), "GT:GQ:DP:AD", ":".join(values)])))
    top = header([(names[c], LENGTHS[c]) for c in contigs], ["GT", "GQ", "DP", "AD"], ["DP"], [people[who].sample_id])
    save(top + [text for c in contigs for _, text in sorted(out[c])], path)


GVCF = {
    # style: (ALT of blocks, symbolic ALT beside a variant's ALTs, INFO tag of a block's least depth, Number of AD)
    "gatk4": ("<NON_REF>", "<NON_REF>", "", "R"),
    "gatk3": ("<NON_REF>", "<NON_REF>", "", "."),
    "bcftools_new": ("<*>", "<*>", "MIN_DP", "R"),
    "bcftools_old": (".", "", "MinDP", "R"),
}
"""Dialects. GATK 3 declared AD with Number=. , so that tools do not reorder it with the alleles; bcftools call drops
the symbolic ALT and names the least depth MinDP before 1.20."""


def write_gvcf(
    path: Path, genome: Genome, people: list[DemoPerson], loci: list[Locus], seen: Seen, who: int, seed: int
) -> None:
    """gVCF of one person: own records where there is something to say, blocks elsewhere, nothing in the gaps."""
    rng = np.random.default_rng([seed, 7, who])
    person = people[who]
    block_alt, star, least, ad_number = GVCF[person.style]
    gatk = person.style.startswith("gatk")
    out = []
    for contig in LENGTHS:
        records: list[tuple[int, int, str]] = []
        for x in (x for x in loci if x.contig == contig and seen.explicit[x.index]):
            i = x.index
            for line in lines_of(x, own_alts(seen, x, who), "atoms"):
                gt = genotype(seen, i, line.number)
                alts = [*line.alts, star] if star else line.alts
                pl = likelihoods(gt, 1 + len(alts), int(seen.gq[i]))
                ad = depths(seen, i, line.number, extra=int(bool(star)))
                values = [gt, ad, dot(seen.dp[i]), dot(seen.gq[i]), pl]
                info = f"DP={int(seen.dp[i])}" + (f";MQ=60.00;ReadPosRankSum={rng.normal(0, 0.8):.3f}" if gatk else "")
                fixed = [contig, line.pos, ".", line.ref, ",".join(alts), f"{rng.uniform(40, 900):.2f}", ".", info]
                text = "\t".join([*map(str, fixed), "GT:AD:DP:GQ:PL", ":".join(values)])
                records.append((line.pos, line.pos + len(line.ref) - 1, text))
        records.sort()
        at = 0
        for s in seen.segments[contig]:
            start = s.start
            while start <= s.end:
                while at < len(records) and records[at][1] < start:
                    at += 1
                if at < len(records) and records[at][0] <= start:
                    out.append(records[at][2])
                    start = records[at][1] + 1
                    at += 1
                    continue
                end = min(s.end, records[at][0] - 1) if at < len(records) else s.end
                if s.kind != "gap":
                    out.append(_block(contig, start, end, s, person, genome, block_alt, least))
                start = end + 1
    extra = ['##ALT=<ID=NON_REF,Description="Any possible alternative allele at this location">']
    if gatk:
        extra.append("##GVCFBlock0-20=minGQ=0(inclusive),maxGQ=20(exclusive)")
    else:
        extra = ['##ALT=<ID=*,Description="Any possible alternative allele at this location">']
    infos = ["END", "DP", "MQ", "ReadPosRankSum"] if gatk else ["END", "DP", least]
    formats = ["GT", "AD", "DP", "GQ", *(["MIN_DP"] if gatk else []), "PL"]
    save(header(LENGTHS.items(), formats, infos, [person.sample_id], *extra, ad=ad_number) + out, path)


def _block(
    contig: str, start: int, end: int, segment: Segment, person: DemoPerson, genome: Genome, alt: str, least: str
) -> str:
    """A reference block, as the dialect writes it."""
    one = contig == "chrM" or (contig in ("chrX", "chrY") and person.true_sex == "XY" and not is_par(contig, start))
    gt = "0" if one and not diploid_coded(person, contig) else "0/0"
    ref = genome.text(contig, start, start)
    info = f"END={end}" + (f";{least}={segment.min_dp}" if least else "")
    pl = likelihoods(gt, 2 if alt != "." else 1, segment.gq)
    if person.style.startswith("gatk"):
        form, values = "GT:DP:GQ:MIN_DP:PL", f"{gt}:{segment.dp}:{segment.gq}:{segment.min_dp}:{pl}"
    else:
        form, values = "GT:PL:DP:GQ", f"{gt}:{pl}:{segment.dp}:{segment.gq}"
    return f"{contig}\t{start}\t.\t{ref}\t{alt}\t.\t.\t{info}\t{form}\t{values}"
