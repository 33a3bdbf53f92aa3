"""The restricted product: the numbers of a release without a floor, for a merge that its recipients are trusted with.

Small counts of several countries that none may publish can together be published: floors come after the merge. For
that, frequency table and sites VCF are written a second time, of the same schema, with every stratum and every count,
and marked as restricted. They are personal data. They are made below the work folder and leave as one TAR that is
encrypted while it is made, for the owners of the public keys in the configuration and nobody else.

The TAR is a function of its members alone; its first member is `MANIFEST.sha256`, which `sha256sum -c` reads.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path, PurePosixPath

import pyarrow.compute as pc

from goe.core import manifest, tar
from goe.core.errors import GoeError, Problem, stop_on
from goe.disclosure.plan import Plan, choose_strata
from goe.hts import crypt4gh
from goe.release import bounds, reading
from goe.release import notes as release_notes
from goe.release.formats import sites_vcf
from goe.release.table import Source, Writer, schema
from goe.rules.policy import Policy
from goe.rules.site_filters import DESCRIPTIONS
from goe.settings import sections
from goe.settings.sections import Config

LEVEL = "restricted"
MARK = f"##disclosure={LEVEL}: no floor, personal data, for named recipients only\n"


def policy(legal_basis: str) -> Policy:
    """Every count of every stratum, on the agreement named."""
    return Policy(k=1, legal_basis=legal_basis, name=LEVEL)


def _plan(people: Mapping[str, int]) -> Plan:
    return choose_strata(people, policy("").k)


def name(dataset: str) -> str:
    """Name of the folder inside the TAR: that of a release folder cannot be it."""
    return f"{dataset}.{LEVEL}"


def write_contig(
    source: Source,
    fields: Sequence[Mapping[str, str]],
    about: Mapping,
    table: str | Path,
    every: str | Path,
    passed: str | Path,
    threads: int = 1,
) -> dict:
    """Frequency table and VCF lines of one contig, as the release has them.

    source: with `policy`. about: facts for the table (dataset, build). every, passed: files of VCF lines, of all
    alleles and of PASS. Returns {people, tally}, exact.
    """
    if source.policy.name != LEVEL:
        raise ValueError(f"the source has the policy {source.policy.name}")
    info = sites_vcf.tags(fields, source.plan.strata)
    people = {stratum: source.plan.people[stratum] for stratum in source.plan.strata}
    wanted = schema(fields, {**about, "disclosure": {"level": LEVEL}}, people, source.contig)
    with ExitStack() as stack:
        rows = stack.enter_context(Writer(table, wanted))
        bodies = [stack.enter_context(sites_vcf.Body(path, threads)) for path in (every, passed)]
        for block in source:
            rows.write(block)
            text = sites_vcf.lines(block, info)
            bodies[0].write(text)
            bodies[1].write(text.filter(pc.equal(block.filter, "PASS")))
    return {"people": source.people, "tally": source.tally.as_dict()}


def write_sites(
    contigs: Sequence[Mapping],
    bodies: Sequence[str | Path],
    fields: Sequence[Mapping[str, str]],
    build: str,
    target: str | Path,
    filtered: bool,
) -> None:
    """One sites VCF and its index from the lines of all contigs, with the header of the release and a mark.

    contigs: {contig: {name, length, md5}, people, tally} in the order of the reference. filtered: whether alleles
    with another FILTER than PASS are in it.
    """
    tally = release_notes.combine(contigs)
    plan = _plan(tally["people"])
    filters = release_notes.filter_order(tally["filters"] if filtered else {}, DESCRIPTIONS)
    info = sites_vcf.tags(fields, plan.strata)
    head = sites_vcf.header(build, [c["contig"] for c in contigs], filters, DESCRIPTIONS, info)
    at = head.index("##reference=")
    sites_vcf.join(head[:at] + MARK + head[at:], bodies, target)


def describe(
    cfg: Config,
    build: str,
    contigs: Sequence[Mapping],
    legal_basis: str,
    recipients: Sequence[str | Path],
    par: Sequence[Sequence] = (),
) -> str:
    """`metadata/dataset.json`: the description of the dataset with its level, its recipients by their keys, and the
    thresholds of its genotypes, which whoever adds it up has to compare."""
    tally = release_notes.combine(contigs)
    names = [entry["contig"] for entry in contigs]
    about = release_notes.dataset(cfg, build, _plan(tally["people"]), tally, 1, par=par, contigs=names)
    about["genotype_filter"] = sections.plain(cfg.genotype_filter)
    about["disclosure"] = {
        "level": LEVEL,
        "min_carriers": None,
        "legal_basis": legal_basis,
        "recipients": sorted(crypt4gh.fingerprint(path) for path in recipients),
    }
    return release_notes.dumps(about)


def package(
    members: Mapping[str, str | Path], dataset: str, target: str | Path, recipients: Sequence[str | Path]
) -> dict[str, str | int]:
    """Write the files `members` (name inside the folder -> path) as one encrypted TAR.

    Returns sha256 and size of the TAR, which are the same for the same members. GoeError for keys or members that
    cannot be used, and when a file changes while it is read; there is no target then.
    """
    problems = crypt4gh.recipients_problems(recipients)
    for member, path in sorted(members.items()):
        if not Path(path).is_file() or Path(path).is_symlink():
            problems.append(Problem(str(path), "is no file", "make the restricted files again"))
        elif not _inside(member) or member == manifest.NAME:
            problems.append(Problem(repr(member), "cannot be a name in the package", "name files by relative paths"))
    stop_on(problems)
    digests = {member: manifest.digest(path) for member, path in sorted(members.items())}
    sha256, size = crypt4gh.encrypt(_tar(members, digests, name(dataset)), target, recipients)
    return {"sha256": sha256, "size": size}


def _inside(member: str) -> bool:
    path = PurePosixPath(member)
    plain = not set(member) & set("\n\r\\\0")
    return plain and member == str(path) and not path.is_absolute() and ".." not in path.parts and member != "."


def _tar(members: Mapping[str, str | Path], digests: Mapping[str, str], folder: str) -> Iterator[bytes]:
    """The TAR of the package: manifest first, the others by name."""
    listed = "".join(f"{value}  {member}\n" for member, value in digests.items()).encode()
    files = {f"{folder}/{member}": Path(members[member]) for member in digests}
    known = {f"{folder}/{member}": value for member, value in digests.items()}
    return tar.stream([(f"{folder}/{manifest.NAME}", listed), *files.items()], digests=known)


def unpack(source: str | Path, folder: str | Path, secret_key: str | Path, passphrase: str = "") -> Path:
    """Decrypt a package into `folder`, an empty one or none yet; returns the folder of its files.

    For its recipient. GoeError when the key does not fit, when a file lacks, was changed or is not listed, and when
    it is no restricted product.
    """
    root = Path(folder)
    if root.exists() and any(root.iterdir()):
        raise GoeError(Problem(str(root), "is not empty", "name a new folder"))
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    archive = root / "package.tar"
    try:
        crypt4gh.decrypt(source, archive, secret_key, passphrase)
        content = reading.mapped(archive)
        for member, start, size in tar.written(memoryview(content), str(source), bounds.ENTRIES):
            place = root / member
            if not _inside(member) or place == archive:
                raise GoeError(Problem(str(source), f"{member!r} is no plain file inside", "do not use it"))
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with place.open("xb") as out:
                out.write(content.slice(start, size))
    except (FileExistsError, NotADirectoryError) as error:
        raise GoeError(Problem(str(source), f"is no whole package ({error})", "get the file again")) from error
    finally:
        archive.unlink(missing_ok=True)
    tops = sorted(root.iterdir())
    if len(tops) != 1:
        raise GoeError(Problem(str(source), f"holds {len(tops)} folders, not one", "it is no restricted product"))
    stop_on(manifest.verify(tops[0]))
    described = tops[0] / "metadata" / "dataset.json"
    said = _described(described) if described.is_file() else {}
    if not isinstance(said, dict) or said.get("level") != LEVEL:
        raise GoeError(Problem(str(described), "does not say that it is restricted", "it is no restricted product"))
    return tops[0]


def _described(path: Path) -> object:
    """What the description says of disclosure; None where it says nothing."""
    if path.stat().st_size > bounds.TEXT_FILE:
        raise GoeError(Problem(str(path), f"has more than {bounds.TEXT_FILE:,} bytes", "get the file again"))
    with reading.reading(path):
        said = reading.parsed(path.read_text(encoding="utf-8"), str(path))
    return said.get("disclosure") if isinstance(said, dict) else None
