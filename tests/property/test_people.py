"""Random cohorts of people with files of their own: every count and FILTER is that of the plain counter, and what must
not matter does not.

GOE_PEOPLE_SEEDS=200 tries that many cohorts instead of a few.
"""

import os
import random
import subprocess
from collections import defaultdict
from itertools import product
from pathlib import Path

import pytest
from goe.core.errors import GoeError
from goe.harmonise import batch
from goe.harmonise.genotypes import CODES, Filter
from helpers import own_files
from helpers import plain_people as pp
from helpers.own_counting import Options, count_folder, leaf_counts

SEEDS = range(int(os.environ.get("GOE_PEOPLE_SEEDS", "4")))
# Thresholds, by goe and by the plain counter.
RULES = {
    "goe": (Filter(), {}),
    "min_dp": (Filter(min_dp=8), {"min_dp": 8}),
    "min_gq": (Filter(min_gq=15), {"min_gq": 15}),
    "min_ab": (Filter(min_ab=0.3), {"min_ab": 0.3}),
    "gnomad": (Filter(alt_only=True), {"alt_only": True}),
    "none": (Filter(0, 0, 0, 0), {"on": False}),
    "respect_ft": (Filter(), {"respect_ft": True}),
    "keep": (Filter(), {"keep": True}),
}
LAYOUTS = list(product((100_000, 400), (1000, 1)))


def told(counts):
    """Counts of the plain counter without the leaves in which nobody is called."""
    return {site: {leaf: n for leaf, n in by.items() if any(n)} for site, by in counts.items()}


def filters(rows):
    return {(r["contig"], r["pos"], r["ref"], r["alt"]): sorted(r["filters"]) for r in rows}


def different(found, wanted):
    """What differs, small enough to read."""
    return {key: (found.get(key), wanted.get(key)) for key in found | wanted if found.get(key) != wanted.get(key)}


def pack(path: Path, lines):
    """Write a VCF as text, bgzipped and indexed."""
    path.write_text("".join(f"{line}\n" for line in lines))
    packed = path.with_name(f"{path.name}.gz")
    packed.write_bytes(subprocess.run(["bgzip", "-c", path], check=True, capture_output=True).stdout)
    subprocess.run(["tabix", "-f", "-p", "vcf", packed], check=True)


def without(path: Path, keys):
    """Take FORMAT fields out of a VCF, header and rows."""
    lines = []
    for line in path.read_text().splitlines():
        if any(line.startswith(f"##FORMAT=<ID={key},") for key in keys):
            continue
        if not line.startswith("#"):
            cells = line.split("\t")
            form, values = cells[8].split(":"), cells[9].split(":")
            kept = [i for i, key in enumerate(form) if key not in keys]
            cells[8] = ":".join(form[i] for i in kept)
            cells[9] = ":".join(values[i] for i in kept if i < len(values))
            line = "\t".join(cells)
        lines.append(line)
    pack(path, lines)


def rows_of(path: Path):
    lines = path.read_text().splitlines()
    return lines[0], [line.split("\t") for line in lines[1:]]


def write_rows(path: Path, head, rows):
    path.write_text("".join(f"{line}\n" for line in [head, *("\t".join(row) for row in rows)]))


def some_of(folder: Path, target: Path, people) -> Path:
    """A folder with these people of another one; a joint VCF comes whole."""
    target.mkdir()
    for path in folder.iterdir():
        if path.suffix != ".tsv":
            (target / path.name).symlink_to(path)
    head, sheet = rows_of(folder / "samples.tsv")
    write_rows(target / "samples.tsv", head, [row for row in sheet if row[0] in people])
    head, inputs = rows_of(folder / "inputs.tsv")
    write_rows(target / "inputs.tsv", head, [r for r in inputs if r[0] in people or (not r[0] and JOINT & set(people))])
    return target


PEOPLE = 5
JOINT = {f"p{n:02d}" for n in range(PEOPLE, PEOPLE + 3)}


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory):
    """Seed -> folder of a cohort: a gVCF of each dialect, three people of a joint VCF, two with single-sample VCFs."""
    made = {}

    def cohort(seed):
        if seed not in made:
            made[seed] = tmp_path_factory.mktemp("people") / str(seed)
            own_files.write(made[seed], seed, people=PEOPLE)
        return made[seed]

    return cohort


