"""The command line: `goe COMMAND`, or `python -m goe COMMAND`."""

import argparse
import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from goe import __version__
from goe.core.errors import GoeError, Problem, printable, stop_on

PASSED, FAILED, UNUSABLE = 0, 1, 2
# Commands or actions, as `add_subparsers` gives them.
_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
_STATES = {True: "passed", False: "FAILED", None: "not applicable"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit status: 0 when all is well, 1 when something failed, 2 when it could not be asked."""
    parser = argparse.ArgumentParser("goe", description="Allele-frequency releases of the Genome of Europe.")
    parser.add_argument("--version", action="version", version=f"goe {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_check(commands)
    _add_lookup(commands)
    _add_extract(commands)
    _add_va_spec(commands)
    _add_diff(commands)
    _add_code(commands)
    _add_merge(commands)
    _add_progress(commands)
    _add_erase(commands)
    _add_demo(commands)
    given = parser.parse_args(arguments)
    try:
        return given.work(given)
    except GoeError as error:
        print(f"goe: {_told(error)}", file=sys.stderr)
    except BrokenPipeError:
        # Nobody reads on; Python would say so again when it closes the output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        print(f"goe: {error.filename or 'output'}: {error.strerror}", file=sys.stderr)
    return UNUSABLE


def _told(error: GoeError) -> str:
    """As the error has it, but a line a problem: what it tells of may come from a stranger's file."""
    lines = [printable(str(problem)) for problem in error.problems]
    return lines[0] if len(lines) == 1 else "\n  ".join([f"{len(lines)} problems:", *lines])


def _add_check(commands: _Commands) -> None:
    words = "hold a release folder against everything it promises"
    more = (
        "Needs the folder alone: no configuration, no reference, no network. Ends with 0 when every check passed, with "
        "1 when one failed, with 2 when there was nothing to check: no such folder, no release, no list of ids."
    )
    parser = commands.add_parser("check", help=words, description=f"goe check: {words}. {more}")
    parser.add_argument("release", metavar="RELEASE", help="the folder of the release")
    parser.add_argument("--json", metavar="FILE", help="write the results here too, for programs")
    parser.add_argument("--quiet", action="store_true", help="say only what failed")
    ids = "ids of people, one a line, or a sheet with sample_id; none may stand in any file, packed ones included"
    parser.add_argument("--ids", metavar="FILE", help=ids)
    parser.add_argument(
        "--threads", metavar="N", type=_threads, default=2, help="checks made side by side (default: 2)"
    )
    parser.set_defaults(work=_check)


def _add_lookup(commands: _Commands) -> None:
    words = "tell what a release says of an allele"
    more = (
        "An allele is written as chr20-331-A-G, as a line of a VCF, as SPDI or as HGVS on the genome. Ends with 0 when "
        "every one is listed as PASS, with 1 when one is not, with 2 when one cannot be read."
    )
    parser = commands.add_parser("lookup", help=words, description=f"goe lookup: {words}. {more}")
    parser.add_argument("release", metavar="RELEASE", help="the folder of the release")
    parser.add_argument("alleles", metavar="ALLELE", nargs="+")
    reference = "indexed FASTA of its build: names without bases are read by it, and alleles left-aligned"
    parser.add_argument("--reference", metavar="FASTA", help=reference)
    parser.add_argument("--json", metavar="FILE", help="write the answers here too, for programs")
    parser.set_defaults(work=_lookup)


def _lookup(given: argparse.Namespace) -> int:
    if given.json:
        Path(given.json).write_text("")
    from goe.lookup import release

    asked = release.Release(given.release, given.reference)
    answers, problems = [], []
    for text in given.alleles:
        try:
            answers += asked.ask(text)
        except GoeError as error:
            problems += error.problems
    for answer in answers:
        print("\n".join(map(printable, answer.lines())))
    if given.json:
        Path(given.json).write_text(_dumps({"release": asked.facts.id, "answers": [a.as_dict() for a in answers]}))
    stop_on(problems)
    return PASSED if all(answer.outcome == release.PASS for answer in answers) else FAILED


def _add_extract(commands: _Commands) -> None:
    words = "write one stratum of a release as a sites VCF of its own, with bare tags"
    more = "For loaders that take one population a file: its PASS alleles, as far as they are public, and an index."
    parser = commands.add_parser("extract", help=words, description=f"goe extract: {words}. {more}")
    parser.add_argument("release", metavar="RELEASE", help="the folder of the release")
    parser.add_argument("stratum", metavar="STRATUM", help="Total, M, F, a country (EE), a country and a sex (EE_M)")
    parser.add_argument("-o", "--out", metavar="FILE", required=True, help="the VCF, a new file, .vcf.gz")
    parser.add_argument(
        "--without", metavar="CONTIG", action="append", default=[], help="leave a contig out; more than once for more"
    )
    parser.set_defaults(work=_extract)


def _extract(given: argparse.Namespace) -> int:
    from goe.lookup import extract

    alleles = extract.write(given.release, given.stratum, given.out, given.without)
    print(f"{alleles:,} alleles of {given.stratum} in {given.out}")
    return PASSED


def _add_va_spec(commands: _Commands) -> None:
    words = "write a release as cohort allele frequencies of the GA4GH VA-Spec, JSON lines, a file a contig"
    parser = commands.add_parser("va-spec", help=words, description=f"goe va-spec: {words}.")
    parser.add_argument("release", metavar="RELEASE", help="the folder of the release")
    parser.add_argument("-o", "--out", metavar="FOLDER", required=True, help="a new folder for the files")
    parser.set_defaults(work=_va_spec)


def _va_spec(given: argparse.Namespace) -> int:
    from goe.lookup import va_spec

    print(f"{va_spec.write(given.release, given.out):,} alleles in {given.out}")
    return PASSED


def _add_diff(commands: _Commands) -> None:
    words = "compare two release folders"
    more = (
        "Needs the folders alone. Ends with 0 when nothing differs, with 1 when anything does, with 2 when they cannot "
        "be compared: one is no release, or not whole by its manifest, or they are of other builds or sequences."
    )
    parser = commands.add_parser("diff", help=words, description=f"goe diff: {words}. {more}")
    parser.add_argument("a", metavar="A", help="the folder of a release")
    parser.add_argument("b", metavar="B", help="that of another one")
    parser.add_argument("--json", metavar="FILE", help="write the results here too, for programs")
    parser.add_argument("--quiet", action="store_true", help="say in one line whether they differ")
    parser.add_argument("--threads", metavar="N", type=_threads, default=2, help="files read side by side (default: 2)")
    parser.set_defaults(work=_diff)


def _diff(given: argparse.Namespace) -> int:
    if given.json:
        Path(given.json).write_text("")
    from goe.compare import run as compare

    try:
        found = compare.compare(given.a, given.b, given.threads)
    except GoeError as error:
        if given.json:
            Path(given.json).write_text(_dumps(compare.not_comparable(error)))
        raise
    if given.json:
        Path(given.json).write_text(_dumps(found.as_dict()))
    lines = found.lines()
    print("\n".join(lines[-1:] if given.quiet else lines))
    return PASSED if found.outcome == compare.SAME else FAILED


def _dumps(content: dict) -> str:
    # Half of a character beyond 16 bits, which a JSON file may name, cannot be written as text.
    return json.dumps(content, indent=1, ensure_ascii=False).encode("utf-8", "backslashreplace").decode() + "\n"


def _add_code(commands: _Commands) -> None:
    words = "tell the SHA-256 of the code, which a release has as code_sha256 in metadata/dataset.json"
    parser = commands.add_parser("code", help=words, description=f"goe code: {words}.")
    parser.add_argument("clone", metavar="CLONE", nargs="?", help="the folder of a clone (default: that of this goe)")
    parser.set_defaults(work=_code)


def _add_merge(commands: _Commands) -> None:
    words = "look at datasets of several countries and add up those that can be"
    more = (
        "For small things: the target `collect` of the workflow does the same with a sheet, a job a dataset. Ends with "
        "0 when all were added up, with 1 when some were refused, with 2 when there is no collection."
    )
    parser = commands.add_parser("merge", help=words, description=f"goe merge: {words}. {more}")
    what = "a dataset: its expected id or country, =, and its folder or file"
    parser.add_argument("datasets", metavar="DATASET", nargs="+", type=_dataset, help=what)
    parser.add_argument("-o", "--out", metavar="FOLDER", required=True, help="the collection, a new folder")
    parser.add_argument("--id", default="GOE-EU-COLLECTION-20000101000000000", help="dataset id of the collection")
    parser.add_argument("--title", default="Allele frequencies of several datasets", help="one line for people")
    parser.add_argument("--contact", nargs=2, metavar=("NAME", "MAIL"), default=["-", "nobody@invalid"])
    parser.add_argument("--counted-by", metavar="NAME", default="", help="who counted what goe did not")
    parser.add_argument("--key", metavar="FILE", default="", help="private key of encrypted ones")
    parser.add_argument("--legal-basis", metavar="TEXT", default="", help="agreement to add up restricted products")
    parser.add_argument("--threads", metavar="N", type=_threads, default=2)
    parser.set_defaults(work=_merge)


def _dataset(text: str) -> tuple[str, str]:
    from goe.rules.dataset import COUNTRIES, DatasetId

    expect, _, path = text.partition("=")
    if not path or not (DatasetId.parse(expect) or expect in COUNTRIES):
        raise argparse.ArgumentTypeError(f"{text} is no ID=PATH or COUNTRY=PATH")
    return expect, path


def _merge(given: argparse.Namespace) -> int:
    from goe.collect import run, sheet
    from goe.core import environment

    os.umask(0o077)
    contact = dict(zip(("fn", "email"), given.contact, strict=True))
    legal = {"restricted": {"legal_basis": given.legal_basis}} if given.legal_basis else {}
    about = {"id": given.id, "title": given.title, "contact": contact}
    settings = sheet.settings({"datasets": "-", "collection": about, **legal})
    entries = []
    for number, (expect, path) in enumerate(given.datasets, 1):
        kind = sheet.kind_of(path)
        by = "goe" if kind in (sheet.RELEASE, sheet.RESTRICTED) else given.counted_by
        entries.append(sheet.Entry(number, path, expect, kind, given.key, by))
    unnamed = [e for e in entries if e.kind and not e.counted_by]
    stop_on([Problem(e.name, "does not say who counted it", "name the pipeline with --counted-by") for e in unnamed])
    environment.streams()
    datasets = run.merge(entries, settings, given.out, given.threads)
    for one in datasets:
        print(f"{'refused' if one.refused else 'added up':10}  {printable(one.name)}")
        for problem in one.problems:
            print(f"{'':12}{printable(str(problem))}")
    return FAILED if any(one.refused for one in datasets) else PASSED


def _code(given: argparse.Namespace) -> int:
    from goe.core import code_digest
    from goe.core.resources import ROOT

    print(code_digest.digest(given.clone or ROOT))
    return PASSED


def _threads(text: str) -> int:
    if not re.fullmatch("0*[1-9][0-9]{0,3}", text):
        raise argparse.ArgumentTypeError(f"{text} is no number from 1 to 9999")
    return int(text)


def _check(given: argparse.Namespace) -> int:
    if given.json:
        # Before the checks, which take minutes: an old file must not be taken for their result, either.
        Path(given.json).write_text("")
    # Loads Arrow, which takes longer than to say what is wrong with an option.
    from goe.check import run as check
    from goe.collect import check as collection

    def tell(result: "check.Result") -> None:
        if given.quiet and result.passed is not False:
            return
        print(f"{_STATES[result.passed]:14}  {result.name}: {result.detail}", flush=True)
        for problem in result.problems:
            print(f"{'':16}{printable(str(problem))}", flush=True)

    results: Sequence[check.Result]
    if collection.is_collection(given.release):
        results = collection.run(given.release, given.threads)
        for one in results:
            tell(one)
    else:
        results = check.run(given.release, ids=given.ids, threads=given.threads, tell=tell)
    failed = [result for result in results if result.passed is False]
    n = sum(len(result.problems) for result in failed)
    if given.json:
        content = {
            "goe": __version__,
            "passed": not failed,
            "problems": n,
            "checks": [check.as_dict(result) for result in results],
        }
        Path(given.json).write_text(_dumps(content))
    if failed:
        print(f"{n} problem{'s' if n != 1 else ''}; {len(failed)} of {len(results)} checks failed")
        return FAILED
    if not given.quiet:
        made = sum(result.passed is True for result in results)
        print(f"0 problems; all {made} checks that apply passed")
    return PASSED


def _add_progress(commands: _Commands) -> None:
    words = "tell how far a run is, what it has cost, and what failed"
    more = (
        "Works while the run does, from the logs of its jobs, on any executor. Writes work/summary.html, which has the "
        "last lines of logs of failed jobs; names nobody at the terminal. Ends with 1 when a job has failed."
    )
    parser = commands.add_parser("progress", help=words, description=f"goe progress: {words}. {more}")
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="folder of the run, with work/ in it")
    parser.set_defaults(work=_progress)


