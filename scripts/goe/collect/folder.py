"""The folder of a collection: sums of its contigs, who is in it, who was refused; its manifest is written last."""

import json
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pyarrow.compute as pc

from goe import __version__
from goe.collect import table
from goe.collect.comparison import contig as comparison
from goe.collect.comparison import files as comparison_files
from goe.collect.comparison.thresholds import Thresholds
from goe.collect.dataset import Dataset
from goe.collect.lines import content
from goe.collect.merge import STATES, Merge, strata_of, tell
from goe.collect.sheet import RESTRICTED, Settings
from goe.core import code_digest, manifest
from goe.core.errors import GoeError, Problem, stop_on
from goe.core.files import write_whole
from goe.genome.build import Build
from goe.release.formats import sites_vcf
from goe.release.notes import dumps
from goe.release.restricted import LEVEL, MARK
from goe.rules.stratum import TOTAL

PUBLIC = "public"
ABOUT = "metadata/collection.json"
DICTIONARY = "dictionary/fields.tsv"
_VCFS = ("all", "pass")
_LEVEL = 1
"""Of bgzip: a fifth more bytes than by that of a release, for a third of the time, which were a third of the sum."""
_NOTHING_NEW = "A sum of public numbers: it tells nothing that its sources do not tell."
_RESTRICTED = (
    "RESTRICTED. Sums of numbers without a floor are personal data: whoever has them and the public releases subtracts "
    "one from the other. Nothing of this folder may be published, and no floor was applied to it."
)


def level(datasets: Sequence[Dataset]) -> str:
    """PUBLIC, or LEVEL (restricted) where one of the datasets that are added up is."""
    return LEVEL if any(one.kind == RESTRICTED for one in datasets) else PUBLIC


def place(settings: Settings, datasets: Sequence[Dataset]) -> Path:
    """The folder: what is restricted is never in `collection`."""
    return Path(settings.outdir) / ("collection" if level(datasets) == PUBLIC else "restricted-collection")


def taken(datasets: Sequence[Dataset]) -> list[Dataset]:
    """Those that are added up; GoeError when there are none, with every reason."""
    found = [one for one in datasets if not one.refused]
    if not found:
        stop_on([p for one in datasets for p in one.problems] or [Problem("datasets", "there is none", "name one")])
    return found


def build_of(datasets: Sequence[Dataset]) -> tuple[Build, list[dict]]:
    """Build, and contigs {name, length, md5}, of datasets that agree, in the order of the first that has each."""
    contigs: dict[str, dict] = {}
    par: list = []
    name = ""
    for one in sorted(datasets, key=lambda one: (not one.ours, one.number)):
        name = name or one.terms["build"]
        par = par or one.terms.get("par") or []
        for contig in one.terms["contigs"]:
            known = contigs.setdefault(contig["name"], dict(contig))
            known["md5"] = known.get("md5") or contig.get("md5")
    lengths = {contig["name"]: contig["length"] for contig in contigs.values()}
    return Build(name, lengths, [(str(c), int(a), int(b)) for c, a, b in par]), list(contigs.values())


def contigs_of(datasets: Sequence[Dataset]) -> list[str]:
    """Contigs on which anybody lists an allele, in the order of the reference."""
    build, _ = build_of(datasets)
    return [name for name in build.contigs if any(name in one.tables for one in datasets)]


