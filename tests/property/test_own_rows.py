"""Rows of a person's own file: the kernels say what the plain Python of the same rules says, row by row."""

import subprocess
from collections import Counter

import numpy as np
import pytest
from goe.calls.own_file import OwnFile, Rows, listed
from goe.core.errors import GoeError
from goe.genome import alleles
from goe.harmonise import genotypes as gt
from goe.harmonise import listed as columns
from goe.hts.bcf import END_OF_VECTOR, MISSING
from hypothesis import given, settings
from hypothesis import strategies as st

CONTIG, LENGTH = "chr1", 40
# With a lower-case stretch and a code of IUPAC.
BASES = "ACGTTTACGACACACAGTRCCGATGcatgtGGNATTTTC"
HEAD = "##fileformat=VCFv4.2\n" + "".join(f"##FORMAT=<ID={key},Number=1,Type=Integer>\n" for key in ("DP", "GQ", "AD"))
NUMBERS = ["0", "1", "7", "30", "99", "254", ".", "19.95", "12."]
RARE = ["", "1e2", "x", "-3", "+4", "007", "nan"]
GENOTYPES = [
    "0/1",
    "0|1",
    "1/1",
    "0/0",
    "./.",
    "1/0",
    "1|0",
    "0",
    "1",
    ".",
    "./1",
    "0/.",
    "/0|1",
    "|1",
    "0/0/1",
    "1/1/1",
]
RARE_GENOTYPES = ["1/2", "0/3", "", "0/", "a/1", "-1/0"]
ALTS = [
    "C", "G", "T", "A", "a", "c", "<NON_REF>", "<*>", "<X>", "<DEL>", "*", ".", "N", "C[chr1:7[", "]chr1:3]T", ".A",
    "AC", "ACC", "gt", "ACGT", "CCGA",
]  # fmt: skip
WORDS = {"FT": ["PASS", ".", "q", "q;r", "é"], "LAA": ["", ".", "1"], "LAD": ["", ".", "3,4"], "LGT": ["", "0/1"]}
KEYS = ["DP", "GQ", "AD", "PL", "FT", "GQX", "MIN_DP", "LAA", "LAD", "LGT", "LPL", "SB"]


@st.composite
def line(draw):
    """A row as a line, mostly as callers write it."""
    rare = draw(st.integers(0, 9)) == 0
    pos = draw(st.integers(1, LENGTH - 6))
    ref = BASES[pos - 1 : pos - 1 + draw(st.sampled_from([1, 1, 1, 2, 3, 5]))]
    ref = draw(st.sampled_from([ref, ref, ref.lower(), *[""] * rare]))
    alts = draw(st.lists(st.sampled_from(ALTS + ["é", ""] * rare), min_size=1, max_size=3))
    alts += ["<NON_REF>"] * draw(st.booleans())
    keys = draw(st.sampled_from(["GT:AD:DP:GQ:PL", "GT:GQ:DP:AD", "GT:AD:DP:GQ:PL:SB"]))
    if draw(st.integers(0, 3)) == 0:
        keys = ":".join(["GT", *draw(st.lists(st.sampled_from(KEYS), max_size=6, unique=not rare))])
    number = st.sampled_from(NUMBERS + RARE * rare)
    n = 0 if alts == ["."] else len(alts)
    of = {
        "GT": st.sampled_from(GENOTYPES + RARE_GENOTYPES * rare),
        "AD": st.lists(number, min_size=1 + n - (rare or alts[-1] == "<NON_REF>"), max_size=1 + n).map(",".join),
        "PL": st.lists(number, min_size=1, max_size=4).map(",".join),
        **{key: st.sampled_from(words) for key, words in WORDS.items()},
    }
    values = [draw(of.get(key, number)) for key in keys.split(":")]
    if draw(st.integers(0, 4)) == 0:
        values = values[: draw(st.integers(1, len(values)))]
    qual, status = draw(number), draw(st.sampled_from(["PASS", ".", "q", "q;r", "é"]))
    return "\t".join([CONTIG, str(pos), ".", ref, ",".join(alts), qual, status, ".", keys, ":".join(values)])


def told(read):
    """What comes, or whether it is refused."""
    try:
        return read()
    except GoeError as error:
        return error.problems[0].what


@pytest.fixture(scope="module")
def write(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows")

    def path(lines):
        text = HEAD + "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", "P"])
        packed = subprocess.run(["bgzip", "-c"], input="\n".join([text, *lines, ""]).encode(), capture_output=True)
        (folder / "p.vcf.gz").write_bytes(packed.stdout)
        return folder / "p.vcf.gz"

    return path


