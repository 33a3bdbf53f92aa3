"""The demo cohort: same seed, same bytes; a truth that agrees with itself; a comparison that sees faults."""

import csv
import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pysam.bcftools
import pysam.samtools
import pytest
import yaml
from goe.demo import calls, cohort, compare, genome, loci, people, reads
from goe.genome import bed
from goe.intake import release as release_lint
from goe.intake.load import build_of
from goe.settings import config

SEED = 7


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE))


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


REPO = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("cohort")
    cohort.build(folder, SEED, with_reads=False)
    return folder


@pytest.fixture(scope="module")
def world():
    ref, who = genome.build(SEED), people.roster()
    sites = people.simulate(who, SEED)
    people.relate(who, sites, SEED)
    return ref, who, loci.make(ref, who, sites, SEED)


def test_same_seed_same_bytes(demo, tmp_path):
    cohort.build(tmp_path, SEED, with_reads=False)
    one, two = files(demo), files(tmp_path)
    assert one.keys() == two.keys()
    assert [name for name in one if one[name] != two[name]] == []


def test_other_seed_other_genome(demo):
    assert genome.build(SEED + 1).seq["chr20"].tobytes() != genome.build(SEED).seq["chr20"].tobytes()


def test_all_input_types_and_people():
    types = Counter(p.input_type for p in people.roster())
    assert set(types) == {"fastq", "ubam", "bam", "cram", "gvcf", "vcf", "joint_vcf"}
    assert sum(types.values()) >= 24
    assert {p.country for p in people.roster()} == {"EE", "FI"}
    planted = {f.partition(":")[0] for p in people.roster() for f in p.planted}
    assert planted == {"duplicate_of", "child_of", "wrong_sex", "contaminated", "low_coverage", "aneuploid"}


def test_sheets_name_files_that_are_there(demo):
    ids = {r["sample_id"] for r in rows(demo / "samples.tsv")}
    for row in rows(demo / "inputs.tsv"):
        assert (demo / row["path"]).is_file()
        assert row["sample_id"] in ids or row["input_type"] == "joint_vcf"


def test_reference_and_masks(demo, world):
    ref, _, _ = world
    with pysam.FastaFile(str(demo / "ref.fa")) as fasta:
        assert dict(zip(fasta.references, fasta.lengths, strict=True)) == genome.LENGTHS
        assert fasta.fetch("chrX").upper() == ref.text("chrX", 1, genome.LENGTHS["chrX"])
        assert any(c.islower() for c in fasta.fetch("chr20"))
    assert set(ref.text("chrY", 1, 10_000)) == {"N"}


def test_the_config_is_whole_and_its_release_is_as_complete_as_it_can_be(demo, monkeypatch):
    monkeypatch.chdir(demo)
    cfg = config.load(yaml.safe_load(Path("config/config.yaml").read_text()))
    problems, notes = release_lint.look(cfg, {}, build_of(cfg))
    assert problems == notes == []


def test_the_region_file_has_the_runs_of_one_letter(demo, world):
    ref, _, _ = world
    lcr = bed.read_bed(demo / "lcr.bed")
    assert len(lcr) > 50 and {contig for contig, _, _ in lcr} == set(genome.LENGTHS)
    for contig, start, end in lcr:
        text = ref.text(contig, start, end)
        assert len(text) >= genome.RUN_MIN and len(set(text)) == 1 and "N" not in text


def test_loci_keep_apart_and_agree_with_the_reference(world):
    ref, _, places = world
    last = None
    for x in places:
        assert ref.text(x.contig, x.pos, x.pos + len(x.ref) - 1) == x.ref
        for group in x.site:
            for pos, r, a in group:
                assert ref.text(x.contig, pos, pos + len(r) - 1) == r != a
                assert len(r) == len(a) == 1 or r[-1] != a[-1] or min(len(r), len(a)) == 1
        if last and last.contig == x.contig and "star" not in (x.kind, last.kind):
            assert x.lo - last.hi >= loci.GAP
        last = x
    kinds = Counter(x.kind for x in places)
    assert kinds["star"] == 1
    assert min(kinds[k] for k in ("snv", "ins", "del", "run", "mnv", "mixed")) > 0
    assert sum(len(x.alts) > 1 for x in places) > 20
    assert sum(x.twice for x in places) > 0


def test_shifted_indels_spell_the_same_haplotype(world):
    ref, _, places = world

    def spelled(pos, r, a, start, end):
        text = ref.text("chr20", start, end)
        assert text[pos - start : pos - start + len(r)] == r
        return text[: pos - start] + a + text[pos - start + len(r) :]

    shifted = [x for x in places if x.shifted and x.contig == "chr20"]
    assert shifted
    for x in shifted:
        ends = (x.lo - 5, x.hi + 5)
        assert spelled(*x.shifted, *ends) == spelled(x.pos, x.ref, x.alts[0], *ends)