def _progress(given: argparse.Namespace) -> int:
    from goe.progress import command

    seen = command.look(given.folder)
    print(*command.told(seen), sep="\n")
    return FAILED if any(rule.failed for rule in seen.rules) else PASSED


def _add_erase(commands: _Commands) -> None:
    words = "tell what a run keeps of one person; with --yes, delete it"
    more = (
        "Nothing is deleted without --yes. Ends with 2 when a run is at work in the folder or the id was never in it."
    )
    parser = commands.add_parser("erase", help=words, description=f"goe erase: {words}. {more}")
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="folder of the run, with work/ in it")
    parser.add_argument("person", metavar="ID", help="sample_id of the person")
    parser.add_argument("--yes", action="store_true", help="delete")
    parser.set_defaults(work=_erase)


def _erase(given: argparse.Namespace) -> int:
    from goe.erase import person

    found = person.find(given.folder, given.person)
    done = "deleted" if given.yes else "would be deleted"
    if given.yes:
        person.erase(given.folder, found)
    print(f"{len(found.own)} files of this person alone, {done}:", *found.own, sep="\n  ")
    print(f"{len(found.shared)} files of more people, this person among them, {done}:", *found.shared, sep="\n  ")
    again = [f"{rule}: {n}" for rule, n in sorted(found.again.items())] or ["nothing"]
    print("Jobs of more people that the next run does again:", *again, sep="\n  ")
    print("Not erased here:", *found.left, sep="\n  ")
    return PASSED