def sum_contig(datasets: Sequence[Dataset], settings: Settings, contig: str, folder: str | Path) -> dict:
    """Write the sums of one contig into `folder`, the work folder: sums.parquet, datasets.parquet, absent.parquet
    (`table.of_absent`), all.vcf.gz and pass.vcf.gz (BGZF bodies without header). Returns what the description tells of
    it."""
    root, taken_in = Path(folder), list(datasets)
    root.mkdir(parents=True, exist_ok=True)
    build, _ = build_of(taken_in)
    strata, numbers = strata_of(taken_in), [one.number for one in taken_in]
    about = {"collection": settings.id, "build": build.name, "contig": contig, "level": level(taken_in)}
    wanted, each = table.schema(strata, about), table.datasets_schema(numbers, about)
    nobody = table.absent_schema(taken_in, contig)
    info = table.tags(strata)
    total = strata.index(TOTAL)
    tally: Counter[str] = Counter()
    filters: Counter[str] = Counter()
    by_source = {str(n): dict.fromkeys(STATES, 0) for n in numbers}
    with (
        table.Writer(root / "sums.parquet", wanted) as sums,
        table.Writer(root / "datasets.parquet", each) as apart,
        table.WorkWriter(root / "absent.parquet", nobody) as absent,
        sites_vcf.Body(root / "all.vcf.gz", level=_LEVEL) as every,
        sites_vcf.Body(root / "pass.vcf.gz", level=_LEVEL) as passed,
    ):
        for window in Merge(taken_in, build, contig):
            bounds = tell(window.sums, total)
            part = table.of_window(window, bounds, contig, strata, wanted)
            sums.write(part)
            apart.write(table.of_datasets(window, contig, numbers, each))
            absent.write(table.of_absent(window, nobody))
            text = table.lines(part, info)
            every.send(content(text))
            good = pc.equal(part["filter"], table.PASS).combine_chunks()
            passed.send(content(text.filter(good)))
            exact = (bounds.ac_lo[total] == bounds.ac_hi[total]) & (bounds.an[total] == bounds.an_hi[total])
            tally += Counter(alleles=len(window), passed=good.true_count, exact=int(exact.sum()))
            for entry in pc.value_counts(part["filter"]).to_pylist():
                filters[entry["values"]] += entry["counts"]
            for name, found in window.states().items():
                for n, alleles in zip(numbers, found.sum(axis=1).tolist(), strict=True):
                    by_source[str(n)][name] += alleles
    counts = {name: tally[name] for name in ("alleles", "passed", "exact")}
    return {"contig": contig, **counts, "filters": dict(filters), "said": by_source}


def compare_contig(
    datasets: Sequence[Dataset], settings: Settings, contig: str, summed: str | Path, folder: str | Path
) -> None:
    """Compare countries and datasets on one contig, from what `sum_contig` left in `summed`; into `folder`."""
    build, _ = build_of(datasets)
    thresholds, strata = Thresholds.of(settings.compare), strata_of(datasets)
    length = build.contigs[contig]
    found = comparison.compare(datasets, settings.id, strata, contig, length, summed, folder, thresholds)
    found.save(folder)


def names(collection: str, contigs: Sequence[str]) -> list[str]:
    """Files of the sum, without its manifest and what the comparison adds."""
    vcfs = [f"sites/{collection}.{which}.vcf.gz{end}" for which in _VCFS for end in ("", ".tbi")]
    parquet = [f"{kind}/{contig}.parquet" for kind in ("frequencies", "datasets") for contig in contigs]
    return [*parquet, *vcfs, DICTIONARY, ABOUT, "README.md"]


def finish(
    settings: Settings,
    datasets: Sequence[Dataset],
    parts: Mapping[str, Path],
    by_contig: Sequence[Mapping],
    root: Path,
    compared: Mapping[str, Path],
) -> None:
    """Write the folder from what `sum_contig` and `compare_contig` left. parts, compared: contig -> work folder of
    each. told: what `sum_contig` returned.

    root: the folder, which must not be there or be empty but for what this wrote before.
    """
    taken_in = taken(datasets)
    build, contigs = build_of(taken_in)
    strata = strata_of(taken_in)
    for name in ("frequencies", "datasets", "sites", "metadata", "dictionary"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / manifest.NAME).unlink(missing_ok=True)
    for contig, part in parts.items():
        for kind, name in (("frequencies", "sums"), ("datasets", "datasets")):
            _copy(part / f"{name}.parquet", root / f"{kind}/{contig}.parquet")
    info = table.tags(strata)

    def vcf(which: str) -> None:
        used = {name for one in by_contig for name in one["filters"]} if which == "all" else set()
        filters = [name for name in table.FILTERS if name in used]
        head = sites_vcf.header(build.name, contigs, filters, table.FILTERS, info)
        if level(taken_in) == LEVEL:
            at = head.index("##reference=")
            head = head[:at] + MARK + head[at:]
        bodies = [parts[contig] / f"{which}.vcf.gz" for contig in parts]
        sites_vcf.join(head, bodies, root / f"sites/{settings.id}.{which}.vcf.gz")

    # Beside each other, since most of it is that tabix reads them again.
    with ThreadPoolExecutor(len(_VCFS)) as pool:
        list(pool.map(vcf, _VCFS))
    about = describe(settings, datasets, by_contig)
    write_whole(root / ABOUT, dumps(about))
    write_whole(root / DICTIONARY, dictionary(strata))
    write_whole(root / "README.md", readme(about))
    more = comparison_files.write(about, list(compared.values()), root, Thresholds.of(settings.compare))
    manifest.write(root, [*names(settings.id, list(parts)), *more])