def in_python(file, lines):
    rows = [file._row(CONTIG, line.encode()) for line in lines]
    file._finish()
    for row in rows:
        # What has a byte that is no ASCII is no base, whatever it is.
        row.ref = row.ref.encode("ascii", "replace").decode()
        row.alts = [alt.encode("ascii", "replace").decode() for alt in row.alts]
        row.qual = None if row.qual != row.qual else row.qual
    return rows


@settings(max_examples=300, deadline=None)
@given(st.lists(line(), min_size=1, max_size=4))
def test_the_kernel_reads_what_python_reads(write, lines):
    """A FORMAT and a FILTER are known from their second row on, so each is there twice."""
    lines = sorted(lines * 2, key=lambda text: int(text.split("\t")[1]))
    path = write(lines)
    file = OwnFile(path, "P", {CONTIG: LENGTH}, {}, blocks=False)

    def in_columns():
        return [row for chunk in file for row in listed(chunk.rows, file.reasons)]

    assert told(in_columns) == told(lambda: in_python(OwnFile(path, "P", {CONTIG: LENGTH}, {}, blocks=False), lines))


def test_rows_of_the_plainest_form_are_read_by_the_kernel(write, monkeypatch):
    """But the first with a FORMAT, and the first with reasons."""
    forms = ["0/1:15,15,0:30:99:9,0,9", "1|1:0,30,0:30:99:9,9,0", "0/2:9,.,9:.:.:9,0,9", "./.:.:.:.:.", "1:0,3,0:3:9"]
    lines = [
        "\t".join([CONTIG, str(pos), ".", "A", "C,<NON_REF>", "9.5", status, "DP=3", "GT:AD:DP:GQ:PL", values])
        for pos, (values, status) in enumerate([(v, s) for v in forms for s in ("PASS", ".", "q")], 1)
    ]
    seen = []
    original = OwnFile._row
    monkeypatch.setattr(OwnFile, "_row", lambda self, contig, line: seen.append(line) or original(self, contig, line))
    assert sum(len(c.rows.pos) for c in OwnFile(write(lines), "P", {CONTIG: LENGTH}, {}, blocks=True)) == len(lines)
    assert [line.decode() for line in seen] == [lines[0], lines[2]]


def rows_of(found, n_ad):
    """`Rows` of (pos, REF, ALTs, GT as BCF has it)."""
    rows = Rows.room(len(found), sum(1 + len(alts) for _, _, alts, _ in found), 0, 3)
    rows.gt[:] = END_OF_VECTOR
    text, at = "", 0
    for i, (pos, ref, alts, genotype) in enumerate(found):
        rows.pos[i], rows.alleles[i], rows.gt[i, : len(genotype)] = pos, 1 + len(alts), genotype
        rows.qual[i], rows.dp[i], rows.gq[i] = 10 + i, i + 0.5, MISSING if i % 3 == 0 else i
        for allele in (ref, *alts):
            rows.length[at], rows.ad[at] = len(allele), (END_OF_VECTOR, MISSING, at)[n_ad]
            text += allele
            at += 1
    return rows._replace(text=np.frombuffer(bytearray(text.encode()), np.uint8))