def test_enough_for_relatedness_and_sex(world):
    _, who, places = world
    assert cohort._common(places) >= 600
    women = [i for i, p in enumerate(who) if p.true_sex == "XX"]
    x_loci = [x for x in places if x.contig == "chrX" and not genome.is_par("chrX", x.pos)]
    for i in women:
        assert sum(x.hap[i, 0] != x.hap[i, 1] for x in x_loci) > 30


def test_relations(world):
    _, who, places = world
    index = {p.sample_id: i for i, p in enumerate(who)}
    for x in places:
        assert (x.hap[index["EE005"]] == x.hap[index["EE010"]]).all() or x.kind in ("mixed", "star")
        if x.contig == "chr20" and x.kind not in ("mixed", "star"):
            assert x.hap[index["FI004"], 0] in x.hap[index["FI010"]]


def test_expected_calls_are_the_truth_or_missing(demo):
    truth = compare.Truth.read(demo / "truth")
    born = truth.mask("gvcf", "vcf", "joint_vcf")
    missing = 0
    for key, codes in truth.expected.items():
        if key[0] == "chr20":
            dose = truth.copies[key].sum(axis=1)
            called = born & (codes > 0)
            assert (compare.COPIES[codes][called] == dose[called]).all(), key
            assert (compare.PLOIDY[codes][called] == 2).all()
            missing += int((born & (codes == 0)).sum())
    assert missing > 500


@pytest.mark.parametrize(
    ("a", "b", "dp", "gq", "ad", "want", "alleles"),
    [
        (0, 1, 20, 30, (10, 10), 2, (0, 1)),
        (0, 1, 20, 19, (10, 10), 2, ()),
        (0, 1, 9, 30, (5, 4), 2, ()),
        (0, 1, 20, 30, (17, 3), 2, ()),
        (1, 1, 20, 30, (17, 3), 2, (1, 1)),
        (0, 0, 0, 30, (0, 0), 2, ()),
        (calls.MISSING, 1, 20, 30, (0, 20), 2, ()),
        (calls.MISSING, 1, 20, 30, (0, 20), 1, (1,)),
        (1, 1, 6, 30, (0, 6), 1, (1,)),
        (0, 1, 20, 30, (10, 10), 1, ()),
        (1, calls.NONE, 20, 30, (0, 20), 1, (1,)),
        (1, calls.NONE, 20, 30, (0, 20), 2, ()),
        (0, 1, calls.MISSING, 30, (10, 10), 2, (0, 1)),
        (0, 0, 20, calls.MISSING, (20, 0), 2, ()),
        (0, 1, 20, 30, (calls.MISSING, calls.MISSING), 2, ()),
        (0, 1, 20, 30, (10, 10), 0, ()),
    ],
)
def test_counting_rules(a, b, dp, gq, ad, want, alleles):
    one = [np.array([v]) for v in (True, True, a, b, dp, gq)]
    seen = calls.Seen(*one, np.array([[*ad, 0, 0] if ad[0] != calls.MISSING else [calls.MISSING] * 4]), {})
    assert calls.genotype_counts(seen, 0, want) == alleles


def test_reads(world, tmp_path):
    ref, who, places = world
    i = next(k for k, p in enumerate(who) if p.input_type == "ubam")
    pairs = reads.simulate(ref, places, who[i], i, SEED)
    assert len({name.tobytes() for name in pairs.name}) == len(pairs.name)
    assert not (pairs.seq == ord("N")).any()
    known = sum(int((s != ord("N")).sum()) for s in ref.seq.values())
    assert 20 < pairs.seq.size / known < 32
    reads.write_ubam(pairs, tmp_path / "u.bam", "S1")
    assert int(pysam.samtools.view("-c", "-f", "77", str(tmp_path / "u.bam"))) == len(pairs.name)