def dictionary(strata: Sequence[str]) -> str:
    """Table of every column and tag of the files."""
    return table.dictionary(strata) + "".join("\t".join(row) + "\n" for row in comparison_files.dictionary())


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as come, target.open("wb") as go:
        while piece := come.read(1 << 20):
            go.write(piece)


def heading(settings: Settings) -> dict:
    """What the description of a folder that is made here begins with."""
    return {
        "id": settings.id,
        "title": settings.title,
        "contact": dict(settings.contact),
        "made_with": f"goe {__version__}",
        "code_sha256": code_digest.digest(),
    }


def describe(settings: Settings, datasets: Sequence[Dataset], by_contig: Sequence[Mapping]) -> dict:
    """`metadata/collection.json`."""
    taken_in = taken(datasets)
    build, contigs = build_of(taken_in)
    strata = strata_of(taken_in)
    terms = next((one.terms for one in taken_in if one.ours), {})
    return {
        **heading(settings),
        "level": level(taken_in),
        "legal_basis": settings.restricted or None if level(taken_in) == LEVEL else None,
        "what_it_tells": _RESTRICTED if level(taken_in) == LEVEL else _NOTHING_NEW,
        "build": build.name,
        "contigs": contigs,
        "pseudo_autosomal_regions": [list(region) for region in build.par],
        "counting_rules": terms.get("counting_rules"),
        "genotype_filter": terms.get("genotype_filter"),
        "normalisation": terms.get("normalisation"),
        "strata": {s: sum(one.people.get(s, 0) for one in taken_in) for s in strata},
        "strata_at_least": any(not one.exact_people for one in taken_in),
        "number_of_records": sum(one["alleles"] for one in by_contig),
        "number_of_pass_records": sum(one["passed"] for one in by_contig),
        "number_of_exact_records": sum(one["exact"] for one in by_contig),
        "contigs_with_alleles": [one["contig"] for one in by_contig],
        "sources": [_source(one, by_contig) for one in taken_in],
        "refused": [
            {
                "number": one.number,
                "name": one.name,
                "problems": [{"where": p.where, "what": p.what, "mend": p.mend} for p in one.problems],
            }
            for one in datasets
            if one.refused
        ],
    }


def _source(one: Dataset, by_contig: Sequence[Mapping]) -> dict:
    alleles = {name: sum(part["said"][str(one.number)][name] for part in by_contig) for name in STATES}
    terms = ("counting_rules", "genotype_filter", "normalisation", "par")
    return {
        "number": one.number,
        "id": one.id or None,
        "name": one.name,
        "country": one.country,
        "kind": one.kind,
        "counted_by": one.counted_by,
        "sha256": one.digest,
        "tables_sha256": {contig: file.sha256 for contig, file in one.tables.items()},
        "callable_an_sha256": {contig: file.sha256 for contig, file in one.callable_an.items()},
        "people": one.people,
        "people_at_least": not one.exact_people,
        "silence": {"means": one.silence.means, "min_carriers": one.silence.k if one.silence.k > 1 else None},
        "alleles": alleles,
        "not_said": [term for term in terms if one.terms.get(term) is None],
        "differs": one.manner,
        "notes": one.notes,
    }