DNA = st.text("ACGT", min_size=1, max_size=6)
ALT = DNA | st.sampled_from([alt for alt in ALTS if alt.isascii() and alt.upper() == alt])
PAIRS = [(-1, -1), (0, -2), (1, -2), (2, -2), (0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (2, 2), (3, 1)]
ANY_ROW = st.tuples(
    st.integers(1, 9), DNA, st.lists(ALT, max_size=4), st.lists(st.sampled_from([0, 2, 3, 4, 5, 6, 8]), max_size=3)
)
SNV_ROW = st.tuples(
    st.integers(1, 9), st.just("A"), st.lists(st.sampled_from(["C", "*", "<NON_REF>", "G"]), max_size=3, unique=True),
    st.sampled_from([[4, 4], [4, 5], [2, 4], [6, 6], [4], [4, 4, 4]]),
)  # fmt: skip
ROW = ANY_ROW | SNV_ROW


@settings(max_examples=400, deadline=None)
@given(
    st.lists(ROW, min_size=1, max_size=4), st.data(), st.booleans(), st.integers(0, 2),
    st.sampled_from([-1, columns._NON_ACGT_REF, columns._REF_IUPAC]),
)  # fmt: skip
def test_rows_are_split_as_records_are(rows, data, blocks, n_ad, reason):
    n = len(rows)
    found = rows_of(rows, n_ad)
    pairs, raw = (np.array(data.draw(st.lists(st.sampled_from(PAIRS), min_size=n, max_size=n)), np.int32) for _ in "ab")
    ft = np.array(data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)), np.int32)
    classes = np.arange(n, dtype=np.int8)
    sites, counts, with_alt, with_site = columns.split(
        found, np.full(n, reason, np.int8), ft, classes, pairs, raw, blocks
    )
    expected, counted, records = [], Counter(), 0
    at = 0
    for i, (pos, ref, alts, genotype) in enumerate(rows):
        mine, told = alleles.split(pos, ref, alts, columns.LEFT_OUT[reason] if reason >= 0 else None)
        counted += told
        records += bool(mine)
        of_call = [(v >> 1) - 1 if v else None for v in genotype]
        plain = [alt for alt in alts if alleles.ACGT.issuperset(alt)]
        for site in mine:
            code = gt.code_of(pairs[i], site.of)
            carried = any(a in site.of for a in of_call)
            made = carried or not blocks
            twice = len(of_call) == 2 and all(a in site.of for a in of_call)
            alone = len(ref) == len(site.alt) == len(plain) == 1 and "*" not in alts
            depths = [MISSING if i % 3 == 0 else i, i + 0.5, *(float(found.ad[at + k]) for k in (0, site.of[0]))]
            none = (MISSING, END_OF_VECTOR)
            expected.append((
                (site.pos, site.ref, site.alt), code, gt.code_of(raw[i], site.of), i, made, 10 + i if made else None,
                ft[i] if code >= gt.CODE_HET else 0,
                [d if twice and alone and d not in none else None for d in depths],
            ))  # fmt: skip
        at += 1 + len(alts)
    got = [
        (
            (int(sites.pos[j]), *sites.texts(j)), sites.code[j], sites.raw[j], sites.region_class[j], sites.made[j],
            None if np.isnan(sites.qual[j]) else sites.qual[j], sites.ft[j],
            [None if np.isnan(d) else d for d in sites.depths[j].tolist()],
        )
        for j in range(len(sites.pos))
    ]  # fmt: skip
    key = lambda row: (row[3], row[0])  # noqa: E731
    assert sorted(got, key=key) == sorted(expected, key=key)
    assert counts == counted
    assert (with_alt, with_site) == (sum(bool(alts) for _, _, alts, _ in rows), records)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_not_left_aligned_stands_where_it_has_to(tmp_path, seed):
    """bcftools norm changes none of the alleles that it is not asked about."""
    chance = np.random.default_rng(seed)
    bases = "".join(chance.choice(list("AC" if seed else "ACGT"), 3000))
    (tmp_path / "ref.fa").write_text(f">{CONTIG}\n{bases}\n")
    subprocess.run(["samtools", "faidx", tmp_path / "ref.fa"], check=True)
    records = []
    for pos in np.sort(chance.integers(1, 2990, 2000)).tolist():
        ref = bases[pos - 1 : pos - 1 + chance.integers(1, 6)]
        alt = "".join(chance.choice(list("ACGT"), chance.integers(1, 6)))
        alt = ref[:1] + alt if chance.random() < 0.5 else alt
        if len(alt) != len(ref):
            records.append((pos, ref, [alt], [2, 4]))
    sites, *_ = columns.split(
        rows_of(records, 0), np.full(len(records), -1, np.int8), np.zeros(len(records), np.int32),
        np.ones(len(records), np.int8), *(np.tile(np.array([[0, 1]], np.int32), (len(records), 1)) for _ in "ab"), True,
    )  # fmt: skip
    moving = set(columns.may_move(sites).tolist())
    assert 50 < len(moving) < len(sites.pos) - 50
    lines = ["##fileformat=VCFv4.2", f"##contig=<ID={CONTIG},length={len(bases)}>"]
    lines.append("\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO"]))
    for i in sorted(range(len(sites.pos)), key=lambda i: sites.pos[i]):
        ref, alt = sites.texts(i)
        lines.append("\t".join([CONTIG, str(sites.pos[i]), str(i), ref, alt, ".", ".", "."]))
    norm = ["bcftools", "norm", "-f", tmp_path / "ref.fa", "-Ov"]
    out = subprocess.run(norm, input="\n".join([*lines, ""]), text=True, capture_output=True, check=True).stdout
    changed = set()
    for text in out.splitlines():
        if not text.startswith("#"):
            _, pos, i, ref, alt, *_ = text.split("\t")
            if (int(pos), ref, alt) != (sites.pos[int(i)], *sites.texts(int(i))):
                changed.add(int(i))
    assert changed and changed <= moving