def pretend_run(demo: Path, run: Path) -> None:
    """A run without fault, straight from the expectation."""
    truth = compare.Truth.read(demo / "truth")
    born = np.flatnonzero(truth.mask("gvcf", "vcf", "joint_vcf"))
    who = [truth.people[i] for i in born]
    sex = np.array([p["sheet_sex"] if p["sheet_sex"] in "MF" else "U" for p in who])
    country = np.array([p["country"] for p in who])
    kept = np.array([p["sample_id"] != "EE011" for p in who])
    keep = ["sample_id\tcountry_code\tsex\tinferred_sex\tcount_sex\tkeep\treasons"]
    for p, s, k in zip(who, sex, kept, strict=True):
        row = (p["sample_id"], p["country"], s, s, s, "yes" if k else "no", "" if k else "sex_mismatch")
        keep.append("\t".join(row))
    (run / "work" / "sample_qc").mkdir(parents=True)
    (run / "work" / "harmonised").mkdir()
    (run / "release" / "sites").mkdir(parents=True)
    (run / "work" / "sample_qc" / "keep.tsv").write_text("\n".join(keep) + "\n")
    groups = {"": kept, "EE": kept & (country == "EE"), "FI": kept & (country == "FI")}
    groups |= {s: kept & (sex == s) for s in "MF"}
    contigs = "".join(f"##contig=<ID={c},length={n}>\n" for c, n in genome.LENGTHS.items())
    tags = [f"{m}_{g}" if g else m for g in groups for m in ("AC", "AN")]
    info = "".join(f'##INFO=<ID={t},Number=1,Type=Integer,Description="x">\n' for t in tags)
    fixed = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
    gt = '##FORMAT=<ID=GT,Number=1,Type=String,Description="x">\n'
    top = "##fileformat=VCFv4.2\n"
    one = [top + contigs + gt + fixed + "\tFORMAT\t" + "\t".join(p["sample_id"] for p in who)]
    two = [top + contigs + info + fixed]
    texts = ("./.", "0", "1", "0/0", "0/1", "1/1")
    for key, row in truth.alleles.items():
        if row["in_a_vcf"] == "yes":
            codes = truth.expected[key][born]
            site = f"{key[0]}\t{key[1]}\t.\t{key[2]}\t{key[3]}\t.\t.\t"
            one.append(site + ".\tGT\t" + "\t".join(texts[c] for c in codes))
            here = compare.fixed_ploidy(key[0], key[1]) | (sex != "U")
            numbers = [t[codes][g & here].sum() for g in groups.values() for t in (compare.COPIES, compare.PLOIDY)]
            two.append(site + ";".join(f"{t}={n}" for t, n in zip(tags, numbers, strict=True)))
    (run / "h.vcf").write_text("\n".join(one) + "\n")
    target = run / "work" / "harmonised" / "all.bcf"
    pysam.bcftools.view("-Ob", "-o", str(target), str(run / "h.vcf"), catch_stdout=False)
    (run / "release" / "sites" / "x.all.vcf.gz").write_text("\n".join(two) + "\n")


def test_compare_is_content_with_a_faultless_run(demo, tmp_path):
    pretend_run(demo, tmp_path)
    report = compare.compare(demo, tmp_path)
    assert report.wrong == 0, "\n".join(report.lines)
    text = "\n".join(report.lines)
    assert "as it must be" in text
    parts = text.partition("4. Planted")[0]
    assert not any(p.sample_id in parts for p in people.roster() if p.sample_id not in ("007", "1E5"))


def test_compare_sees_one_wrong_count_and_one_lost_allele(demo, tmp_path):
    pretend_run(demo, tmp_path)
    path = tmp_path / "release" / "sites" / "x.all.vcf.gz"
    lines = path.read_text().splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("chr20"))
    fields = lines[first].split("\t")
    numbers = dict(v.split("=") for v in fields[7].split(";"))
    numbers["AN_EE"] = str(int(numbers["AN_EE"]) + 2)
    fields[7] = ";".join(f"{k}={v}" for k, v in numbers.items())
    lines[first] = "\t".join(fields)
    path.write_text("\n".join(lines[:-1]) + "\n")
    report = compare.compare(demo, tmp_path)
    assert report.wrong == 2, "\n".join(report.lines)


def test_what_linked_alleles_tell_is_as_the_page_says(tmp_path):
    """Pairs of rare alleles in docs/disclosure.md that equal counts by country and sex give away as one haplotype."""
    cohort.build(tmp_path, with_reads=False)
    truth = np.load(tmp_path / "truth/genotypes.npz")
    rows = list(csv.DictReader((tmp_path / "truth/alleles.tsv").open(), delimiter="\t"))
    people = list(csv.DictReader((tmp_path / "truth/people.tsv").open(), delimiter="\t"))
    copies = truth["copies"].sum(axis=2)
    strata = np.array([f"{p['country']}_{p['true_sex']}" for p in people])
    carriers = (copies > 0).sum(axis=1)
    rare = [i for i, row in enumerate(rows) if row["contig"] == "chr20" and 5 <= carriers[i] < 10]
    counts = {i: [((copies[i] == n) & (strata == s)).sum() for s in np.unique(strata) for n in (1, 2)] for i in rare}
    found = []
    for reach in (1_000, 10_000):
        apart = [(a, b) for a, b in combinations(rare, 2) if 0 < int(rows[b]["pos"]) - int(rows[a]["pos"]) <= reach]
        equal = [(a, b) for a, b in apart if counts[a] == counts[b]]
        found += [len(apart), len(equal), sum((copies[a] == copies[b]).all() for a, b in equal)]
    found = [int(n) for n in found]
    text = " ".join((REPO / "docs/disclosure.md").read_text().split())
    said = re.search(
        r"of ([\d,]+) pairs within 1 kb (\d+) have equal counts .*? all (\d+) .*? "
        r"of ([\d,]+) within 10 kb (\d+), (\d+) of them",
        text,
    )
    assert [int(n.replace(",", "")) for n in said.groups()] == found