def _add_demo(commands: _Commands) -> None:
    words = "write a simulated cohort, or compare a run on it with its truth"
    parser = commands.add_parser("demo", help=words, description=f"goe demo: {words}.")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    make = actions.add_parser("make", help="write the cohort, its configuration and its truth into a folder")
    make.add_argument("folder", metavar="FOLDER", type=Path)
    make.add_argument("--seed", metavar="N", type=int, help="another cohort of the same kind")
    make.add_argument("--no-reads", action="store_true", help="leave out the five people who come as reads")
    make.set_defaults(work=_make_demo)
    floor = actions.add_parser("floor", help="set a floor for the next run; the open release of the last goes to open/")
    floor.add_argument("folder", metavar="FOLDER", type=Path)
    floor.set_defaults(work=_floor_of_demo)
    compare = actions.add_parser("compare", help="compare a run with the truth of its cohort")
    compare.add_argument("demo", metavar="DEMO", type=Path, help="folder of `goe demo make`")
    compare.add_argument("run", metavar="RUN", type=Path, help="folder with work/ and release/ of the run")
    compare.add_argument("--names", action="store_true", help="also name wrong calls, on the terminal alone")
    compare.set_defaults(work=_compare_demo)
    countries = actions.add_parser("make-countries", help="write three countries, each for a run of its own")
    countries.add_argument("folder", metavar="FOLDER", type=Path)
    countries.add_argument("--seed", metavar="N", type=int, help="other countries of the same kind")
    countries.set_defaults(work=_make_countries)
    foreign = actions.add_parser("foreign", help="write the sites VCF of a release as another pipeline gives it")
    foreign.add_argument("release", metavar="RELEASE", type=Path)
    foreign.add_argument("vcf", metavar="VCF", type=Path)
    foreign.set_defaults(work=_foreign)
    collected = actions.add_parser("compare-countries", help="compare the collections of them with the whole cohort")
    collected.add_argument("folder", metavar="FOLDER", type=Path, help="folder of `goe demo make-countries`")
    collected.set_defaults(work=_compare_countries)


