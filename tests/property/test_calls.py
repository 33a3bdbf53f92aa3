"""Lines of bcftools: the kernels that pass them on say what plain Python says, whatever pieces they come in."""

import io
from unittest.mock import patch

import pytest
from goe.calls import gvcf
from helpers import plain_calls
from hypothesis import given
from hypothesis import strategies as st

CONTIGS = ("chr1", "chr1_alt")
SEQUENCE = "ACACCCNTTAGCGCGNACGT"
GAPS = gvcf.gaps_of(SEQUENCE, 1)
# Mostly of one block: what joins them is decided by tenths of a depth.
NEAR = st.sampled_from(["28", "30", "31", "33", "34", "38", "39", "40", "41", "44"])
NUMBERS = NEAR | NEAR | st.sampled_from(["0", "1", "4", "7", "9", "10", "12", "15", "30", "41", "127", "1000", "."])


def joined(*cells):
    return "\t".join(map(str, cells)).encode()


@st.composite
def pileup(draw):
    """A line as mpileup writes it, with odd likelihoods."""
    n = draw(st.sampled_from([1, 1, 2, 3, 4]))
    likelihoods = draw(st.lists(NUMBERS, min_size=1, max_size=(n + 1) * (n + 2) // 2 + 1))
    keys = draw(st.permutations(["PL", "DP", "AD"]))
    cells = [",".join(likelihoods) if key == "PL" else draw(NUMBERS) for key in keys]
    alts = ",".join(["C", "G", "TT"][: n - 1] + ["<*>"])
    return joined("chr1", draw(st.integers(1, 999)), ".", "A", alts, 0, ".", "DP=3", ":".join(keys), ":".join(cells))


@st.composite
def calls(draw):
    """Lines as call writes them: positions mostly follow each other; blocks, calls of REF, indels, variants."""
    lines, at = [], 1
    contig = CONTIGS[0]
    for _ in range(draw(st.integers(0, 12))):
        if draw(st.integers(0, 9)) == 0:
            contig, at = CONTIGS[1], 1
        at += draw(st.sampled_from([0] * 8 + [1, 2]))
        gt = draw(st.sampled_from(["0/0", "0/0", "0/0", "0", "./.", "."]))
        dp, gq = draw(NUMBERS), draw(NUMBERS)
        kind = draw(st.sampled_from(["block", "block", "block", "base", "base", "indel", "variant", "deletion"]))
        row = [contig, at, ".", SEQUENCE[(at - 1) % len(SEQUENCE)], ".", draw(st.sampled_from([".", "29.7"])), "."]
        if kind in ("variant", "deletion"):
            length = draw(st.integers(2, 4)) if kind == "deletion" else 1
            ref = (SEQUENCE * 4)[(at - 1) % len(SEQUENCE) :][:length]
            alts = [ref[0]] if kind == "deletion" else draw(st.sampled_from([["C"], ["G", "TT"]]))
            gt = draw(st.sampled_from(["0/1", "1/1", "1", "1/2", "./."]))
            keys = ["GT", "PL", "DP", *draw(st.sampled_from([["AD"], []])), "RGQ", "GQ"]
            cells = {"GT": gt, "PL": "9,0,9", "DP": dp, "AD": "3,9", "RGQ": "0", "GQ": gq}
            info = draw(st.sampled_from(["INDEL;IDV=3", "DP=9", "."]))
            row = [*row[:3], ref, ",".join(alts), *row[5:]]
            lines.append(joined(*row, info, ":".join(keys), ":".join(cells[key] for key in keys)))
            continue
        stop = at + draw(st.integers(0, 3)) if kind == "block" else at
        info = f"END={stop};MinDP=3" if kind == "block" else draw(st.sampled_from(["MinDP=3;AN=2", ".", "WEND=7;DP=3"]))
        if kind == "indel":
            info, row[3] = "INDEL;IDV=3;END=99", row[3] + "TT"
        keys = ["GT", "DP", *draw(st.sampled_from([["RGQ"], ["AD", "RGQ"], []]))]
        cells = {"GT": gt, "DP": dp, "AD": "3", "RGQ": gq}
        values = [cells[key] for key in keys][: draw(st.sampled_from([9, 9, 9, 2]))]
        lines.append(joined(*row, info, ":".join(keys), ":".join(values)))
        at = stop + (kind != "indel" and draw(st.integers(0, 9)) > 0)
    return lines


def through(change, lines, piece):
    out = io.BytesIO()
    with patch.object(gvcf, "_CHUNK", piece):
        gvcf.filter_stream(io.BytesIO(b"\n".join(lines)), out, change)
    return [line for line in out.getvalue().splitlines() if not line.startswith(b"#")]


PIECES = st.sampled_from([64, 1 << 12])


@given(st.lists(pileup(), max_size=6), st.booleans(), PIECES)
def test_confidence(lines, haploid, piece):
    with patch.object(gvcf, "_CHUNK", piece):
        change = gvcf.Confidence(haploid)
    assert through(change, lines, piece) == list(plain_calls.with_confidence(lines, haploid))


@pytest.mark.parametrize("thresholds", [([], []), ([8, 40], [41])])
@given(calls(), PIECES)
def test_blocks(thresholds, lines, piece):
    with patch.object(gvcf, "_CHUNK", piece):
        change = gvcf.Blocks({}, "P", *thresholds, GAPS)
    assert through(change, lines, piece) == list(plain_calls.from_bcftools(lines, *thresholds, GAPS))