@pytest.fixture(scope="module")
def apart(cohorts, tmp_path_factory):
    """A cohort in which every person is a country, so that counts of leaves are calls of people; leaf -> person."""
    folder = tmp_path_factory.mktemp("apart") / "cohort"
    everybody = [row[0] for row in rows_of(cohorts(1) / "samples.tsv")[1]]
    some_of(cohorts(1), folder, everybody)
    head, sheet = rows_of(folder / "samples.tsv")
    sheet = [[name, sex, f"A{chr(65 + i)}"] for i, (name, sex, _) in enumerate(sheet)]
    write_rows(folder / "samples.tsv", head, sheet)
    return folder, {f"{country}_{sex}": name for name, sex, country in sheet}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", RULES)
def test_counts_and_filters_equal_those_of_the_plain_counter(cohorts, tmp_path, name, seed):
    rule, settings = RULES[name]
    folder = cohorts(seed)
    if name == "keep":
        folder = tmp_path / "kept"
        own_files.write(folder, seed, people=PEOPLE)
        for n, keys in enumerate((["AD"], ["DP", "MIN_DP"], ["GQ", "GQX", "PL"], ["GQ", "GQX", "PL", "AD"])):
            without(folder / f"p{n:02d}.vcf", keys)
    size, people = LAYOUTS[(seed + list(RULES).index(name)) % len(LAYOUTS)]
    options = Options(rule, name == "respect_ft", name == "keep", size=size, people_per_batch=people)
    rows = count_folder(folder, tmp_path / "work", options)
    assert different(leaf_counts(rows), told(pp.count(folder, **settings))) == {}
    assert different(filters(rows), pp.filters(folder, **settings)) == {}


@pytest.mark.parametrize("seed", SEEDS)
def test_raw_counts_are_those_without_a_filter(cohorts, tmp_path, seed):
    size, people = LAYOUTS[seed % len(LAYOUTS)]
    rows = count_folder(cohorts(seed), tmp_path / "work", Options(raw=True, size=size, people_per_batch=people))
    assert different(leaf_counts(rows), told(pp.count(cohorts(seed)))) == {}
    assert different(leaf_counts(rows, "raw_"), told(pp.count(cohorts(seed), on=False))) == {}


def test_a_field_that_somebody_has_not_declared_stops(cohorts, tmp_path):
    folder = tmp_path / "kept"
    own_files.write(folder, 1, people=PEOPLE)
    without(folder / "p00.vcf", ["AD"])
    with pytest.raises(ValueError, match="AD not declared"):
        pp.count(folder)
    with pytest.raises(GoeError, match="FORMAT AD not declared"):
        count_folder(folder, tmp_path / "work")


def test_a_person_counts_the_same_alone_and_among_others(apart, tmp_path):
    folder, person_of = apart
    among = leaf_counts(count_folder(folder, tmp_path / "all"))
    people = sorted(person_of.values())
    groups = [[name] for name in people if name not in JOINT] + [sorted(JOINT)]
    # And without one of those who make site alleles.
    groups += [[other for other in people if other != name] for name in (people[0], people[-1])]
    for n, group in enumerate(groups):
        part = leaf_counts(count_folder(some_of(folder, tmp_path / f"some{n}", group), tmp_path / f"work{n}"))
        wanted = {
            site: {leaf: n for leaf, n in among[site].items() if person_of[leaf] in group}
            for site in part
            if site in among
        }
        assert part and different(part, wanted) == {}, group


@pytest.mark.parametrize(("size", "people"), [(400, 1000), (100_000, 1), (300, 2), (333, 3)])
def test_order_of_files_batches_and_regions_change_nothing(cohorts, tmp_path, size, people):
    folder = cohorts(2)
    whole = count_folder(folder, tmp_path / "whole", Options(raw=True))
    turned = some_of(folder, tmp_path / "turned", [row[0] for row in rows_of(folder / "samples.tsv")[1]])
    chance = random.Random(size)
    for name in ("samples.tsv", "inputs.tsv"):
        head, rows = rows_of(turned / name)
        chance.shuffle(rows)
        write_rows(turned / name, head, rows)
    rows = count_folder(turned, tmp_path / "work", Options(raw=True, size=size, people_per_batch=people))
    assert len(whole) > 100 and rows == whole