def _make_demo(given: argparse.Namespace) -> int:
    from goe.demo import cohort

    os.umask(0o077)
    counts = cohort.build(given.folder, cohort.SEED if given.seed is None else given.seed, not given.no_reads)
    places = ", ".join(f"{n} on {c}" for c, n in counts["loci"].items())
    print(f"{counts['people']} people, loci: {places}; {given.folder}")
    return PASSED


def _floor_of_demo(given: argparse.Namespace) -> int:
    from goe.demo import cohort

    cohort.under_floor(given.folder)
    print(f"{given.folder}/config/config.yaml: {cohort.FLOOR}; the open release is {given.folder}/open")
    return PASSED


def _compare_demo(given: argparse.Namespace) -> int:
    from goe.demo import compare

    os.umask(0o077)
    report = compare.compare(given.demo, given.run)
    text = "\n".join(report.lines) + "\n"
    (given.run / "work" / "demo_comparison.txt").write_text(text)
    print(text, end="")
    if given.names:
        truth = compare.Truth.read(given.demo / "truth")
        seen, _ = compare.read_harmonised(given.run / "work" / "harmonise", [p["sample_id"] for p in truth.people])
        print("\n".join(compare.wrong_calls(truth, seen)))
    return FAILED if report.wrong else PASSED


def _make_countries(given: argparse.Namespace) -> int:
    from goe.demo import countries

    os.umask(0o077)
    made = countries.build(given.folder, countries.SEED if given.seed is None else given.seed)
    print(f"{made['people']} people of {made['countries']} countries, {made['loci']} loci; {given.folder}")
    return PASSED


def _foreign(given: argparse.Namespace) -> int:
    from goe.demo import countries

    os.umask(0o077)
    print(f"{countries.foreign(given.release, given.vcf)} records; {given.vcf}")
    return PASSED


def _compare_countries(given: argparse.Namespace) -> int:
    from goe.demo import countries

    report = countries.compare(given.folder)
    print("\n".join(report.lines))
    return FAILED if report.wrong else PASSED