def readme(about: Mapping) -> str:
    """README.md of a collection, from its description."""
    rows = [
        f"| {s['number']} | {_plain(s['name'])} | {s['country']} | {s['kind']}, counted by {_plain(s['counted_by'])} "
        f"| {'at least ' if s['people_at_least'] else ''}{s['people'][TOTAL]:,} | {_silence(s)} |"
        for s in about["sources"]
    ]
    refused = [
        f"- **{_plain(one['name'])}**: " + "; ".join(_plain(f"{p['what']}") for p in one["problems"][:3])
        for one in about["refused"]
    ]
    mixed = sorted({s["counted_by"] for s in about["sources"]} - {"goe"})
    warning = (
        [f"Numbers of {', '.join(map(_plain, mixed))} were counted by other rules and are in these sums.", ""]
        if mixed
        else []
    )
    text = [
        f"# {_plain(about['title'])}",
        "",
        f"{about['id']}: {about['number_of_records']:,} alleles of {len(about['sources'])} datasets added up, "
        f"{about['build']}. {about['number_of_exact_records']:,} of the sums are exact, the others are bounds.",
        "",
        about["what_it_tells"],
        "",
        *warning,
        "| | dataset | country | kind | people | an allele it does not list |",
        "|---|---|---|---|---:|---|",
        *rows,
        "",
        "## Refused",
        "",
        *(refused or ["None."]),
        "",
        "## Files",
        "",
        "- `frequencies/<contig>.parquet`: the sums, by country of origin; every column is told in `dictionary/`.",
        "- `datasets/<contig>.parquet`: what each dataset says of each allele.",
        f"- `sites/{about['id']}.pass.vcf.gz`, `.all.vcf.gz`: the same; AC, AN and AF only where they are exact.",
        "- `collection.html`: the collection for people, with the numbers of `collection-data/`.",
        "- `comparison/`: countries and datasets compared: `statistics.json`, its tables, and tests of each allele.",
        "- `metadata/collection.json`: the datasets with their digests, and who was refused and why.",
        "",
        "A dataset that is not counted at an allele (filtered, not callable, unknown) is in none of its numbers: look",
        "at `n_datasets`, `n_absent`, `n_floor` and the others before you compare two alleles.",
        "",
    ]
    return "\n".join(text)


def _plain(text: str) -> str:
    """A text of somebody else as text: nothing in it is markup."""
    return "".join(c if c.isalnum() or c in " .,:;_+()/=-'%" else f"&#{ord(c)};" for c in str(text))


def _silence(source: Mapping) -> str:
    means, k = source["silence"]["means"], source["silence"]["min_carriers"]
    if not source["callable_an_sha256"]:
        return "is unknown there: no callable AN"
    return {"zero": "AC 0", "floor": f"bounds, floor of {k}"}.get(means, "is unknown there")


def save(datasets: Sequence[Dataset], path: str | Path) -> None:
    """Keep the datasets, refused ones too, for the jobs that add them up."""
    write_whole(path, json.dumps([asdict(one) for one in datasets], indent=1, sort_keys=True) + "\n")


def load(path: str | Path) -> list[Dataset]:
    """Of a file that `save` wrote."""
    return [Dataset.of(entry) for entry in json.loads(Path(path).read_text())]


def clear(root: str | Path, collection: str, about: str = ABOUT) -> None:
    """Take away the folder of an earlier run of the same collection. about: its description.

    GoeError when something else is there.
    """
    where = Path(root)
    if not where.exists():
        return
    if not any(where.iterdir()):
        where.rmdir()
        return
    known = where / about
    present = json.loads(known.read_text()).get("id") if known.is_file() else None
    if present != collection:
        what = f"holds {present or 'something that is no collection'}, and {collection} is to be made there"
        raise GoeError(Problem(str(where), what, "move it elsewhere"))
    shutil.rmtree(where)