def test_every_base_is_called_as_the_plain_counter_says(apart, tmp_path):
    """Callable runs, at every position of every contig, for what a file does not list (C6.3, C6.4)."""
    folder, _ = apart
    work = tmp_path / "work"
    count_folder(folder, work)
    people, par = pp.read(folder, pp.Settings())
    contigs = {name: len(bases) for name, bases in pp.fasta((folder / "ref.fa").read_text()).items()}
    wrong = {}
    with batch.Batch.opened({name: work / f"b0.{name}.parquet" for name in batch.TABLES}) as own:
        known = {p.name: p for p in people}
        for contig, length in contigs.items():
            runs = own.read(contig, 1, length).read_runs().to_pylist()
            called = defaultdict(lambda: "missing")
            for run in runs:
                for pos in range(run["start"], run["end"] + 1):
                    assert (run["person"], pos) not in called, "two runs of a person"
                    called[run["person"], pos] = CODES[run["code"]]
            for number, name in enumerate(own.ids):
                for pos in range(1, length + 1):
                    expected = known[name].code((contig, pos, "", ""), par, pp.Settings())
                    if called[number, pos] != expected:
                        wrong[name, contig, pos] = called[number, pos], expected
    assert wrong == {}


@pytest.mark.parametrize("seed", range(3))
def test_an_where_nobodys_row_starts_is_the_callable_an(cohorts, tmp_path, seed):
    """Where the joint VCF has a site allele and no row of two others starts, these add what their runs say (C4.6)."""
    own_people = ["p00", "p01"]
    folder, work = some_of(cohorts(seed), tmp_path / "cohort", [*own_people, *JOINT]), tmp_path / "work"
    rows = leaf_counts(count_folder(folder, work))
    of_joint = leaf_counts(count_folder(some_of(folder, tmp_path / "joint", JOINT), tmp_path / "alone"))
    people = [p for p in pp.read(folder, pp.Settings())[0] if p.name in own_people]
    starts = {(c.contig, c.pos) for p in people for c in p.calls if not c.block}
    seen = 0
    with batch.Batch.opened({name: work / f"b0.{name}.parquet" for name in batch.TABLES}) as own:
        for site, leaves in of_joint.items():
            contig, pos, _, _ = site
            if (contig, pos) in starts or any(p.listing(site) for p in people):
                continue
            codes = [CODES[code] for code in own.read(contig, pos, pos).read_runs()["code"].to_pylist()]
            (ac, an), (joint_ac, joint_an) = (pp.totals(n or {"": [0] * 5}) for n in (rows[site], leaves))
            assert (ac, an) == (joint_ac, joint_an + 2 * codes.count("ref2") + codes.count("ref1"))
            seen += an > joint_an
    assert seen > 10


# People with the same calls in files of two kinds

BASES = {"chr20": 900, "chrX": 900, "chrY": 900, "chrM": 600}
PAR = [("chrX", 0, 300), ("chrY", 0, 300)]
PERSONS = {"a": ("F", "EE"), "b": ("M", "EE"), "c": ("M", "FI"), "d": ("U", "FI"), "e": ("F", "FI")}
GT_LINES = [own_files.LINES[key] for key in ("END", "GT", "DP", "GQ", "AD", "<NON_REF>")]


def variants(chance: random.Random, bases: str):
    """Records 20 bases apart that are left-aligned as they stand: (pos, ref, alts)."""
    for pos in range(15, len(bases) - 15, 20):
        ref = bases[pos - 1]
        kind = chance.choice(["snv", "snv", "two", "deletion", "insertion", "both"])
        others = chance.sample([b for b in "ACGT" if b != ref], 2)
        if kind == "snv":
            yield pos, ref, others[:1]
        elif kind == "two":
            yield pos, ref, others
        elif kind == "insertion":
            yield pos, ref, [ref + "A" + others[0] if others[0] != ref else ref]
        else:
            size = next((n for n in (3, 2, 4, 5) if bases[pos - 1 + n] != ref), 0)
            if size:
                long = bases[pos - 1 : pos + size]
                yield pos, long, [ref] if kind == "deletion" else [ref, long + others[0]][: 1 + (long[-1] != others[0])]


