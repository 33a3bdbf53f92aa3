"""A sites VCF that another pipeline counted, brought to the form of the sum.

INFO tags are those of the Genome of Europe pilot (Genome-of-Europe/pgx_pilot), of bcftools +fill-tags and of the EGA
pipeline (EGA-archive/AF_bcftools_pipeline): a metric AC, AN or AF, and in any order a country, a sex (M, F, MALE,
FEMALE) and a zygosity (AC alone). QC_STATUS of the pilot stands for FILTER where it does not pass. Other tags are left.

Nothing in such a file says by which rules it was counted, so every rule that its numbers can break is asked of them;
what passes is still told as counted by others.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from goe.check import readback
from goe.check.faults import Faults
from goe.check.rows import families
from goe.collect import form
from goe.collect.dataset import Dataset, File
from goe.core import manifest
from goe.core.errors import GoeError, Problem, stop_on
from goe.disclosure.silence import UNKNOWN, Silence
from goe.frequencies import strata as st
from goe.frequencies.block import Block
from goe.genome.build import canonical, contig_class, recognise
from goe.hts.vcf_header import VcfHeader
from goe.release import bounds
from goe.release.reading import reading, vcf_header
from goe.rules.stratum import PUBLISHED, TOTAL, parse

_MEND = "ask who counted it: it was not counted by rules that can be added up"
_SEX = {"M": "M", "F": "F", "MALE": "M", "FEMALE": "F"}
_ZYGOSITY = {"Hom": "ac_hom", "Het": "ac_het", "Hemi": "ac_hemi"}
_STATUS = "QC_STATUS"
# AF is written with six digits or more.
_AF = 1e-5
MOST_UNPACKED = 200
"""Times its size that a compressed file may unpack to; a sites VCF is some 10 to 40 times as large."""
_SMALL = 1 << 28
_PIECE = 1 << 22


@dataclass(frozen=True)
class Tags:
    """INFO tag of each number: stratum -> key of the number -> tag. left: tags of counts that name no stratum here."""

    of: dict[str, dict[str, str]]
    left: tuple[str, ...]

    @property
    def strata(self) -> tuple[str, ...]:
        return tuple(form.ordered(s for s, tags in self.of.items() if {"ac", "an"} <= set(tags)))

    @property
    def zygosity(self) -> tuple[str, ...]:
        """Strata whose heterozygotes and homozygotes are told."""
        return tuple(s for s in self.strata if {"ac_hom", "ac_het"} <= set(self.of[s]))


def tags(header: VcfHeader) -> Tags:
    """The tags of a header; GoeError when two name one number, or AC and AN of everybody are missing."""
    found: dict[str, dict[str, str]] = {}
    left, problems = [], []
    for tag in header.of("INFO"):
        metric, *words = tag.split("_")
        if metric not in ("AC", "AN", "AF"):
            continue
        key, country, sex = metric.lower(), "", ""
        known = True
        for word in words:
            if word in _ZYGOSITY and key == "ac":
                key = _ZYGOSITY[word]
            elif word in _SEX and not sex:
                sex = _SEX[word]
            elif PUBLISHED.fullmatch(word) and parse(word).is_country and not country:
                country = word
            else:
                known = False
        stratum = "_".join(filter(None, (country, sex))) or TOTAL
        if not known:
            left.append(tag)
        elif key in found.setdefault(stratum, {}):
            what = f"INFO {tag} and {found[stratum][key]} are both {key} of {stratum}"
            problems.append(Problem("header", what, "leave one of them out of the file"))
        else:
            found[stratum][key] = tag
    for key in ("ac", "an"):
        if key not in found.get(TOTAL, {}):
            problems.append(Problem("header", f"has no INFO {key.upper()}", "counts are needed: AF alone is no count"))
    stop_on(problems)
    return Tags(found, tuple(left))


def take(one: Dataset, path: Path, work: Path) -> list[Problem]:
    """Read the file once from end to end; what is wrong with it."""
    if not path.is_file():
        return [Problem(one.name, "is no file", "give a compressed VCF")]
    one.digest = manifest.digest(path)
    _bounded(path)
    header = vcf_header(path)
    problems = list(header.problems)
    if header.lines[-1].count("\t") != 7:
        # Not read any further: what follows are people.
        return [Problem("header", "has columns behind INFO: genotypes of people", "it must not have left its country")]
    named = tags(header)
    lengths, contigs = _contigs(header)
    reference = [line.partition("=")[2] for line in header.lines if line.startswith("##reference=")]
    build = recognise(lengths) or next((name for name in reference if re.fullmatch(r"[\w.-]+", name)), "")
    if not build:
        problems.append(Problem("header", "its contigs are those of no known build", "give contigs with lengths"))
    if problems:
        return problems
    strata = named.strata
    if len(strata) > bounds.STRATA:
        return [Problem("header", f"names {len(strata):,} strata: at most {bounds.STRATA} are read", _MEND)]
    people = dict.fromkeys(strata, 0)
    faults = Faults("records", _MEND)
    tables = work / "wide"
    tables.mkdir()
    done: list[str] = []
    out: form.Table | None = None
    try:
        for block in _blocks(path, named, lengths, faults):
            if block.contig not in lengths:
                stop_on([Problem("records", f"are on {block.contig}, which the header does not have", _MEND)])
            if not done or block.contig != done[-1]:
                if block.contig in done:
                    stop_on([Problem("records", f"of {block.contig} are in two places", "sort the file")])
                if out:
                    out.file.close()
                done.append(block.contig)
                out = form.Table(tables / f"{block.contig}.parquet", block.contig, people | {TOTAL: 0})
            _numbers(block, named, lengths, faults)
            assert out is not None
            out.write(block)
            for s, stratum in enumerate(strata):
                most = int(block.numbers.an[s].max(initial=0))
                people[stratum] = max(people[stratum], -(-most // 2))
            if faults.problems:
                return faults.problems
    finally:
        if out:
            out.file.close()
    # A contig without records is one where nobody listed anything: nothing is known of it.
    one.tables = {name: File.of(tables / f"{name}.parquet") for name in done}
    one.people, one.exact_people, one.silence = people, False, Silence(UNKNOWN)
    one.zygosity = named.zygosity
    one.terms = {"build": build, "contigs": contigs}
    one.manner = {"min_carriers": None, "policy": None, "made_with": one.counted_by, "alleles": None}
    if named.left:
        one.notes.append(f"INFO tags that name no stratum were left: {', '.join(named.left[:20])}")
    return []


def _bounded(path: Path) -> None:
    """GoeError when a file unpacks to far more than a VCF does: 10 GB of zeros come as 10 MB."""
    most = max(_SMALL, MOST_UNPACKED * path.stat().st_size)
    size = 0
    with reading(path), pa.input_stream(str(path), compression="gzip") as stream:
        while piece := stream.read(_PIECE):
            size += len(piece)
            if size > most:
                what = f"unpacks to more than {MOST_UNPACKED} times its size"
                raise GoeError(Problem("file", what, "it is no sites VCF: do not use it"))


def _contigs(header: VcfHeader) -> tuple[dict[str, int], list[dict]]:
    lengths, contigs = {}, []
    for name, declared in header.of("contig").items():
        if canonical(name) and declared.length:
            lengths[name] = declared.length
            contigs.append({"name": name, "length": declared.length, "md5": declared.values.get("md5")})
    if not contigs:
        stop_on([Problem("header", "has no primary contig with its length", "give one with contig lines")])
    return lengths, contigs


def _blocks(path: Path, named: Tags, lengths: Mapping[str, int], faults: Faults) -> Iterator[Block]:
    """The records as blocks of one contig; their place and bases are asked for here."""
    strata = named.strata
    last: tuple[str, int, str, str] = ("", 0, "", "")
    for table, found in readback.vcf_records(path, bounds.CELLS // (len(strata) * len(_KEYS))):
        rows = table.num_rows
        with reading(path):
            cells = {
                (s, key): readback.numbers_of(found, tag, rows) for s in strata for key, tag in named.of[s].items()
            }
        verdict = _filter(table, found, rows)
        contig = table["contig"].combine_chunks()
        codes = contig.dictionary_encode().indices.to_numpy()
        starts = np.flatnonzero(np.diff(codes, prepend=-1))
        for start, end in zip(starts, [*starts[1:], rows], strict=True):
            part = slice(int(start), int(end))
            texts = {k: table[k].combine_chunks()[part] for k in ("ref", "alt")}
            name = contig[part.start].as_py()
            pos = table["pos"].combine_chunks()[part]
            last = _bases(name, pos, texts["ref"], texts["alt"], lengths.get(name, 0), last, faults)
            if faults.problems:
                stop_on(faults.problems)
            values = {key: np.stack([_of(cells, s, key, rows)[part] for s in strata]) for key in _KEYS}
            given = ~np.isnan(values["ac"]) & ~np.isnan(values["an"])
            with np.errstate(invalid="ignore"):
                af = np.abs(values["af"] - values["ac"] / values["an"])
            _whole(name, pos, values, faults)
            faults.add("AF is not AC / AN", (given & (af > _AF)).any(axis=0), _name(name, pos))
            numbers = {key: np.where(given, np.nan_to_num(values[key]), 0).astype(np.int32) for key in _KEYS[:5]}
            yield Block(
                name,
                pos,
                texts["ref"],
                texts["alt"],
                verdict[part],
                given,
                strata,
                st.Numbers(nhomalt=numbers["ac_hom"] // 2, **numbers),
                {},
            )


_KEYS = ("ac", "an", "ac_hom", "ac_het", "ac_hemi", "af")


def _of(cells: Mapping, stratum: str, key: str, rows: int) -> np.ndarray:
    return cells.get((stratum, key), np.full(rows, np.nan))


def _whole(contig: str, pos: pa.Array, values: Mapping[str, np.ndarray], faults: Faults) -> None:
    for key in _KEYS[:5]:
        some = values[key]
        with np.errstate(invalid="ignore"):
            bad = (some < 0) | (some != np.floor(some)) | (some > 1 << 30)
        faults.add(f"{key} of a stratum is no count", (bad & ~np.isnan(some)).any(axis=0), _name(contig, pos))


def _name(contig: str, pos: pa.Array):  # type: ignore[no-untyped-def]
    return lambda row: f"{contig}:{pos[row].as_py()}"


def _filter(table: pa.Table, found: Mapping, rows: int) -> pa.Array:
    """FILTER, and the words of QC_STATUS that fail; `.` is taken for PASS, as most callers write it."""
    reasons = table["filter"].combine_chunks()
    reasons = pc.if_else(pc.is_in(reasons, pa.array([".", "", "PASS"])), "PASS", reasons)
    if _STATUS in found:
        at, texts = found[_STATUS]
        words = np.full(rows, "", dtype=object)
        words[at] = pc.fill_null(texts, "").to_numpy(zero_copy_only=False)
        failed = pa.array([";".join(w for w in str(text).split(",") if w.startswith("FAIL")) for text in words])
        passed, bad = pc.equal(reasons, "PASS"), pc.not_equal(failed, "")
        reasons = pc.if_else(
            bad, pc.if_else(passed, failed, pc.binary_join_element_wise(reasons, failed, ";")), reasons
        )
    return reasons


def _bases(
    contig: str, pos: pa.Array, ref: pa.Array, alt: pa.Array, length: int, last: tuple, faults: Faults
) -> tuple[str, int, str, str]:
    """Order, place and form of alleles: what is not split, trimmed and sorted meets no allele of the others."""
    name = _name(contig, pos)
    at = pos.to_numpy(zero_copy_only=False).astype(np.int64)
    size, other = (pc.binary_length(bases).to_numpy().astype(np.int64) for bases in (ref, alt))
    for bases in (ref, alt):
        good = pc.match_substring_regex(bases, "^[ACGT]+$").to_numpy(zero_copy_only=False)
        faults.add("has other letters than A, C, G, T, or several alleles in a row", ~good, name)
    faults.add(f"is not within the {length} bases of {contig}", (at < 1) | (at + size - 1 > length), name)
    longer = (size > 1) & (other > 1)
    ends = pc.or_(
        pc.equal(pc.utf8_slice_codeunits(ref, 0, 1), pc.utf8_slice_codeunits(alt, 0, 1)),
        pc.equal(pc.utf8_slice_codeunits(ref, -1), pc.utf8_slice_codeunits(alt, -1)),
    ).to_numpy(zero_copy_only=False)
    faults.add("is not trimmed", longer & ends, name)
    faults.add("is several SNVs in one", longer & (size == other) & ~ends, name)
    faults.add("is no change", pc.equal(ref, alt).to_numpy(zero_copy_only=False), name)
    before = np.concatenate(([last[1] if last[0] == contig else 0], at[:-1]))
    bad = at < before
    for row in np.flatnonzero(at == before):
        allele = (ref[int(row)].as_py(), alt[int(row)].as_py())
        previous = (ref[int(row) - 1].as_py(), alt[int(row) - 1].as_py()) if row else last[2:]
        bad[row] = allele <= previous
    faults.add("is out of order (position, REF, ALT) or there twice", bad, name)
    return contig, int(at[-1]), ref[-1].as_py(), alt[-1].as_py()


def _numbers(one: Block, named: Tags, lengths: Mapping[str, int], faults: Faults) -> None:
    """What the numbers of an allele say of each other, and what ploidy allows."""
    n, shown, name = one.numbers, one.mask, _name(one.contig, one.pos)
    kind = contig_class(one.contig)
    index = {s: i for i, s in enumerate(one.strata)}
    faults.add("AC or AN of everybody is missing", ~shown[index[TOTAL]], name)
    for s, i in index.items():
        faults.add(f"{s}: AC is above AN", shown[i] & (n.ac[i] > n.an[i]), name)
        if s in named.zygosity:
            parts = n.ac_hom[i] + n.ac_het[i] + n.ac_hemi[i]
            faults.add(f"{s}: AC_Hom, AC_Het and AC_Hemi are not AC", shown[i] & (parts != n.ac[i]), name)
            faults.add(f"{s}: AC_Hom is odd: it counts alleles", shown[i] & (n.ac_hom[i] % 2 == 1), name)
        women = parse(s).sex == "F"
        if kind == "autosome" or (kind == "X" and women):
            faults.add(f"{s}: AC_Hemi where everybody is diploid", shown[i] & (n.ac_hemi[i] > 0), name)
            faults.add(f"{s}: AN is odd where everybody is diploid", shown[i] & (n.an[i] % 2 == 1), name)
        if kind == "Y" and women:
            faults.add(f"{s}: AN on Y", shown[i] & (n.an[i] > 0), name)
        if kind in ("Y", "M") and s in named.zygosity:
            diploid = (n.ac_hom[i] > 0) | (n.ac_het[i] > 0)
            faults.add(f"{s}: AC_Hom or AC_Het where everybody is haploid", shown[i] & diploid, name)
    for parent, children in families(one.strata):
        rows, p = [index[c] for c in children], index[parent]
        both_shown = shown[rows] & shown[p]
        for key in ("ac", "an"):
            sums = np.where(both_shown, getattr(n, key)[rows], 0).sum(axis=0)
            what = f"{key.upper()} of {' and '.join(children)} is above that of {parent}"
            faults.add(what, shown[p] & (sums > getattr(n, key)[p]), name)
