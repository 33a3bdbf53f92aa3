"""Bases that are not N."""

import pytest
from goe.genome import bases
from goe.genome.build import Build

BUILD = Build("toy", {"1": 100, "X": 50, "Y": 40}, [("X", 1, 10), ("Y", 1, 10)])


@pytest.mark.parametrize("chunk", [100, 7])
def test_runs_of_the_autosomes_hold_their_bases(monkeypatch, chunk):
    sequence = {"1": "NN" + "A" * 40 + "n" + "C" * 30 + "N" * 17 + "G" * 10, "X": "A" * 50, "Y": "A" * 40}

    def fetch(contig, start, end):
        # The reference is read in pieces; a run that goes over a border is one.
        return sequence[contig][start:end]

    monkeypatch.setattr(bases, "PIECE", chunk)
    assert list(bases.autosome_runs(BUILD, fetch)) == [("1", 2, 42), ("1", 43, 73), ("1", 90, 100)]


def test_reference_without_autosomes_has_no_runs():
    assert list(bases.autosome_runs(Build("toy", {"X": 50}, []), lambda *_: "A" * 50)) == []
