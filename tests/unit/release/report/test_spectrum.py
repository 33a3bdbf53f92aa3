"""The spectrum counts what is public, as a plain recount does."""

import json
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from goe.core.errors import GoeError
from goe.pages.svg import EDGES
from goe.release.report.spectrum import CLASSES, Spectrum, combine
from helpers.blocks import LEAVES, block, random_block, sequence, with_other_hidden_numbers

TEXT = sequence(4000, seed=3)
EXACT_EDGES = [Fraction(step) * Fraction(10) ** power for power in range(-7, 0) for step in (1, 2, 5)] + [Fraction(1)]


def spectrum(*blocks):
    out = Spectrum(blocks[0].strata)
    for one in blocks:
        out.add(one)
    return out.as_dict()


def plain(blocks):
    """The same counts, one allele after the other, with exact fractions."""
    out = {"classes": Counter(), "bins": Counter(), "filters": Counter(), "seen": Counter(), "shown": Counter()}
    out |= {"visibility": Counter(), "unseen": 0, "without": 0, "ti": 0, "tv": 0}
    for one in blocks:
        total = one.strata.index("Total")
        for i in range(len(one)):
            ref, alt, reasons = one.ref[i].as_py(), one.alt[i].as_py(), one.filter[i].as_py()
            kind = {(True, True): "SNV", (True, False): "insertion", (False, True): "deletion"}.get(
                (len(ref) == 1, len(alt) == 1), "complex"
            )
            verdict = "PASS" if reasons == "PASS" else "filtered"
            out["classes"][kind, verdict] += 1
            out["filters"].update(reasons.split(";"))
            ac, an = int(one.numbers.ac[total, i]), int(one.numbers.an[total, i])
            if not one.mask[total, i] or not an:
                out["without"] += 1
            elif not ac:
                out["unseen"] += 1
            else:
                place = next(b for b, edge in enumerate(EXACT_EDGES) if Fraction(ac, an) <= edge)
                out["bins"][kind, verdict, place] += 1
            if kind == "SNV" and verdict == "PASS":
                out["ti" if {ref, alt} in ({"A", "G"}, {"C", "T"}) else "tv"] += 1
            for s, stratum in enumerate(one.strata):
                out["shown"][stratum] += int(one.mask[s, i])
                out["seen"][stratum] += int(one.mask[s, i] and one.numbers.ac[s, i] > 0)
            shown = int(one.mask[:, i].sum())
            out["visibility"]["all" if shown == len(one.strata) else "some" if shown > 1 else "total"] += 1
    return out


def same(found, expected):
    verdicts = ("PASS", "filtered")
    assert {(c, v): found["classes"][c][v] for c in CLASSES for v in verdicts if found["classes"][c][v]} == dict(
        expected["classes"]
    )
    bins = {(c, v, i): n for c in CLASSES for v in verdicts for i, n in enumerate(found["bins"][c][v]) if n}
    assert bins == dict(expected["bins"])
    assert found["filters"] == dict(expected["filters"])
    for which in ("shown", "seen"):
        assert {s: c[which] for s, c in found["cells"].items()} == dict(expected[which])
    assert {k: n for k, n in found["visibility"].items() if n} == dict(expected["visibility"])
    assert (found["unseen"], found["without_frequency"]) == (expected["unseen"], expected["without"])
    assert (found["transitions"], found["transversions"]) == (expected["ti"], expected["tv"])


@pytest.mark.parametrize("seed", range(3))
def test_counts_are_those_of_a_plain_recount(seed):
    one = random_block("chr1", TEXT, seed=seed, every=5)
    # Whole alleles with Total alone, with everything, and without Total, as other policies may have them.
    rng = np.random.default_rng(seed)
    mask = one.mask.copy()
    mask[1:, rng.random(len(one)) < 0.3] = False
    mask[:, rng.random(len(one)) < 0.3] = True
    mask[0, rng.random(len(one)) < 0.1] = False
    one = replace(one, mask=mask)
    assert len(set(mask.sum(axis=0))) > 3
    same(spectrum(one), plain([one]))


def test_contigs_add_up():
    parts = [random_block(name, TEXT, seed=i) for i, name in enumerate(("chr1", "chr2", "chrX"))]
    spectra = [spectrum(one) for one in parts]
    found = combine([json.loads(json.dumps(s)) for s in spectra])
    same(found, plain(parts))
    assert list(found["contigs"]) == ["chr1", "chr2", "chrX"]
    assert found["contigs"]["chr2"]["alleles"] == len(parts[1])
    assert combine(spectra[:1]) == spectra[0]
    assert combine([combine(spectra[:2]), spectra[2]]) == found


def test_hidden_numbers_are_not_counted():
    one = random_block("chr1", TEXT, seed=9)
    one = replace(one, mask=one.mask & (np.arange(len(one)) % 3 > 0))
    assert spectrum(one) == spectrum(with_other_hidden_numbers(one))


def test_a_frequency_on_an_edge_is_in_the_bin_that_ends_there():
    """EDGES are doubles and AC / AN is one: no edge may fall to the wrong side by rounding."""
    assert [Fraction(str(edge)) for edge in EDGES] == EXACT_EDGES
    for i, edge in enumerate(EXACT_EDGES):
        for times in (1, 3, 7, 11):
            ac, an = edge.numerator * times, edge.denominator * times
            assert np.searchsorted(EDGES, np.array([ac]) / np.array([an]), side="left") == i


def test_alleles_of_an_empty_release_are_none():
    people = np.zeros((len(LEAVES), 5, 0), np.int32)
    found = spectrum(block("chr1", [], people))
    assert found["contigs"] == {"chr1": {"alleles": 0, "PASS": 0}}
    assert found["filters"] == {} and not any(map(sum, (b["PASS"] for b in found["bins"].values())))


def test_other_strata_are_refused():
    people = np.zeros((len(LEAVES), 5, 1), np.int32)
    one = block("chr1", [(1, "A", "C")], people)
    other = block("chr2", [(1, "A", "C")], people, strata=("Total", "EE"))
    with pytest.raises(ValueError, match="EE"):
        spectrum(one, other)
    with pytest.raises(GoeError, match="different strata"):
        combine([spectrum(one), spectrum(other)])
    with pytest.raises(GoeError, match="no contig"):
        combine([])
