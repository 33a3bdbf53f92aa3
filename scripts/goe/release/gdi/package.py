"""The GDI dataset package, built directly: what `gdi-dataset-tool build` makes of the sites VCF of PASS alleles.

Made in two steps. `Writer` writes the data files of one contig, a row for each PASS allele and public stratum
with called alleles, in files of 10 Mb. `assemble` puts the files of all contigs into the folder of the package,
with the header of the sites VCF cut to its structural lines and `manifest.json`; `pack` makes the TAR of it.
`gdi_check.check` reads either again. All of it is a function of the public release: what is withheld is not in the
sites VCF, so the counts of the conversion say nothing that the release does not.

`minAlleleCount` is a floor in alleles that every node applies again, with its rule that one row below it takes
all rows but Total with it (crates/core/src/kanon.rs and convert.rs of GenomicDataInfrastructure/gdi-node-standalone).
It is applied here likewise. With the smallest number of carriers as its value it takes nothing from a release whose
cells hold that many people. A stratum that this release withholds is just not there: the format takes a part of the
populations of an allele (hierarchy.rs: a breakdown may be incomplete), and that nothing can be derived from
the others is what the release's own disclosure control and audit are for.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from goe.core import manifest, tar
from goe.core.errors import GoeError, Problem, stop_on
from goe.frequencies import strata as st
from goe.frequencies.block import Block
from goe.release import reading
from goe.release.gdi import format as gdi
from goe.release.gdi import metadata as gdi_metadata
from goe.release.gdi import rows as gdi_rows
from goe.release.metadata import health_dcat
from goe.rules.stratum import PUBLISHED
from goe.settings.sections import Config

SUMMARY = "summary.json"
COMPRESSION_LEVEL = 3
# Sizes of the format's own writer (crates/core/src/parquet_io.rs), which nodes read fast.
ROW_GROUP = 65_536
PAGE = 4096
# Bytes of REF and ALT of the rows of a row group: far below what a node takes.
_GROUP_BYTES = 64 << 20
_NUMBERS = {"AC": "ac", "AC_HOM": "ac_hom", "AC_HET": "ac_het", "AC_HEMI": "ac_hemi", "AN": "an"}
_FAULT = "a fault in goe: please report it with the versions used"


@dataclass(frozen=True)
class _Alleles:
    """Alleles that wait to be written. pos int64 from 0, ref and alt string arrays (alleles,); kept bool and
    numbers int (populations, alleles), populations sorted."""

    pos: np.ndarray
    ref: pa.Array
    alt: pa.Array
    kept: np.ndarray
    numbers: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.pos)

    def part(self, start: int, end: int) -> "_Alleles":
        return _Alleles(
            self.pos[start:end],
            self.ref.slice(start, end - start),
            self.alt.slice(start, end - start),
            self.kept[:, start:end],
            {name: values[:, start:end] for name, values in self.numbers.items()},
        )

    @staticmethod
    def joined(parts: Sequence["_Alleles"]) -> "_Alleles":
        if len(parts) == 1:
            return parts[0]
        return _Alleles(
            np.concatenate([p.pos for p in parts]),
            pa.concat_arrays([p.ref for p in parts]),
            pa.concat_arrays([p.alt for p in parts]),
            np.concatenate([p.kept for p in parts], axis=1),
            {name: np.concatenate([p.numbers[name] for p in parts], axis=1) for name in _NUMBERS},
        )


class Writer:
    """Data files of one contig, and `summary.json` when all blocks are written.

    folder: made when it is not there; must be empty. length: bases of the contig. Blocks come in order; their cut
    does not change a byte. GoeError on every row that breaks a rule of the format.
    """

    def __init__(self, folder: str | Path, contig: str, length: int, settings: gdi_metadata.Settings):
        self.folder, self.contig, self.settings = Path(folder), contig, settings
        self.chromosome = gdi.chromosome(settings.assembly, contig, length)
        self.folder.mkdir(parents=True, exist_ok=True)
        if any(self.folder.iterdir()):
            raise GoeError(Problem(str(self.folder), "is not empty", "remove it"))
        self.strata: tuple[str, ...] | None = None
        self.files: list[dict] = []
        self.populations: set[str] = set()
        self._counts = dict.fromkeys(
            ("records", "unsupported_contig", "no_supported_alt", "all_rows_withheld", "no_af", "emitted")
            + ("rows_below_floor", "rows_collapsed", "variants_collapsed", "rows"),
            0,
        )
        self._waiting: list[_Alleles] = []
        self._file: _File | None = None

    def write(self, block: Block) -> None:
        """The PASS alleles of the block."""
        self._labels(block)
        passed = pc.equal(block.filter, "PASS").to_numpy(zero_copy_only=False)
        self._counts["records"] += int(passed.sum())
        if self.chromosome is None:
            self._counts["unsupported_contig"] += int(passed.sum())
            return
        short = np.maximum(*(pc.binary_length(a).to_numpy() for a in (block.ref, block.alt))) <= gdi.MAX_ALLELE
        self._counts["no_supported_alt"] += int((passed & ~short).sum())
        taken = np.flatnonzero(passed & short)
        kept = self._floor(block, taken)
        alleles = np.flatnonzero(kept.any(axis=0))
        if not len(alleles):
            return
        taken, kept = taken[alleles], kept[:, alleles]
        ref, alt = (a.take(pa.array(taken)) for a in (block.ref, block.alt))
        numbers = {name: getattr(block.numbers, field)[np.ix_(self._order, taken)] for name, field in _NUMBERS.items()}
        pos = block.pos.to_numpy().astype(np.int64)[taken] - 1
        self._place(_Alleles(pos, ref, alt, kept, numbers))

    def _labels(self, block: Block) -> None:
        if self.strata is None:
            strange = [s for s in block.strata if not PUBLISHED.fullmatch(s)]
            problems = [
                Problem(f"stratum {s}", "is no population of the GDI package", "name strata by country codes")
                for s in strange
            ]
            if len(block.strata) > gdi.MAX_POPULATIONS:
                what = f"{len(block.strata)} strata: a GDI package takes {gdi.MAX_POPULATIONS} populations"
                problems.append(Problem(self.contig, what, "publish fewer strata"))
            stop_on(problems)
            self.strata = block.strata
            self._order = np.array(sorted(range(len(self.strata)), key=self.strata.__getitem__))
            self._names = [self.strata[i] for i in self._order]
        if (block.contig, block.strata) != (self.contig, self.strata):
            raise ValueError(f"a block of {block.contig} with strata {block.strata} among those of {self.contig}")

    def _floor(self, block: Block, taken: np.ndarray) -> np.ndarray:
        """Which cells are written: bool (populations sorted, alleles taken); counts the others."""
        at = np.ix_(self._order, taken)
        ac, an = block.numbers.ac[at], block.numbers.an[at]
        # Where nobody is called there is no AF, and without AF no row.
        rows = block.shown()[at] & (an > 0)
        low = rows & gdi_rows.below_floor(ac, an, self.settings.floor)
        kept = rows & ~low
        broken = low.any(axis=0)
        only_total = np.array([name == st.TOTAL for name in self._names])[:, None]
        lost = kept & broken & ~only_total
        kept &= ~lost
        emitted = kept.any(axis=0)
        count = self._counts
        count["rows_below_floor"] += int(low.sum())
        count["rows_collapsed"] += int(lost.sum())
        count["variants_collapsed"] += int(lost.any(axis=0).sum())
        count["emitted"] += int(emitted.sum())
        count["all_rows_withheld"] += int((~emitted & broken).sum())
        count["no_af"] += int((~emitted & ~broken).sum())
        count["rows"] += int(kept.sum())
        self.populations |= {name for name, any_row in zip(self._names, kept.any(axis=1), strict=True) if any_row}
        return kept

    def _place(self, alleles: _Alleles) -> None:
        """Hand alleles to the files of their blocks."""
        assert self.chromosome, "contigs that a node does not know are dropped before"
        size = self.settings.block_range
        number = alleles.pos // size if size else np.zeros_like(alleles.pos)
        starts = np.flatnonzero(np.diff(number, prepend=number[0] - 1))
        for start, end in zip(starts, [*starts[1:], len(alleles)], strict=True):
            block = int(number[start])
            if self._file is None or self._file.name.block != block:
                self._finish_file()
                # The id of the VCF is known when all contigs are there.
                name = gdi.DataFile(self.chromosome, block, size, "0" * 16)
                self._file = _File(self.folder, name, self._names, self.settings.floor)
            self._waiting.append(alleles.part(int(start), int(end)))
            self._flush()

    def _flush(self, everything: bool = False) -> None:
        """Write row groups: as many whole alleles as fit, from the start of the file, whatever the blocks were."""
        alleles = _Alleles.joined(self._waiting)
        rows = alleles.kept.sum(axis=0)
        size = rows * (pc.binary_length(alleles.ref).to_numpy() + pc.binary_length(alleles.alt).to_numpy())
        rows, size = np.cumsum(rows), np.cumsum(size.astype(np.int64))
        start = 0
        while start < len(alleles):
            before = (rows[start - 1], size[start - 1]) if start else (0, 0)
            end = min(
                int(np.searchsorted(rows, before[0] + ROW_GROUP, side="right")),
                int(np.searchsorted(size, before[1] + _GROUP_BYTES, side="right")),
            )
            if end == len(alleles) and not everything:
                break
            end = max(end, start + 1)
            assert self._file
            self._file.write(alleles.part(start, end))
            start = end
        self._waiting = [alleles.part(start, len(alleles))] if start < len(alleles) else []

    def _finish_file(self) -> None:
        if self._file is None:
            return
        if self._waiting:
            self._flush(everything=True)
        self.files.append(self._file.close())
        self._file = None

    def close(self) -> None:
        """Finish the last file and write the summary."""
        self._finish_file()
        c = self._counts
        if sum(entry["rows"] for entry in self.files) != c["rows"]:
            raise GoeError(Problem(str(self.folder), "the rows written are not those counted", _FAULT))
        summary = {
            "contig": self.contig,
            "settings": vars(self.settings),
            "input": {"records": c["records"]},
            "discarded": {
                "recordsUnsupportedContig": c["unsupported_contig"],
                "recordsNoSupportedAlt": c["no_supported_alt"],
                "recordsAllRowsWithheld": c["all_rows_withheld"],
                "recordsNoAf": c["no_af"],
            },
            "suppressed": {
                "rowsBelowFloor": c["rows_below_floor"],
                "rowsCollapsedToTotal": c["rows_collapsed"],
                "variantsCollapsedToTotal": c["variants_collapsed"],
            },
            "output": {"records": c["emitted"], "recordsEmitted": c["emitted"], "rows": c["rows"]},
            "populations": sorted(self.populations),
            "files": self.files,
        }
        (self.folder / SUMMARY).write_text(dumps(summary))

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        if kind is None:
            self.close()
        elif self._file is not None:
            self._file.file.close()


class _File:
    """One Parquet file, under a name without the id of the VCF; every row is checked before it is written."""

    def __init__(self, folder: Path, name: gdi.DataFile, populations: Sequence[str], floor: int):
        self.name, self.populations = name, pa.array(populations, pa.string())
        self.path = folder / f"chr{name.chromosome}.{name.block}.parquet"
        self.rows = gdi_rows.Rows(str(self.path), name, floor)
        coded = pa.dictionary(pa.int32(), pa.string())
        self.schema = pa.schema([f.with_type(coded) if f.name in gdi.TEXT else f for f in gdi.SCHEMA])
        self.file = pq.ParquetWriter(
            str(self.path),
            self.schema,
            compression="zstd",
            compression_level=COMPRESSION_LEVEL,
            use_dictionary=[name for name in gdi.SCHEMA.names if name not in ("POS", "AF")],
            column_encoding={"POS": "DELTA_BINARY_PACKED"},
            # Arrow's own schema would turn coded text into codes for the reader.
            store_schema=False,
            # The node refuses files without an index of their pages (crates/core/src/parquet_pages.rs).
            write_page_index=True,
            max_rows_per_page=PAGE,
            sorting_columns=[pq.SortingColumn(gdi.SCHEMA.names.index(name)) for name in gdi.SORTED_BY],
        )

    def write(self, alleles: _Alleles) -> None:
        """A row group: alleles in order, populations in order."""
        flat = np.flatnonzero(alleles.kept.T.ravel())
        allele, population = np.divmod(flat, len(self.populations))
        ref, alt = alleles.ref.dictionary_encode(), alleles.alt.dictionary_encode()
        kinds = _variant_types(alleles.ref, alleles.alt)
        pick = pa.array(allele)
        numbers = {name: alleles.numbers[name].T.ravel()[flat] for name in _NUMBERS}
        columns = {
            "POS": pa.array(alleles.pos.astype(np.int32)).take(pick),
            "REF": pa.DictionaryArray.from_arrays(ref.indices.take(pick), ref.dictionary),
            "ALT": pa.DictionaryArray.from_arrays(alt.indices.take(pick), alt.dictionary),
            "VT": pa.DictionaryArray.from_arrays(pa.array(kinds[allele]), pa.array(gdi.VARIANT_TYPES, pa.string())),
            "POPULATION": pa.DictionaryArray.from_arrays(pa.array(population.astype(np.int32)), self.populations),
            "AF": pa.array((numbers["AC"] / numbers["AN"]).astype(np.float32)),
            **{name: pa.array(values, pa.int32()) for name, values in numbers.items()},
        }
        table = pa.table([columns[f.name] for f in self.schema], schema=self.schema)
        self.rows.add(table)
        stop_on(self.rows.problems)
        self.file.write_table(table, row_group_size=table.num_rows)

    def close(self) -> dict:
        """Finish the file; what the summary says of it."""
        self.rows.close()
        self.file.close()
        stop_on(self.rows.problems)
        return {
            "chromosome": self.name.chromosome,
            "block": self.name.block,
            "file": self.path.name,
            "records": self.rows.records,
            "rows": self.rows.rows,
            "sha256": manifest.digest(self.path),
            "size": self.path.stat().st_size,
        }


def _variant_types(ref: pa.Array, alt: pa.Array) -> np.ndarray:
    """Index into VARIANT_TYPES of each allele, int32 (alleles,)."""
    out = np.zeros(len(ref), dtype=np.int32)
    other = np.flatnonzero((pc.binary_length(ref).to_numpy() > 1) | (pc.binary_length(alt).to_numpy() > 1))
    pick = pa.array(other)
    out[other] = [
        gdi.VARIANT_TYPES.index(gdi.variant_type(*pair))
        for pair in zip(ref.take(pick).to_pylist(), alt.take(pick).to_pylist(), strict=True)
    ]
    return out


def assemble(
    parts: Sequence[str | Path],
    vcf: str | Path,
    cfg: Config,
    about: health_dcat.About,
    folder: str | Path,
    past_version: str = "",
) -> dict:
    """Make the folder of the package; returns its manifest.

    parts: folders that `Writer` left, one a contig. vcf: the sites VCF of the PASS alleles of this release, which
    the package stands for. about: what the other metadata say of the release. folder: named by the dataset id, not
    there or empty. past_version: dataset id of the release that this one follows. GoeError with every reason against
    it.
    """
    root, source = Path(folder), Path(vcf)
    summaries = [json.loads((Path(part) / SUMMARY).read_text()) for part in parts]
    settings = gdi_metadata.settings(cfg)
    stop_on(gdi_metadata.problems(cfg))
    problems = [
        Problem(f"{part}/{SUMMARY}", "was made with other settings", "make the files of this contig again")
        for part, summary in zip(parts, summaries, strict=True)
        if summary["settings"] != vars(settings)
    ]
    if root.name != cfg.dataset.id:
        what = f"is not named {cfg.dataset.id}: nodes take the dataset id from the name of the folder"
        problems.append(Problem(str(root), what, "name it so"))
    if not any(summary["files"] for summary in summaries):
        what = "no public PASS allele: the GDI package cannot be empty"
        problems.append(Problem(str(source), what, "set formats.gdi.enabled to false"))
    if root.is_dir() and any(root.iterdir()):
        problems.append(Problem(str(root), "is not empty", "remove it"))
    stop_on(problems)
    lines = reading.vcf_header(source).lines
    populations = sorted(set().union(*(summary["populations"] for summary in summaries)))
    recognised, ignored = gdi.header_populations(lines)
    absent = sorted(set(populations) - set(recognised))
    stop_on([Problem(str(source), f"has no tags of stratum {name}", _FAULT) for name in absent])

    digest = manifest.digest(source)
    vcf_id = digest[:16]
    (root / "headers").mkdir(parents=True)
    header = root / "headers" / f"{vcf_id}.vcf"
    header.write_text(gdi.minimal_header(lines))
    members = {f"headers/{header.name}": {"sha256": manifest.digest(header), "size": header.stat().st_size}}
    for part, summary in zip(parts, summaries, strict=True):
        for entry in summary["files"]:
            name = gdi.DataFile(entry["chromosome"], entry["block"], settings.block_range, vcf_id)
            shutil.copyfile(Path(part) / entry["file"], root / str(name))
            if manifest.digest(root / str(name)) != entry["sha256"]:
                where = f"{part}/{entry['file']}"
                raise GoeError(Problem(where, "changed since it was written", "make the files of this contig again"))
            members[str(name)] = {"sha256": entry["sha256"], "size": entry["size"]}
    conversion = _conversion(summaries, recognised, ignored, populations)
    content = {
        "metadata": {
            **gdi_metadata.metadata(cfg, about),
            "numberOfRecords": conversion["output"]["records"],
            "populations": populations,
        },
        "files": [
            {
                "category": "VCF",
                "reference": settings.assembly,
                "files": [
                    {
                        "path": f"{source.parent.name}/{source.name}",
                        "sha256": digest,
                        "size": source.stat().st_size,
                        "conversion": conversion,
                    }
                ],
            }
        ],
        "internal": {"headerPolicy": "minimal", **({"pastVersion": past_version} if past_version else {})},
        "payload": {"algorithm": "sha256", "members": dict(sorted(members.items()))},
        "config": gdi_metadata.manifest_config(cfg),
    }
    (root / gdi.MANIFEST).write_text(dumps(content))
    return content


def _conversion(
    summaries: Sequence[Mapping], recognised: list[str], ignored: list[str], populations: list[str]
) -> dict:
    """What became of the records of the VCF: the section `conversion` of the manifest."""

    def total(group: str) -> dict[str, int]:
        return {key: sum(s[group][key] for s in summaries) for key in summaries[0][group]}

    conversion = {
        "input": {
            **total("input"),
            "nonPassRecords": 0,
            "gvcfReferenceBlocks": 0,
            "populationsRecognized": recognised,
        },
        "discarded": {
            **total("discarded"),
            "alleles": 0,
            "ignoredInfoFields": ignored,
            "populationsWithoutAf": [],
        },
        "suppressed": total("suppressed"),
        "output": {**total("output"), "populations": populations},
    }
    if not identity_closes(conversion):
        raise GoeError(Problem("GDI package", "the record identity does not close", _FAULT))
    return conversion


def identity_closes(conversion: Mapping) -> bool:
    """Whether every record of the input is emitted or in one class of those discarded."""
    dropped = sum(value for name, value in conversion["discarded"].items() if name.startswith("records"))
    return conversion["input"]["records"] == dropped + conversion["output"]["recordsEmitted"]


def members(folder: str | Path) -> list[str]:
    """Members of the package in the order of its TAR: the manifest, the headers sorted, the data files sorted."""
    root = Path(folder)
    headers = sorted(f"headers/{path.name}" for path in (root / "headers").iterdir())
    return [gdi.MANIFEST, *headers, *sorted(path.name for path in root.glob("allele-freq.*.parquet"))]


def pack(folder: str | Path, target: str | Path) -> None:
    """Write the package's TAR: uncompressed, mode 0644, owner 0, time 0, members in their order."""
    with Path(target).open("wb") as out:
        out.writelines(tar.stream([(name, Path(folder) / name) for name in members(folder)], tar.GNU))


def dumps(value: object) -> str:
    """JSON in the order of the sections, which is that of the format's own tool: the manifest as it is written."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
