"""Whole records, from VCF to counts: equal to the plain rules, and unmoved by what must not matter."""

import tempfile
from pathlib import Path
from unittest import mock

import pysam
import pytest
from goe.frequencies import counts
from goe.genome.build import Build
from goe.hts import bcf
from helpers import plain
from helpers.counting import count_vcf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

BASES = "GATTACAAAAAAAACGTCACACACAGTTGCATGCCGATCGTTTACGGCATCCTAGGATCCAAGGTTTTTTTTTACG"
CONTIGS = {"chr1": BASES, "chrX": BASES[::-1], "chrY": BASES[5:] + "GATTA", "chrM": BASES[10:40]}
PAR = [("chrX", 1, 20), ("chrY", 1, 20)]
SHEET = {"a": ("F", "EE"), "1": ("M", "EE"), "NA": ("U", "FI"), "007": ("M", "FI"), "b": ("F", "FI")}
HEADER = "".join(
    f"{line}\n"
    for line in (
        "##fileformat=VCFv4.3",
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="x">',
        '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="x">',
        '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="x">',
        '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="x">',
        *(f"##contig=<ID={name},length={len(bases)}>" for name, bases in CONTIGS.items()),
    )
)
LETTERS = st.sampled_from("ACGT")


@st.composite
def genotype(draw, n_alleles):
    alleles = draw(st.lists(st.integers(0, n_alleles - 1) | st.none(), min_size=1, max_size=3))
    if draw(st.integers(0, 9)) < 7:
        alleles = [draw(st.integers(0, n_alleles - 1)) for _ in range(2)]
    dp = draw(st.sampled_from([30, 30, 30, 10, 9, 5, 4, 0, None]))
    gq = draw(st.sampled_from([99, 99, 99, 20, 19, None]))
    ad = draw(st.lists(st.sampled_from([15, 15, 6, 5, 0, None]), min_size=n_alleles, max_size=n_alleles) | st.none())
    return alleles, dp, gq, ad


@st.composite
def record(draw):
    contig = draw(st.sampled_from(list(CONTIGS)))
    bases = CONTIGS[contig]
    pos = draw(st.integers(1, len(bases) - 4))
    ref = bases[pos - 1 : pos - 1 + draw(st.integers(1, 4))]
    run = bases[pos - 1 :]
    plain_alt = st.text("ACGT", min_size=1, max_size=4) | st.just(ref[:1]) | st.just(run[: len(ref) + 2])
    alts = draw(st.lists(plain_alt | st.sampled_from(["*", "<DEL>", "AN"]), min_size=1, max_size=4, unique=True))
    alts = [a for a in alts if a != ref] or ["*"]
    return contig, pos, ref, alts, {s: draw(genotype(1 + len(alts))) for s in SHEET}


