"""`goe check`: a release folder held against everything it promises, by whoever receives it.

It needs the folder and nothing else: no configuration, no reference, no network. Every check has a name and passes,
fails with the file, allele or key at fault, or does not apply; a file that cannot be read is a fault like others.

The long tables (frequencies/<contig>.parquet) are the reference: their rows are held against the rules of counting,
the disclosure audit is made on them, and every other format must have the same numbers, read back by readers of its
own. Statistics of sites are those of the wide tables.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import chain, islice
from pathlib import Path

import numpy as np
import pyarrow as pa

from goe.check import again as check_again
from goe.check import beacon as beacon_check
from goe.check import blocks as release_blocks
from goe.check import callable_an as callable_check
from goe.check import folder as check_folder
from goe.check import gdi as gdi_check
from goe.check import gdi_numbers, packed, readback, tree
from goe.check import ids as check_ids
from goe.check import lookup as check_lookup
from goe.check import mini_node as mini_node_check
from goe.check import names as names_check
from goe.check import private as check_private
from goe.check import ro_crate as ro_crate_check
from goe.check import rows as check_rows
from goe.check import statistics as check_statistics
from goe.check import vcf as check_vcf
from goe.check.apart import together
from goe.check.faults import Faults, safely
from goe.check.folder import Facts
from goe.check.kept import Kept
from goe.core import code_digest, manifest
from goe.core.errors import GoeError, Problem, printable, short, stop_on
from goe.disclosure import membership
from goe.disclosure.audit.audit import Audit, public_build
from goe.disclosure.audit.callable_an import Runs
from goe.disclosure.audit.table import Stated
from goe.frequencies import strata as st
from goe.frequencies.block import Block, passed
from goe.genome import intervals
from goe.genome.build import Build
from goe.release import bounds, layout
from goe.release.formats import annotations, mini_node, wide_table
from goe.release.formats.callable_an import CALLED, PROXY, Track
from goe.release.formats.sites_vcf import Tag
from goe.release.metadata import ro_crate
from goe.release.reading import batches, reading, vcf_header
from goe.release.report import lookup as report_lookup
from goe.release.report import spectrum as report_spectrum
from goe.release.table import BLOCK
from goe.rules.dataset import VARIANT_SITES_ONLY

# Checks in the order in which they are told.
NAMES = {
    "files": "Files",
    "manifest": "Manifest",
    "descriptions": "Descriptions",
    "texts": "Texts and workflow: written again",
    "dictionary": "Dictionary",
    "tables": "Frequency tables: columns",
    "rows": "Frequency tables: every row",
    "packed": "Tables: written again",
    "wide": "Wide tables: same numbers",
    "names": "Names of alleles: computed again",
    "counts": "Counts in the descriptions",
    "membership": "Figure of membership: computed again",
    "disclosure": "Disclosure audit",
    "headers": "VCF headers and indexes",
    "sites": "Sites VCF: same numbers",
    "beacon": "Beacon: same numbers",
    "mini-node": "Mini-node VCF: same numbers",
    "callable-an": "Callable AN: every run, same numbers in BED",
    "annotations": "Annotations VCF: same numbers",
    "gdi": "GDI package: format and same numbers",
    "look-up": "Look-up of the report: same numbers",
    "page": "Report: written again",
    "healthdcat": "HealthDCAT-AP record",
    "ro-crate": "RO-Crate",
    "described": "Metadata: written again",
    "private": "Paths, places and times",
    "ids": "Ids of people",
}
ALL = tuple(NAMES)
# What needs report.html, the metadata, or the manifest, which a run writes last; and what a run has just computed.
_LATER = ("files", "manifest", "packed", "membership", "look-up", "page", "healthdcat", "ro-crate", "described", "ids")
BEFORE_METADATA = tuple(part for part in ALL if part not in _LATER)
_LONGEST = 2_000
"""Characters of a place or a fault that are told: alleles and keys of a file that is no release have any length."""
_OF_ROWS = {"rows", "counts", "membership", "disclosure", "headers", "mini-node"}
"""What needs more of the long tables than their blocks."""
_WITHOUT_TABLES = {
    *("files", "manifest", "descriptions", "texts", "dictionary", "private", "ids"),
    *("healthdcat", "ro-crate", "described"),
}
METADATA = ("files", "look-up", "healthdcat", "ro-crate", "described", "private")


@dataclass(frozen=True)
class Result:
    """What came of a check. passed: None when it does not apply. detail: what was looked at, or why not."""

    part: str
    passed: bool | None
    detail: str
    problems: tuple[Problem, ...] = ()

    @property
    def name(self) -> str:
        return NAMES[self.part]


def told(results: Iterable[Result]) -> list[dict]:
    """The checks that were made, as `report_page` takes them: name, passed, detail; those that are made later, of the
    whole folder with the page in it, with `passed` None."""
    made = [{"name": r.name, "passed": r.passed, "detail": r.detail} for r in results if r.passed is not None]
    later = (NAMES[part] for part in _LATER if part != "ids")
    return made + [{"name": name, "passed": None, "detail": "of the whole folder, with this page"} for name in later]


def as_dict(result: Result) -> dict:
    """A result as plain JSON; `passed` is null where the check does not apply."""
    problems = [{"where": p.where, "what": p.what, "mend": p.mend} for p in result.problems]
    return {
        "check": result.part,
        "name": result.name,
        "passed": result.passed,
        "detail": result.detail,
        "problems": problems,
    }


def stop_on_failure(results: Iterable[Result]) -> None:
    """GoeError with every problem when a check failed."""
    failed = [r for r in results if r.passed is False]
    stop_on([p for r in failed for p in r.problems or (Problem(r.name, r.detail),)])


def run(
    folder: str | Path,
    parts: Iterable[str] = ALL,
    ids: str | Path | None = None,
    own: bool = False,
    threads: int = 2,
    tell: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """Check a release folder; results in the order of NAMES.

    parts: which checks (keys of NAMES). ids: list of ids of people to look for. own: whether the release is that of
    the run which has this list. tell: called with each result as soon as it and those before it are there. GoeError
    when the folder is no release at all, or the list cannot be read.
    """
    root = Path(folder)
    wanted = set(parts)
    if strange := sorted(wanted - set(ALL)):
        raise ValueError(f"no check {', '.join(strange)}")
    if not root.is_dir():
        raise GoeError(Problem(str(folder), "is no folder", "give the folder of a release"))
    if not any((root / name).exists() for name in (manifest.NAME, check_folder.DATASET)):
        what = f"is no release: it has neither {manifest.NAME} nor {check_folder.DATASET}"
        raise GoeError(Problem(str(folder), what, "give the folder of a release"))
    listed = None if ids is None else check_ids.of_run(ids) if own else check_ids.read(ids)
    results = _Results(root, wanted, tell)
    look_for_people = partial(_ids, results, listed, str(ids))
    if special := tree.faults(root):
        # Opening them may lead out of the folder, never end, or take more memory than there is.
        for part in ("files", "manifest"):
            results.put(part, special, "")
        results.not_made(f"{results.relative(special[0]).where} {special[0].what}, and was not opened")
        return results.finished()
    digests = _manifest(results)
    facts, problems = check_folder.descriptions(root)
    results.put("descriptions", problems, "keys, ids, strata and rounding")
    if facts is None:
        why = f"{check_folder.DATASET} and the other descriptions are not whole"
        # First, so that what is wrong is told before the rest is looked at.
        results.not_made(why, ["files"])
        _private(results, ())
        look_for_people()
        results.not_made(why)
    else:
        _Check(results, facts, digests, max(1, threads), look_for_people).run()
    return results.finished()


@dataclass
class _Contig:
    """What was seen of a contig. ends: name of a VCF -> positions of its first and last record; loadable: stratum ->
    alleles of its mini-node VCF."""

    spectrum: report_spectrum.Spectrum
    sites: membership.Sites
    example: tuple[int, list] = (0, [])
    ends: dict[str, tuple[int, int]] = field(default_factory=dict)
    loadable: Counter[str] = field(default_factory=Counter)
    alleles: int = 0
    cells: int = 0

    def add(self, block: Block) -> None:
        self.spectrum.add(block)
        self.sites.write(block)
        self.example = report_lookup.example(block, self.example)
        self.alleles += len(block)
        self.cells += int(block.shown().sum())
        every = np.ones(len(block), dtype=bool)
        some = {"all": every, "annotations": every, "pass": passed(block)}
        each = {stratum: mini_node.loadable(mini_node.alone(block, stratum)) for stratum in block.strata}
        self.loadable.update({stratum: int(rows.sum()) for stratum, rows in each.items()})
        some |= each
        pos = block.pos.to_numpy()
        for which, rows in some.items():
            positions = pos[rows]
            if len(positions):
                self.ends[which] = (self.ends.get(which, (int(positions[0]),))[0], int(positions[-1]))


class _Results:
    """Results of the checks of a folder. They come in any order; `tell` hears of them in theirs."""

    def __init__(self, root: Path, wanted: set[str], tell: Callable[[Result], None]):
        self.root, self.wanted, self.tell = root, wanted, tell
        self.found: dict[str, Result] = {}

    def put(self, part: str, problems: Sequence[Problem], detail: str) -> None:
        """A result: passed when there is no problem. Places are told relative to the folder."""
        n = len(dict.fromkeys(problems))
        shown = tuple(self.relative(p) for p in islice(dict.fromkeys(problems), bounds.PROBLEMS))
        if n > len(shown):
            shown = (*shown, Problem(NAMES[part], f"and {n - len(shown):,} more problems"))
        self.set(part, not shown, f"{n} problem{'s' if n != 1 else ''}" if shown else detail, shown)

    def set(self, part: str, passed: bool | None, detail: str, problems: tuple[Problem, ...] = ()) -> None:
        if part not in self.wanted:
            return
        self.found[part] = Result(part, passed, detail, problems)
        waiting = [p for p in ALL if p in self.wanted]
        for before in waiting[: waiting.index(part)]:
            if before not in self.found:
                return
        for p in waiting[waiting.index(part) :]:
            if p not in self.found:
                return
            self.tell(self.found[p])

    def relative(self, problem: Problem) -> Problem:
        return relative(problem, "" if self.root == Path() else f"{self.root}/".replace("//", "/"))

    def not_made(self, why: str, parts: Iterable[str] = ALL) -> None:
        """Every check that has no result could not be made: failed, for a reason told elsewhere."""
        for part in parts:
            if part in self.wanted and part not in self.found:
                self.set(part, False, f"not made: {why}")

    def finished(self) -> list[Result]:
        return [self.found[part] for part in ALL if part in self.wanted]


def relative(problem: Problem, start: str) -> Problem:
    """A problem with places relative to a folder, and nothing in it that a terminal would obey. start: of the paths."""

    def told(text: str) -> str:
        return printable(short(text.replace(start, "") if start else text, _LONGEST))

    return Problem(told(problem.where), told(problem.what), problem.mend)


def _manifest(results: _Results) -> dict[str, str] | None:
    """Relative path -> SHA-256, when the manifest was asked for and holds."""
    if "manifest" not in results.wanted:
        return None
    where = results.root / manifest.NAME
    digests = None
    problems = safely(str(where), lambda: manifest.verify(results.root))
    if not problems:
        digests = manifest.listed(where)
    results.put("manifest", problems, f"{len(digests or ())} files, every digest agrees")
    return digests


def _private(results: _Results, addresses: Iterable[str]) -> None:
    if "private" in results.wanted:
        problems = check_private.check(results.root, manifest.files(results.root), addresses)
        results.put("private", problems, "no path, host or point in time in texts and headers; no sample column")


def _ids(results: _Results, ids: check_ids.Wanted | None, list_name: str) -> None:
    if "ids" not in results.wanted:
        return
    if ids is None:
        results.set("ids", None, "no list given: the country that has the sheet asks with --ids")
        return
    names = sorted(path.relative_to(results.root).as_posix() for path in results.root.rglob("*"))
    n, left = len(ids.lines), ids.left_out
    words = ", or words of every release" if ids.words else ""
    more = f"; {left} are too short, or digits or bases only{words}, and were not looked for" if left else ""
    problems = check_ids.check(results.root, names, ids, list_name)
    results.put("ids", problems, f"none of {n} ids in any file{more}")


class _Check:
    """The checks of a folder whose descriptions were read.

    digests: of its manifest, None when that does not hold or was not asked for. look_for_people: makes the check `ids`.
    """

    def __init__(
        self,
        results: _Results,
        facts: Facts,
        digests: dict[str, str] | None,
        threads: int,
        look_for_people: Callable[[], None],
    ):
        self.results, self.root, self.wanted = results, results.root, results.wanted
        self.put, self.set = results.put, results.set
        self.facts, self.digests, self.threads, self.look_for_people = facts, digests, threads, look_for_people
        self.other_code = check_again.other_code(facts.said["dataset"])
        self.flags = [annotations.NON_PAR]
        self.kept = Kept()
        self.seen: dict[str, _Contig] = {}
        self.counted: dict = {}
        self.audits: list[dict[str, int]] = []

    def run(self) -> None:
        self.folder()
        self.texts()
        _private(self.results, self.facts.addresses)
        self.look_for_people()
        if self.wanted - _WITHOUT_TABLES:
            if self.tables():
                self.metadata()
                self.results.not_made("the frequency tables are not whole")
                return
            with ThreadPoolExecutor(self.threads) as pool:
                if self.wanted & _OF_ROWS:
                    self.rows(pool)
                self.formats(pool)
            self.page()
        self.metadata()

    # ---- the folder

    def folder(self) -> None:
        facts = self.facts
        beside: list[str] = []
        if "files" in self.wanted:
            # A page that cannot be read is told by the check of its look-up table.
            with suppress(Exception):
                beside = check_lookup.read(self.root).files
            problems = safely(str(self.root), lambda: check_folder.check_files(self.root, facts, beside))
            if (self.root / code_digest.RELEASED).is_file():
                code = facts.said["dataset"]["code_sha256"]
                problems += safely(code_digest.RELEASED, lambda: check_folder.check_code(self.root, code))
            self.put("files", problems, f"{len(check_folder.required(facts)) + len(beside)} files of the layout")

        def flags() -> list[Problem]:
            self.flags = check_folder.flags(self.root, facts)
            return []

        unread = safely(str(self.root / facts.vcf("annotations", "annotations")), flags)
        if "dictionary" not in self.wanted:
            return
        where = str(self.root / check_folder.DICTIONARY)
        problems = unread or safely(where, lambda: check_folder.check_dictionary(self.root, facts, self.flags))
        self.put("dictionary", problems, "every tag, column and key with type, unit and stratum")

    def texts(self) -> None:
        if "texts" not in self.wanted:
            return
        if self.other_code:
            self.set("texts", None, self.other_code)
            return
        problems = safely(str(self.root), lambda: check_again.texts(self.root, self.facts.said))
        self.put("texts", problems, "README.md, LICENSE, CHANGELOG.md, words of the rules, files of the workflow")

    # ---- the tables

    def long(self, contig: str) -> Path:
        return self.root / f"frequencies/{contig}.parquet"

    def wide(self, contig: str) -> Path:
        return self.root / layout.WIDE.format(contig=contig)

    def names(self, contig: str) -> Path:
        return self.root / layout.NAMES.format(contig=contig)

    def tables(self) -> bool:
        """Columns of all tables; whether they are not those of a release."""
        problems = []
        for contig in self.facts.lengths:
            look = partial(check_folder.check_tables, self.root, self.facts, contig)
            problems += safely(str(self.long(contig)), look)
        self.put("tables", problems, f"{3 * len(self.facts.contigs)} tables, columns and metadata as the dictionary")
        return bool(problems)

    def rows(self, pool: ThreadPoolExecutor) -> None:
        """Every row of the long tables, and what is counted on the way."""
        facts, lengths = self.facts, self.facts.lengths
        asked = membership.strata_to_ask(facts.people)
        self.seen = {
            contig: _Contig(report_spectrum.Spectrum(facts.strata), membership.Sites(contig, asked))
            for contig in lengths
        }

        def look(contig: str) -> list[Problem]:
            each = [self.seen[contig].add]
            path = self.long(contig)
            return safely(str(path), lambda: check_rows.check(path, contig, lengths[contig], facts.people, each))

        problems = list(chain.from_iterable(pool.map(look, lengths)))
        alleles, cells = (sum(getattr(c, key) for c in self.seen.values()) for key in ("alleles", "cells"))
        self.put("rows", problems, f"{alleles:,} alleles, {cells:,} numbers of strata")
        counted = report_spectrum.combine(c.spectrum.as_dict() for c in self.seen.values())
        self.counted = counted
        if problems:
            self.set("membership", None, "not computed: the tables are at fault")
        wrong = safely(check_folder.DATASET, lambda: check_folder.check_counts(self.root, facts, counted))
        self.put("counts", wrong, "alleles, PASS, classes, filters and withheld strata, counted again")

    def blocks(self, contigs: Iterable[str], named: bool = False) -> Iterator[Block]:
        for contig in contigs:
            tables = self.long(contig), self.wide(contig)
            read = partial(release_blocks.read, *tables, self.facts.strata, contig, BLOCK // 4)
            blocks = self.kept.blocks(contig, read)
            yield from release_blocks.named(blocks, self.names(contig)) if named else blocks

    def alone(self, contig: str, stratum: str) -> Iterator[Block]:
        """Blocks of the wide table of a contig, with the numbers of one stratum as those of everybody."""
        whole = self.kept.whole(("wide", contig), partial(wide_table.read, self.wide(contig)))
        if whole is None:
            yield from wide_table.alone(self.wide(contig), stratum, contig=contig)
        else:
            yield from (mini_node.alone(block, stratum) for block in whole)

    # ---- the other formats

    def formats(self, pool: ThreadPoolExecutor) -> None:
        contigs = list(self.facts.lengths)
        waiting: dict[str, list] = {}
        details: dict[str, str] = {}

        def ask(part: str, detail: str, *looks: tuple[str, Callable[[], list[Problem]]]) -> None:
            if part in self.wanted:
                details[part] = detail
                waiting[part] = [pool.submit(safely, str(self.root / where), look) for where, look in looks]

        # The longest first.
        ask("sites", "PASS and all, every tag", *(self.vcf("sites", which) for which in ("all", "pass")))
        ask(
            "beacon",
            "every line; the Beacon schema on one of a thousand",
            *map(self.beacon, contigs),
            self.populations(),
        )
        given = [flag for flag in self.flags if flag != annotations.NON_PAR]
        more = f"; {' and '.join(given)} need BED files and were not looked at" if given else ""
        ask("annotations", f"every tag{more}", self.vcf("annotations", "annotations"))
        ask(
            "mini-node",
            "every stratum, every tag",
            *(self.vcf("mini-node", name) for name in self.facts.strata),
            *(() if self.other_code else map(self.mini_node_metadata, self.facts.strata)),
        )
        if "membership" not in self.results.found:
            sites = [seen.sites for seen in self.seen.values()]
            again = partial(
                check_again.figure, self.root, self.facts.said, sites, self.facts.people, not self.other_code
            )
            ask("membership", "every number, from the tables", (check_folder.DISCLOSURE, again))
        if not any(seen.alleles for seen in self.seen.values()):
            self.set("disclosure", None, "no allele is public")
        elif self.facts.policy.open:
            self.set("disclosure", None, f"every count is published: {self.facts.policy.legal_basis}")
        else:
            ask("disclosure", "", *map(self.audit, contigs))
        ask("look-up", "every number in the page or beside it", *self.lookup(contigs))
        ask("callable-an", "without gaps, as the floor allows, beside AN of SNVs", *self.callable_an(contigs))
        arrow = check_folder.other_arrow(self.root, contigs)
        if self.other_code or arrow:
            here = f"not compared: made with {arrow}, this is {packed.ARROW}"
            self.set("packed", None, self.other_code or here)
        else:
            ask("packed", "pages, statistics and indexes, every byte", *map(self.packing, contigs))
        ask("wide", "every number and filter", *map(self.wide_table, contigs))
        ask("names", "VRS of every SNV, and of all that has a SPDI", *map(self.allele_names, contigs))
        if self.facts.gdi:
            ask("gdi", "rules of the format, every row", (f"gdi/{self.facts.id}.tar", self.gdi))
        ask("headers", "lines, contigs, tags, filters, empty columns, indexes", *map(self.header, self.vcf_names()))
        for part, futures in waiting.items():
            problems = [problem for future in futures for problem in future.result()]
            self.put(part, problems, self.audited() if part == "disclosure" else details[part])
        if not self.facts.gdi:
            self.set("gdi", None, "the release has no GDI package (formats in metadata/dataset.json)")

    def vcf_names(self) -> list[tuple[str, str]]:
        places = {"sites": ("all", "pass"), "annotations": ("annotations",), "mini-node": self.facts.strata}
        return [(place, which) for place, names in places.items() for which in names]

    @cached_property
    def tags(self) -> dict[str, list[Tag]]:
        """INFO tags by VCF: that of a stratum is one of the mini-node."""
        sites, named, mini = (
            check_folder.tags(self.facts, which, self.flags) for which in ("all", "annotations", st.TOTAL)
        )
        return {"all": sites, "pass": sites, "annotations": named, **dict.fromkeys(self.facts.strata, mini)}

    def filters(self, which: str) -> list[str]:
        """Names of filters of a VCF, but PASS."""
        return [name for name in self.counted["filters"] if name != "PASS"] if which in ("all", "annotations") else []

    def vcf(self, place: str, which: str) -> tuple[str, Callable[[], list[Problem]]]:
        """The records of a VCF against the tables."""
        name = self.facts.vcf(place, which)
        # Flags of BED files are no part of the folder.
        tags = [tag for tag in self.tags[which] if tag.key not in annotations.FLAGS]
        unknown = [tag for tag in self.tags[which] if tag.key in annotations.FLAGS]

        def expected(block: Block) -> pa.Table:
            if which == "annotations":
                return check_vcf.expected(block, tags, annotations.shown(block), self.non_par(block))
            return check_vcf.sites(block, tags, which == "pass")

        def look() -> list[Problem]:
            if place == "mini-node":
                wanted = (
                    check_vcf.expected(block, tags, mini_node.loadable(block))
                    for contig in self.facts.lengths
                    for block in self.alone(contig, which)
                )
                return check_vcf.compare(self.root / name, tags, (st.TOTAL,), wanted)
            every = map(expected, self.blocks(self.facts.lengths, named=which == "annotations"))
            return check_vcf.compare(self.root / name, tags, self.facts.strata, every, [tag.id for tag in unknown])

        return name, look

    def mini_node_metadata(self, stratum: str) -> tuple[str, Callable[[], list[Problem]]]:
        """The metadata.yaml of a stratum, written again."""
        name = layout.MINI_NODE_METADATA.format(id=self.facts.id, stratum=stratum)

        def look() -> list[Problem]:
            alleles = sum(seen.loadable[stratum] for seen in self.seen.values())
            wanted = mini_node.metadata(self.facts.said, stratum, alleles)
            with reading(self.root / name):
                stated = (self.root / name).read_bytes().decode("utf-8")
            return check_again.differs(str(self.root / name), stated, wanted, "the release gives")

        return name, look

    def non_par(self, block: Block) -> dict[str, np.ndarray]:
        regions = annotations.flagged(self.here(), block.contig, {})
        return {flag: intervals.inside(block.pos.to_numpy(), where) for flag, where in regions.items()}

    def here(self) -> Build:
        return Build(name=self.facts.build, contigs=self.facts.lengths, par=self.facts.par)

    def header(self, of: tuple[str, str]) -> tuple[str, Callable[[], list[Problem]]]:
        """Header, index and empty columns of a VCF."""
        place, which = of
        name = self.facts.vcf(place, which)

        def look() -> list[Problem]:
            path = self.root / name
            facts = self.facts
            tags, filters = self.tags[which], self.filters(which)
            head = vcf_header(path)
            problems = check_vcf.check_header(path, head, facts.build, facts.contigs, tags, filters)
            if not (problems or self.other_code):
                problems = check_vcf.check_words(path, head, facts.build, facts.contigs, tags, filters)
            if place == "mini-node":
                problems += mini_node_check.check_header(path, head)
            most = facts.said["dataset"]["number_of_records"]
            problems += safely(str(path), lambda: check_vcf.check_empty_columns(path, head, most))
            ends = {contig: seen.ends[which] for contig, seen in self.seen.items() if which in seen.ends}
            return problems + check_vcf.check_index(path, ends)

        return name, look

    def wide_table(self, contig: str) -> tuple[str, Callable[[], list[Problem]]]:
        columns = (*readback.COUNTS, "af", "FILTER")
        path = self.wide(contig)

        def look() -> list[Problem]:
            faults = Faults(str(path))
            least = self.facts.said["config"]["variant_qc"]["hwe_min_people"]

            def wanted() -> Iterator[pa.Table]:
                for block in self.blocks([contig]):
                    check_statistics.differing(block, self.facts.people, least, faults)
                    yield _with_filter(block)

            got = map(_with_filter, self.kept.blocks(("wide", contig), partial(wide_table.read, path)))
            return readback.compare(got, wanted(), str(path), columns) + faults.problems

        return str(path.relative_to(self.root)), look

    def packing(self, contig: str) -> tuple[str, Callable[[], list[Problem]]]:
        look = partial(check_folder.check_packing, self.root, self.facts, contig, self.digests or {})
        return str(self.long(contig).relative_to(self.root)), look

    def allele_names(self, contig: str) -> tuple[str, Callable[[], list[Problem]]]:
        path = self.names(contig)

        def look() -> list[Problem]:
            faults = Faults(str(path))
            names_check.check(
                path, self.facts.build, contig, self.facts.lengths[contig], self.blocks([contig], True), faults
            )
            return faults.problems

        return str(path.relative_to(self.root)), look

    def beacon(self, contig: str) -> tuple[str, Callable[[], list[Problem]]]:
        name = f"beacon/genomicVariations.{contig}.jsonl.gz"
        path = self.root / name

        def look() -> list[Problem]:
            facts = self.facts
            # A file with more lines than the table has alleles is read no further.
            return (
                beacon_check.check(path, self.blocks([contig]))
                or beacon_check.check_names(path, facts.id, facts.build, contig, facts.lengths[contig])
                or beacon_check.validate(path)
            )

        return name, look

    def populations(self) -> tuple[str, Callable[[], list[Problem]]]:
        name = "beacon/populations.json"
        return name, lambda: beacon_check.compare_populations(self.root / name, self.tags["pass"])

    def gdi(self) -> list[Problem]:
        package = self.root / f"gdi/{self.facts.id}.tar"
        problems = gdi_check.check(package)
        if problems:
            return problems
        tables = {contig: self.long(contig) for contig in self.facts.lengths}
        problems = gdi_numbers.compare(package, tables, self.facts.lengths, gdi_check.settings(package))
        return problems + check_folder.check_package(self.root, self.facts)

    def lookup(self, contigs: Iterable[str]) -> Iterator[tuple[str, Callable[[], list[Problem]]]]:
        if "look-up" not in self.wanted:
            return
        facts, page = self.facts, []

        def read() -> list[Problem]:
            found = check_lookup.read(self.root)
            problems = check_lookup.check(self.root, found, facts.id, facts.people, facts.contigs)
            page.extend([] if problems else [found])
            return problems

        problems = safely(str(self.root / check_lookup.PAGE), read)
        yield check_lookup.PAGE, lambda: problems
        for contig in contigs if page else ():
            yield (
                check_lookup.PAGE,
                partial(self.compare_lookup, page[0], contig),
            )

    def page(self) -> None:
        """The page, where every check was made that it tells of."""
        before = [self.results.found[part] for part in BEFORE_METADATA if part in self.results.found]
        if self.other_code:
            self.set("page", None, self.other_code)
        elif len(before) < len(BEFORE_METADATA):
            self.set("page", None, "it tells of checks that were not asked for")
        elif any(result.passed is False for result in before):
            self.set("page", None, "not compared: it tells of checks that failed")
        else:
            examples = {contig: seen.example[1] for contig, seen in self.seen.items()}
            again = partial(check_again.page, self.root, self.facts.said, self.counted, examples, told(before))
            problems = safely(str(self.root / check_lookup.PAGE), lambda: again(self.digests))
            self.put("page", problems, "every byte but the look-up table")

    def compare_lookup(self, page: check_lookup.Page, contig: str) -> list[Problem]:
        problems = check_lookup.compare(self.root, page, contig, self.facts.strata, self.blocks([contig]))
        runs = callable_check.of_total(self.root / f"callable_an/{contig}.parquet")
        problems += check_lookup.compare_callable(self.root, page, contig, self.facts.people[st.TOTAL], runs)
        path = self.root / f"allele-names/{contig}.parquet"
        names = batches(path, str(path), ["rsid"], 1 << 14, ["rsid"])
        return problems + check_lookup.compare_rs_numbers(self.root, page, contig, names)

    def callable_an(self, contigs: Sequence[str]) -> Iterator[tuple[str, Callable[[], list[Problem]]]]:
        """Tables, BED file and its index, of people who were called and of those whose reads tell."""
        for track in self.facts.tracks:
            paths = [self.root / track.table(contig) for contig in contigs]
            bed, name = self.root / track.bed(self.facts.id), track.bed(self.facts.id)
            yield name, partial(callable_check.compare, bed, paths, self.facts.strata, track.prefix)
            yield name, partial(callable_check.check_index, bed, self.facts.lengths)
            for contig in contigs:
                yield track.table(contig), partial(self.callable_runs, contig, track)

    def callable_runs(self, contig: str, track: Track) -> list[Problem]:
        facts, policy, path = self.facts, self.facts.policy, self.root / track.table(contig)
        stated = Stated(policy.k, policy.protect, policy.min_stratum_size)
        earlier = track is CALLED and bool(check_folder.beside_earlier(path, facts))
        others = facts.said["dataset"]["callable_an"]["people"] if track is PROXY else None
        audit = Runs(facts.strata, facts.people, stated, self.here(), contig, str(path), earlier, others)
        problems = callable_check.check(path, contig, facts.lengths[contig], facts.strata, audit, track.prefix)
        if not problems and track is CALLED:
            alone = not facts.said["dataset"]["callable_an"]["an_method"][VARIANT_SITES_ONLY]
            callable_check.beside(path, self.blocks([contig]), facts.strata, audit, alone)
        return problems + audit.finish()

    # ---- disclosure

    def audit(self, contig: str) -> tuple[str, Callable[[], list[Problem]]]:
        """The audit of one contig, and whether statistics tell what is withheld."""
        facts, policy = self.facts, self.facts.policy
        path = self.long(contig)

        def look() -> list[Problem]:
            build = public_build(facts.build, facts.lengths, facts.par)
            stated = Stated(policy.k, policy.protect, policy.min_stratum_size)
            audit = Audit(facts.strata, facts.people, stated, build)
            faults = Faults(str(self.wide(contig)))
            for block in self.blocks([contig]):
                audit.look(block)
                check_rows.statistics(block, facts.people, faults)
            self.audits.append(audit.summary())
            return audit.finish() + faults.problems

        return str(path.relative_to(self.root)), look

    def audited(self) -> str:
        """What the audits of all contigs looked at."""
        total = {key: sum(audit[key] for audit in self.audits) for key in self.audits[0]} if self.audits else {}
        return ", ".join(f"{n:,} {key.replace('_', ' ')}" for key, n in total.items())

    # ---- metadata

    def metadata(self) -> None:
        if not self.wanted & {"healthdcat", "ro-crate", "described"}:
            return
        digests = self.digests
        if digests is None:
            digests = {name: manifest.digest(self.root / name) for name in manifest.files(self.root)}
        looks: dict[str, tuple[str, Callable[[], list[Problem]]]] = {}
        if "healthdcat" in self.wanted:
            looks["healthdcat"] = "metadata", self.health_dcat(digests)
        if "ro-crate" in self.wanted:
            looks["ro-crate"] = str(self.root / ro_crate.NAME), partial(ro_crate_check.check, self.root, digests)
        if self.other_code:
            self.set("described", None, self.other_code)
        elif "described" in self.wanted:
            looks["described"] = "metadata", partial(check_again.metadata, self.root, self.facts.said, digests)
        details = {
            "healthdcat": "SHACL shapes, dataset.json, every file",
            "ro-crate": "profiles, dataset.json, every file",
            "described": "catalogue record and crate, every byte",
        }
        for part, problems in zip(looks, together([*looks.values()]), strict=True):
            self.put(part, problems, details[part])

    def health_dcat(self, digests: dict[str, str]) -> Callable[[], list[Problem]]:
        try:
            # Needs rdflib and pySHACL, which nothing else does, and takes a second to load.
            from goe.check import health_dcat as health_dcat_check
        except ImportError as error:
            what = f"cannot be checked: {error.name} is not installed"
            problem = Problem("metadata/healthdcat.ttl", what, f"pip install {error.name}")
            return lambda: [problem]
        # Read here, so that no copy of this process has to.
        health_dcat_check.shapes()
        return partial(health_dcat_check.check, self.root, digests)


def _with_filter(block: Block) -> pa.Table:
    """All public cells of a block, with FILTER in the row of Total."""
    everywhere = np.ones(len(block), dtype=bool)
    cells = readback.expected(block, (*readback.COUNTS, "af"), everywhere)
    return check_vcf.with_site(cells, {"FILTER": block.filter}, everywhere)