@pytest.mark.parametrize("seed", range(4))
def test_people_of_gvcfs_and_of_a_joint_vcf_with_the_same_calls_count_the_same(tmp_path, seed):
    chance = random.Random(seed)
    bases = {name: "".join(chance.choices("ACGT", k=n)) for name, n in BASES.items()}
    head = ["##fileformat=VCFv4.2", *GT_LINES, *(f"##contig=<ID={c},length={len(b)}>" for c, b in bases.items())]
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    together = [*head, "\t".join([*columns, *PERSONS])]
    own = {name: [*head, "\t".join([*columns, name])] for name in PERSONS}
    for contig, text in bases.items():
        for pos, ref, alts in variants(chance, text):
            cells = []
            for name in PERSONS:
                gt = chance.choice(["0/0"] * 4 + ["0/1", "0/1", "1/1", "1", "0", "./.", "0/.", "./1", "0|1"])
                if len(alts) > 1:
                    gt = gt.replace("1", chance.choice("12")).replace("0/2", chance.choice(["0/2", "1/2"]))
                dp, gq = chance.choice([30, 30, 30, 10, 9, 5, 4, 0]), chance.choice([60, 60, 60, 20, 19])
                called = [int(a) for a in gt if a in "012"]
                reads = [0] * (1 + len(alts))
                for allele in called:
                    reads[allele] += dp // len(called)
                reads[0] += dp - sum(reads)
                if len(set(called)) == 2 and chance.random() < 0.3:
                    reads[max(called)], reads[min(called)] = dp // 5, dp - dp // 5
                if chance.random() < 0.1:
                    reads[max(called, default=0)] = max(0, reads[max(called, default=0)] - 3)
                depths = ",".join(map(str, reads))
                cells.append(f"{gt}:{dp}:{gq}:{depths}")
                if any(called):
                    row = [contig, str(pos), ".", ref, ",".join([*alts, "<NON_REF>"]), ".", ".", ".", "GT:DP:GQ:AD"]
                    own[name].append("\t".join([*row, f"{gt}:{dp}:{gq}:{depths},0"]))
                else:
                    row = [contig, str(pos), ".", ref[0], "<NON_REF>", ".", ".", f"END={pos + 3}", "GT:DP:GQ"]
                    own[name].append("\t".join([*row, f"{gt}:{dp}:{gq}"]))
            together.append(
                "\t".join([contig, str(pos), ".", ref, ",".join(alts), ".", ".", ".", "GT:DP:GQ:AD", *cells])
            )
    folders = {}
    for kind in ("gvcf", "joint_vcf"):
        folder = folders[kind] = tmp_path / kind
        folder.mkdir()
        (folder / "ref.fa").write_text("".join(f">{c}\n{b}\n" for c, b in bases.items()))
        subprocess.run(["samtools", "faidx", folder / "ref.fa"], check=True)
        (folder / "par.bed").write_text("".join(f"{c}\t{s}\t{e}\n" for c, s, e in PAR))
        sheet = [[name, *about] for name, about in PERSONS.items()]
        write_rows(folder / "samples.tsv", "sample_id\tsex\tcountry_code", sheet)
    for name, lines in own.items():
        pack(folders["gvcf"] / f"{name}.vcf", lines)
    pack(folders["joint_vcf"] / "all.vcf", together)
    inputs = [[name, "gvcf", f"{name}.vcf.gz"] for name in PERSONS]
    write_rows(folders["gvcf"] / "inputs.tsv", "sample_id\tinput_type\tpath", inputs)
    write_rows(folders["joint_vcf"] / "inputs.tsv", "sample_id\tinput_type\tpath", [["", "joint_vcf", "all.vcf.gz"]])
    one, two = (leaf_counts(count_folder(f, tmp_path / f"work {k}")) for k, f in folders.items())
    # A site allele of a gVCF is one that somebody carries (C6.1); whether the call passes does not matter.
    nobody = {site for site, leaves in two.items() if site not in one}
    assert not any(n[2] or n[3] or n[4] for site in nobody for n in two[site].values())
    assert len(one) > 100 and different(one, {site: two[site] for site in two.keys() - nobody}) == {}
    assert sum(n[2] + n[3] + n[4] for by in one.values() for n in by.values()) > 50