def text(records, samples):
    def field(value):
        return "." if value is None else str(value)

    lines = ["\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples])]
    order = list(CONTIGS)
    for contig, pos, ref, alts, people in sorted(records, key=lambda r: (order.index(r[0]), r[1])):
        calls = []
        for s in samples:
            alleles, dp, gq, ad = people[s]
            depths = "." if ad is None else ",".join(map(field, ad))
            calls.append(f"{'/'.join(map(field, alleles))}:{field(dp)}:{field(gq)}:{depths}")
        lines.append("\t".join([contig, str(pos), ".", ref, ",".join(alts), ".", ".", ".", "GT:DP:GQ:AD", *calls]))
    return HEADER + "\n".join(lines) + "\n"


def counted(records, samples=tuple(SHEET), size=1000, contigs=CONTIGS):
    """{site allele: {column: count}} by goe."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fasta, vcf = folder / "ref.fa", folder / "in.vcf"
        fasta.write_text("".join(f">{contig}\n{bases}\n" for contig, bases in contigs.items()))
        pysam.faidx(str(fasta))
        vcf.write_text(text(records, samples))
        build = Build("toy", {c: len(b) for c, b in CONTIGS.items()}, PAR)
        table, _ = count_vcf(vcf, fasta, build, {s: SHEET[s] for s in samples}, size, folder)
    rows = table.to_pylist()
    keys = [(r["contig"], r["pos"], r["ref"], r["alt"]) for r in rows]
    assert len(keys) == len(set(keys))
    wanted = tuple(f"{m}_" for m in ("dip", "hap", "het", "hom", "hemi"))
    return {k: {c: v for c, v in r.items() if c.startswith(wanted)} for k, r in zip(keys, rows, strict=True)}


def expected(records):
    """The same by the plain rules."""
    sexes = {s: sex for s, (sex, _) in SHEET.items()}
    numbers = {}
    for key, codes in plain.count(records, CONTIGS, PAR, sexes).items():
        row = numbers[key] = {}
        for sex, country in SHEET.values():
            row.update({f"{m}_{country}_{sex}": 0 for m in ("dip", "hap", "het", "hom", "hemi")})
        for sample, code in codes.items():
            sex, country = SHEET[sample]
            for measure in {"ref1": ["hap"], "hemi": ["hap", "hemi"], "ref2": ["dip"]}.get(code, ["dip", code]):
                if code != "missing":
                    row[f"{measure}_{country}_{sex}"] += 1
    return numbers


few = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@few
@given(st.lists(record(), min_size=1, max_size=12))
def test_counts_equal_the_plain_rules(records):
    assert counted(records) == expected(records)


@few
@given(st.lists(record(), min_size=1, max_size=8), st.permutations(list(SHEET)), st.integers(30, 80))
def test_order_of_people_and_region_size_change_nothing(records, order, size):
    assert counted(records, tuple(order), size) == counted(records)


@few
@given(st.lists(record(), min_size=1, max_size=8), st.integers(1, 400), st.integers(1, 3), st.integers(1, 3))
def test_what_is_read_or_written_at_once_changes_nothing(records, chunk, rows, batch):
    whole = counted(records)
    with (
        mock.patch.object(bcf, "_CHUNK", chunk),
        mock.patch.object(bcf, "_ROWS", rows),
        mock.patch.object(counts, "ROWS_A_BATCH", batch),
    ):
        assert counted(records) == whole


@st.composite
def snv(draw):
    contig = draw(st.sampled_from(list(CONTIGS)))
    pos = draw(st.integers(1, len(CONTIGS[contig])))
    ref = CONTIGS[contig][pos - 1]
    alt = draw(st.sampled_from([b for b in "ACGT" if b != ref]))
    return contig, pos, ref, [alt], {s: draw(genotype(2)) for s in SHEET}


def swapped(record):
    contig, pos, ref, [alt], people = record
    turned = {
        s: ([a if a is None else 1 - a for a in alleles], dp, gq, ad and ad[::-1])
        for s, (alleles, dp, gq, ad) in people.items()
    }
    return contig, pos, alt, [ref], turned


@few
@given(st.lists(snv(), min_size=1, max_size=8, unique_by=lambda r: r[:2]))
def test_swapping_ref_and_alt_leaves_an_and_turns_ac_to_an_minus_ac(records):
    contigs = {name: list(bases) for name, bases in CONTIGS.items()}
    for contig, pos, _, [alt], _ in records:
        contigs[contig][pos - 1] = alt
    there = counted(list(map(swapped, records)), contigs={name: "".join(bases) for name, bases in contigs.items()})
    here = counted(records)
    assert len(here) == len(there) == len(records)
    for (contig, pos, ref, alt), row in here.items():
        other = there[contig, pos, alt, ref]
        for leaf in {column.partition("_")[2] for column in row}:
            dip, hap, het, hom, hemi = (row[f"{m}_{leaf}"] for m in ("dip", "hap", "het", "hom", "hemi"))
            turned = (dip, hap, het, dip - het - hom, hap - hemi)
            assert turned == tuple(other[f"{m}_{leaf}"] for m in ("dip", "hap", "het", "hom", "hemi"))


@few
@given(st.lists(record(), min_size=1, max_size=8))
def test_countries_counted_apart_add_up(records):
    def total(tables):
        whole = {}
        for table in tables:
            for key, row in table.items():
                whole.setdefault(key, {}).update(row)
        return whole

    countries = {country for _, country in SHEET.values()}
    parts = [counted(records, tuple(s for s, (_, c) in SHEET.items() if c == country)) for country in countries]
    assert total(parts) == counted(records)


@few
@given(st.lists(record(), min_size=1, max_size=8))
def test_a_reference_person_adds_to_an_only(records):
    reference = ([0, 0], 30, 99, None)
    with_b = [(*r[:4], r[4] | {"b": reference}) for r in records]
    others = tuple(s for s in SHEET if s != "b")
    before, after = counted(records, others), counted(with_b)
    assert before.keys() == after.keys()
    for key, row in after.items():
        assert {c: v for c, v in row.items() if not c.endswith("FI_F")} == before[key]
        assert (row["het_FI_F"], row["hom_FI_F"], row["hemi_FI_F"]) == (0, 0, 0)
        assert row["dip_FI_F"] + row["hap_FI_F"] == (0 if key[0] == "chrY" else 1)


@pytest.mark.parametrize("contig", CONTIGS)
def test_reference_bases_are_as_the_hazards_need(contig):
    assert set(CONTIGS[contig]) <= set("ACGT")
