"""Counters of every person, and the common SNVs, of one autosomal region of the harmonised cohort."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from goe.calls import joint
from goe.calls.joint import JointFile
from goe.frequencies.cohort import Cohort, Key, OwnCodes, Positions, Runs, Site, Window, codes_at
from goe.frequencies.strata import DIP, HET, HOM
from goe.genome.build import Region
from goe.harmonise import genotypes as gt
from goe.harmonise.batch import Piece
from goe.harmonise.records import N_CLASSES
from goe.hts.bcf import Reader
from goe.hts.kernels import jit
from goe.sample_qc.charr import add_charr
from goe.sample_qc.metrics import (
    AT,
    CHARR_UNIT,
    COUNTS,
    REGION_SCHEMA,
    CommonSnvs,
    add_carriers,
    allele_kind,
)

# Leaves of the count: people whose file tells where they are reference, and those of single-sample VCFs.
_OTHERS, _VCF = 0, 1


@jit
def _called(runs: Runs, pos: np.ndarray, n: np.ndarray) -> None:
    """n[person] += how many of pos the person's runs hold."""
    person, start, end, _ = runs
    for r in range(person.size):
        n[person[r]] += np.searchsorted(pos, end[r], "right") - np.searchsorted(pos, start[r])


class RegionCounts:
    """int64 (people of the cohort, COUNTS) of a region, in `counts`, and SNVs for relatedness, in `common`.

    Counted are site alleles whose FILTER, that of a joint VCF or the person's own, is PASS, absent or among those that
    are accepted (GA4GH WGS QC v1 counts PASS): a person counts an allele once, het or hom. Transitions and
    transversions are of all SNV alleles carried. A singleton is an allele with one copy in the cohort. n_sites,
    n_sites_called: of people with a gVCF, who can be called at every site allele of the cohort.

    beside: readers over the same joint files as the cohort's, which are read a second time. vcf: of the people of the
    cohort, who came as a single-sample VCF: a site that is absent there is taken as reference for the common SNVs and
    for CHARR, here only; the sites that such a person shares with others would else be those where both carry ALT, and
    everybody their kin. limits: parameters of relatedness and CHARR (resources/guidelines/inference.tsv).
    """

    def __init__(
        self,
        cohort: Cohort,
        beside: Sequence[Reader],
        vcf: Sequence[bool],
        limits: Mapping[str, float],
        autosome_length: int,
    ):
        self.cohort, self.vcf, self.limits = cohort, np.array(vcf, np.bool_), limits
        spacing = max(1, int(autosome_length // limits["kinship_max_candidates"]))
        self.common = CommonSnvs(spacing, limits["kinship_min_maf"], limits["kinship_min_call_rate"])
        self.counts = np.zeros((len(cohort.ids), len(COUNTS)), np.int64)
        self.accepted = {"PASS"}
        self._frequency: dict[Key, float] = {}
        self._beside = [Positions(reader) for reader in beside]

    def run(self, accept: Iterable[str] = ()) -> None:
        """Count the region. accept: FILTERs that count as PASS."""
        self.accepted = {"PASS", *accept}
        leaf = np.repeat(np.where(self.vcf, _VCF, _OTHERS).astype(np.int16)[None, :], N_CLASSES, axis=0)
        for window in self.cohort.windows(leaf, 2):
            self._window(window)

    def add_charr(self, files: Sequence[JointFile], region: Region) -> None:
        """Add the terms of CHARR of the people of joint files, as their records came, after `run`."""
        for file, columns in zip(files, self.cohort.columns, strict=False):
            with joint.opened(file, region, (), ("GT", "AD", "GQ", "DP")) as reader:
                add_charr(reader, self.counts[columns], self.limits, frequencies=self._frequency)

    def table(self) -> pa.Table:
        """REGION_SCHEMA."""
        columns = [pa.array(self.cohort.ids), *(pa.array(column) for column in self.counts.T)]
        return pa.Table.from_arrays(columns, schema=REGION_SCHEMA)

    def common_table(self) -> pa.Table:
        """The common SNVs with a PLINK 1 .bed row each, people sorted by id; metadata `goe`: who, and the spacing."""
        contigs, positions, refs, alts = zip(*self.common.sites, strict=True) if self.common.sites else ((), (), (), ())
        table = pa.table(
            {
                "contig": pa.array(contigs, pa.string()),
                "pos": pa.array(positions, pa.int32()),
                "ref": pa.array(refs, pa.string()),
                "alt": pa.array(alts, pa.string()),
                "bed": pa.array(self.common.rows, pa.binary()),
            }
        )
        about = {"samples": sorted(self.cohort.ids), "spacing": self.common.spacing}
        return table.replace_schema_metadata({"goe": json.dumps(about)})

    def _window(self, window: Window) -> None:
        called = window.counts[0, :, :, DIP].astype(np.int64)
        copies = window.counts[0, :, :, HET].sum(axis=1) + 2 * window.counts[0, :, :, HOM].sum(axis=1)
        of_own = self.cohort.columns[len(self._beside) :]
        self._without_failing(window, of_own, called, copies)
        accepted = np.array([self.accepted.issuperset(site.filters) for site in window.sites], np.bool_)
        pos = window.pos
        alone = np.ones(len(pos), np.bool_)
        alone[1:] &= pos[1:] != pos[:-1]
        alone[:-1] &= pos[1:] != pos[:-1]
        absent = int(self.vcf.sum()) - called[:, _VCF]
        people = called.sum(axis=1) + absent
        frequency = self._frequencies(window.sites, alone, 2 * people - 2, 2 * people - copies)
        chosen = self._choose(window, accepted & alone, people, copies)
        codes = np.zeros((len(chosen), len(self.vcf)), np.int8)
        self._joint(window, accepted, copies, chosen, codes)
        for piece, place, columns in zip(window.pieces, window.places, of_own, strict=True):
            self._batch(window, piece, place, columns, accepted, copies, frequency, chosen, codes)
        codes[:, self.vcf] = np.where(codes[:, self.vcf] == gt.CODE_MISSING, gt.CODE_REF2, codes[:, self.vcf])
        order = np.argsort(np.array(self.cohort.ids))
        for row in codes:
            self.common.add(row[order])

    def _batch(
        self,
        window: Window,
        piece: Piece,
        place: np.ndarray,
        columns: slice,
        accepted: np.ndarray,
        copies: np.ndarray,
        frequency: np.ndarray,
        chosen: list[int],
        codes: np.ndarray,
    ) -> None:
        """People of a batch; nothing of its rows and runs is held afterwards."""
        part, runs = _Own.of(piece.read_rows(), place, columns, self.accepted), Runs.of(piece.read_runs())
        self._own(window.sites, part, accepted, copies)
        self._callable(window.pos, part, runs)
        self._charr(part, frequency)
        self._at_chosen(window.pos, part, runs, chosen, codes)

    def _without_failing(self, window: Window, of_own: Sequence[slice], called: np.ndarray, copies: np.ndarray) -> None:
        """Take out of called (sites, leaves) and copies (sites,) the carriers whose own FILTER says that the call
        fails."""
        for failing, place, columns in zip(window.failing, window.places, of_own, strict=True):
            part = _Own.of(failing, place, columns, self.accepted)
            fails = (part.at >= 0) & ~part.passing & part.carrier
            leaf = np.where(self.vcf[columns][part.person], _VCF, _OTHERS)
            np.subtract.at(called, (part.at[fails], leaf[fails]), 1)
            np.subtract.at(copies, part.at[fails], part.code[fails] - gt.CODE_REF2)

    def _frequencies(
        self, sites: Sequence[Site], alone: np.ndarray, others: np.ndarray, reference: np.ndarray
    ) -> np.ndarray:
        """float64 (sites,): REF alleles by alleles of the other people, of the SNVs that CHARR may use, 0 elsewhere:
        alone at their position and within limits. Kept for the people of joint files, too."""
        limits = self.limits
        with np.errstate(divide="ignore", invalid="ignore"):
            frequency = reference / others
        good = alone & (others >= limits["charr_min_alleles"]) & (reference > 0)
        good &= (frequency > limits["charr_min_ref_af"]) & (frequency < limits["charr_max_ref_af"])
        usable = np.zeros(len(sites))
        for at in np.flatnonzero(good).tolist():
            if allele_kind(sites[at].ref, sites[at].alt) == "snv":
                usable[at] = self._frequency[sites[at].key] = float(frequency[at])
        return usable

    def _choose(self, window: Window, good: np.ndarray, called: np.ndarray, copies: np.ndarray) -> list[int]:
        """Places of the sites that `common` takes; it has their names afterwards, and not yet their genotypes."""
        chosen = []
        for at in np.flatnonzero(good).tolist():
            site = window.sites[at]
            if len(site.ref) == len(site.alt) == 1 and self.common.wants(
                window.contig, site.pos, len(self.vcf), int(called[at]), int(copies[at])
            ):
                self.common.sites.append((window.contig, *site.key))
                chosen.append(at)
        return chosen

    def _joint(
        self, window: Window, accepted: np.ndarray, copies: np.ndarray, chosen: list[int], codes: np.ndarray
    ) -> None:
        """Carriers of the joint files, and everybody of them at the chosen sites."""
        number = {site.key: at for at, site in enumerate(window.sites)}
        row_of = {window.sites[at].pos: (row, window.sites[at]) for row, at in enumerate(chosen)}
        for stream, columns in zip(self._beside, self.cohort.columns, strict=False):
            counts = self.counts[columns]
            for records in stream.upto(window.end):
                for record in records:
                    at = number[record.pos, record.ref, record.alts[0]] if record.alts else -1
                    if at < 0 or not accepted[at]:
                        continue
                    genotypes = gt.codes_from_gt(record.formats["GT"])
                    carriers = np.flatnonzero((genotypes == gt.CODE_HET) | (genotypes == gt.CODE_HOM))
                    if carriers.size:
                        hom = genotypes[carriers] == gt.CODE_HOM
                        add_carriers(counts, carriers, hom, record.ref, record.alts[0], copies[at] == 1)
                if records[0].pos in row_of:
                    row, site = row_of[records[0].pos]
                    codes[row, columns] = codes_at(records, site, stream.people)

    def _own(self, sites: Sequence[Site], part: "_Own", accepted: np.ndarray, copies: np.ndarray) -> None:
        """Carriers with files of their own."""
        take = (part.at >= 0) & part.carrier & part.passing
        take[take] = accepted[part.at[take]]
        at, code, person = part.at[take], part.code[take], part.person[take]
        order = np.argsort(at, kind="stable")
        at, code, person = at[order], code[order], person[order]
        edges = np.flatnonzero(np.diff(at, prepend=-1, append=-1))
        for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            site = sites[at[start]]
            hom = code[start:stop] == gt.CODE_HOM
            counts = self.counts[part.columns]
            add_carriers(counts, person[start:stop], hom, site.ref, site.alt, copies[at[start]] == 1)

    def _callable(self, pos: np.ndarray, part: "_Own", runs: Runs) -> None:
        counts = self.counts[part.columns]
        called = np.zeros(len(counts), np.int64)
        _called(runs, pos, called)
        listed = part.at >= 0
        base = part.rows["base"].to_numpy()
        more = (part.code > 0).astype(np.int64) - (base > 0)
        np.add.at(called, part.person[listed], more[listed])
        counts[:, AT["n_sites"]] += len(pos)
        counts[:, AT["n_sites_called"]] += called

    def _at_chosen(self, pos: np.ndarray, part: "_Own", runs: Runs, chosen: list[int], codes: np.ndarray) -> None:
        """Fill codes (chosen, people) of a batch; a call that fails by its own FILTER is missing there."""
        # One more, which the place -1 is.
        row_of = np.full(len(pos) + 1, -1)
        row_of[chosen] = np.arange(len(chosen))
        row = row_of[part.at]
        own_codes = codes[:, part.columns]
        own_codes[:] = OwnCodes(own_codes.shape[1], runs, part.rows, row, pos[chosen]).part(0, len(chosen))
        fails = (row >= 0) & ~part.passing
        own_codes[row[fails], part.person[fails]] = gt.CODE_MISSING

    def _charr(self, part: "_Own", frequency: np.ndarray) -> None:
        """Terms of CHARR of hom-alt calls. frequency: `_frequencies`."""
        limits, rows, person = self.limits, part.rows, part.person
        counts = self.counts[part.columns]
        take = (part.at >= 0) & (rows["raw"].to_numpy() == gt.CODE_HOM)
        take[take] = frequency[part.at[take]] > 0
        np.add.at(counts[:, AT["charr_sites"]], person[take], 1)
        gq, dp, ad_ref, ad_alt = (rows[name].to_numpy() for name in ("gq", "dp", "ad_ref", "ad_alt"))
        depth = ad_ref + ad_alt
        without = take & np.isnan(depth)
        np.add.at(counts[:, AT["charr_no_ad"]], person[without], 1)
        dp = np.where(np.isnan(dp), depth, dp)
        take &= ~np.isnan(depth) & (depth > 0) & (np.isnan(gq) | (gq >= limits["charr_min_gq"]))
        take &= (dp >= limits["charr_min_dp"]) & (dp <= limits["charr_max_dp"])
        terms = ad_ref[take].astype(np.float64) / depth[take] / frequency[part.at[take]]
        np.add.at(counts[:, AT["charr_sum"]], person[take], np.rint(terms * CHARR_UNIT).astype(np.int64))
        np.add.at(counts[:, AT["charr_n"]], person[take], 1)


class _Own(NamedTuple):
    """Rows of a batch in a window. columns: of its people in the cohort; at: place of the site allele, -1 for none;
    person, code: of each row; carrier: whether that is het or hom; passing: whether its own FILTER leaves it."""

    rows: pa.Table
    columns: slice
    at: np.ndarray
    person: np.ndarray
    code: np.ndarray
    carrier: np.ndarray
    passing: np.ndarray

    @classmethod
    def of(cls, rows: pa.Table, place: np.ndarray, columns: slice, accepted: set[str]) -> "_Own":
        code = rows["code"].to_numpy()
        reasons = rows["ft"].to_pylist()
        passing = [text is None or accepted.issuperset(text.split(";")) for text in reasons]
        carrier = (code == gt.CODE_HET) | (code == gt.CODE_HOM)
        at = place[rows["site"].to_numpy()]
        return cls(rows, columns, at, rows["person"].to_numpy(), code, carrier, np.array(passing, np.bool_))
