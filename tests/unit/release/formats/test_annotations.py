"""The companion VCF with the names of gnomAD."""

import gzip
import subprocess
from dataclasses import replace

import numpy as np
import pysam
import pytest
from goe.core.errors import GoeError
from goe.disclosure import control
from goe.frequencies import strata as st
from goe.genome import intervals
from goe.genome.build import Build
from goe.release.formats import annotations, sites_vcf
from goe.release.table import Source
from helpers import blocks as some
from helpers import release_folder as rf
from helpers import vcf_cells
from scipy.optimize import brentq
from scipy.stats import poisson

PAR = [("chrX", 1, 200), ("chrX", 500, 560), ("chrY", 1, 100)]
BUILD = Build(name="small", contigs={"chr1": 600, "chrX": 700, "chrY": 600}, par=PAR)


@pytest.fixture
def fields():
    return annotations.read_fields()


@pytest.fixture
def blocks():
    return [some.random_block(c, some.sequence(n, seed=n), seed=n) for c, n in BUILD.contigs.items()]


@pytest.fixture
def beds(tmp_path):
    lcr, segdup = tmp_path / "lcr.bed", tmp_path / "segdup.bed"
    lcr.write_text("# a comment\nchr1\t9\t60\tx\nchr1\t20\t30\nchr1\t60\t80\nchrX 600 650\n")
    segdup.write_text("track name=x\nchr1\t300\t301\nchr1\t100\t200\n")
    return {"lcr": str(lcr), "segdup": str(segdup)}


def finish(folder, fields, blocks, regions):
    strata = blocks[0].strata
    contigs = list(dict.fromkeys(block.contig for block in blocks))
    bodies = []
    for contig in contigs:
        bodies.append(folder / f"{contig}.body")
        with annotations.Writer(bodies[-1], fields, strata, BUILD, contig, regions) as writer:
            for block in blocks:
                if block.contig == contig:
                    writer.write(block)
    head = sites_vcf.header(
        BUILD.name,
        [{"name": c, "length": BUILD.contigs[c]} for c in contigs],
        ["PASS", "HWE", "AC0"],
        {"HWE": "test", "AC0": "no copy"},
        annotations.tags(fields, strata, [annotations.NON_PAR, *regions]),
    )
    sites_vcf.join(head, bodies, folder / "annotations.vcf.gz")
    return folder / "annotations.vcf.gz"


def where(regions):
    return {contig: annotations.flagged(BUILD, contig, regions) for contig in BUILD.contigs}


def info(path):
    """(contig, pos, ref, alt) -> {INFO key: text, True for a flag}."""
    out = {}
    for line in gzip.decompress(path.read_bytes()).decode().splitlines():
        if not line.startswith("#"):
            cells = line.split("\t")
            entries = [entry.partition("=") for entry in cells[7].split(";")]
            out[cells[0], int(cells[1]), cells[3], cells[4]] = {k: v if gap else True for k, gap, v in entries}
    return out


@pytest.mark.parametrize(
    ("stratum", "suffix"),
    [("Total", ""), ("M", "_XY"), ("F", "_XX"), ("EE", "_ee"), ("EE_M", "_ee_XY"), ("MF", "_mf"), ("FM_F", "_fm_XX")],
)
def test_groups_are_named_as_in_gnomad(stratum, suffix):
    assert annotations.suffix(stratum) == suffix


def test_tags(fields):
    tags = annotations.tags(fields, ["Total", "F", "EE", "EE_M", "LV"], ["non_par"])
    ids = [tag.id for tag in tags]
    assert ids[:12] == [m + g for g in ("", "_XX", "_ee") for m in ("AC", "AN", "AF", "nhomalt")]
    assert "nhomalt_ee_XY" in ids and len(set(ids)) == len(ids)
    site = ["faf95", "faf99", "InbreedingCoeff", "call_rate", "grpmax"]
    fafmax = [f"fafmax_faf{ci}_max{end}" for ci in (95, 99) for end in ("", "_gen_anc")]
    grpmax = ["AC_grpmax", "AN_grpmax", "AF_grpmax", "nhomalt_grpmax"]
    assert ids[-17:] == [*site, *grpmax, *fafmax, "vrs_id", "spdi", "rsid", "non_par"]
    assert [i for i in ids if i.startswith("faf9")] == [
        *(f"faf{ci}_{c}" for c in ("ee", "lv") for ci in (95, 99)),
        "faf95",
        "faf99",
    ]
    assert "men of EE (alleles)" in next(tag.description for tag in tags if tag.id == "AC_ee_XY")
    # One country is the highest of one: nothing to tell.
    assert not [t for t in annotations.tags(fields, ["Total", "EE"], []) if "grpmax" in t.id or t.type == "Flag"]
    # A GDI node takes two capital letters for a country (crates/core/src/popfield.rs); XX and XY it refuses.
    assert not [i for i in ids if any(p.isupper() and len(p) == 2 and p not in ("XX", "XY") for p in i.split("_")[1:])]


def test_numbers_and_statistics_are_those_of_the_block(fields, blocks, beds, tmp_path):
    path = finish(tmp_path, fields, blocks, beds)
    found = info(path)
    assert len(found) == sum(len(block) for block in blocks)
    told = 0
    for block in blocks:
        af, strata = block.numbers.af(), block.strata
        for i in range(len(block)):
            entry = found[block.contig, *(getattr(block, x)[i].as_py() for x in ("pos", "ref", "alt"))]
            for s, stratum in enumerate(strata):
                tail = annotations.suffix(stratum)
                for name, values in (
                    ("AC", block.numbers.ac),
                    ("AN", block.numbers.an),
                    ("nhomalt", block.numbers.nhomalt),
                ):
                    there = block.mask[s, i] and not (block.contig == "chrY" and "_XX" in tail)
                    assert entry.get(name + tail) == (str(values[s, i]) if there else None)
                if there and block.numbers.an[s, i]:
                    assert float(entry["AF" + tail]) == af[s, i]
                else:
                    assert "AF" + tail not in entry
            for key, name in (("InbreedingCoeff", "inbreeding_coeff"), ("faf95", "faf95"), ("call_rate", "call_rate")):
                value = np.float32(block.statistics[name][i])
                assert key not in entry if np.isnan(value) else np.float32(entry[key]) == value
            c = [strata.index("EE"), strata.index("LV")]
            if block.mask[c, i].all() and (block.numbers.ac[c, i] > 0).any():
                best = max(c, key=lambda s: (np.nan_to_num(af[s, i]), -s))
                assert entry["grpmax"] == strata[best].lower()
                assert float(entry["AF_grpmax"]) == af[best, i]
                for name, values in (
                    ("AC", block.numbers.ac),
                    ("AN", block.numbers.an),
                    ("nhomalt", block.numbers.nhomalt),
                ):
                    assert entry[f"{name}_grpmax"] == str(values[best, i])
                told += 1
            else:
                assert not [key for key in entry if "grpmax" in key]
    assert 0 < told < len(found)


def test_grpmax_takes_the_first_of_equals_and_none_without_a_copy():
    people = np.zeros((len(some.LEAVES), 5, 4), dtype=np.int32)
    people[:, st.DIP] = 10
    people[0, st.HET] = [0, 3, 0, 1]  # EE_F, with EE_M and EE_U 30 people
    people[3, st.HET] = [0, 2, 1, 0]  # LV_F, with LV_M 20 people
    people[3:, st.DIP, 3] = 0  # nobody of LV called
    block = some.block("chr1", [(n, "A", "C") for n in (1, 2, 3, 4)], people)
    row, told = annotations.grpmax(block)
    assert told.tolist() == [False, True, True, True]
    assert [block.strata[r] for r in row[1:]] == ["EE", "LV", "EE"]


def test_flags_are_those_of_the_position(fields, blocks, beds, tmp_path):
    found = info(finish(tmp_path, fields, blocks, beds))
    seen = set()
    for (contig, pos, _, _), entry in found.items():
        in_par = any(c == contig and a <= pos <= b for c, a, b in PAR)
        expected = {
            "non_par": contig != "chr1" and not in_par,
            "lcr": (contig == "chr1" and 10 <= pos <= 80) or (contig == "chrX" and 601 <= pos <= 650),
            "segdup": contig == "chr1" and (101 <= pos <= 200 or pos == 301),
        }
        assert {flag: entry.get(flag, False) for flag in expected} == expected, (contig, pos)
        seen |= {(contig, flag) for flag, value in expected.items() if value}
    assert len(seen) == 5


def test_flags_without_their_file_are_not_in_the_header(fields, blocks, tmp_path):
    path = finish(tmp_path, fields, blocks, {})
    with pysam.VariantFile(str(path)) as vcf:
        assert "non_par" in vcf.header.info and "lcr" not in vcf.header.info and "segdup" not in vcf.header.info


def test_intervals_are_merged_and_searched_to_the_base(tmp_path):
    bed = tmp_path / "x.bed"
    bed.write_text("chr1\t0\t2\nchr2\t0\t9\nchr1\t5\t8\nchr1\t6\t7\nchr1\t2\t3\nchr10\t1\t2\n")
    found = intervals.intervals(bed, "chr1")
    assert found.tolist() == [[1, 3], [6, 8]]
    assert intervals.inside(np.arange(1, 11), found).tolist() == [n in (1, 2, 3, 6, 7, 8) for n in range(1, 11)]
    assert not intervals.inside(np.arange(5), intervals.intervals(bed, "chr3")).any()
    bed.write_text("chr1\t5\t5\n")
    with pytest.raises(GoeError, match=r"x.bed line 1: not a BED interval"):
        intervals.intervals(bed, "chr1")


def test_region_files_are_looked_at_before_anything_runs(beds, tmp_path):
    assert annotations.check_regions(beds, BUILD) == []
    (tmp_path / "far.bed").write_text("chr1\t10\t601\n")
    (tmp_path / "names.bed").write_text("1\t10\t20\n")
    (tmp_path / "packed.bed").write_bytes(gzip.compress(b"chr1\t1\t2\n"))

    def what(**regions):
        return [problem.what for problem in annotations.check_regions(regions, BUILD)]

    assert what(lcr=str(tmp_path / "far.bed")) == ["chr1 ends at 600, an interval at 601"]
    assert what(lcr=str(tmp_path / "names.bed")) == ["no interval on a contig of the release (it has 1)"]
    (tmp_path / "mixed.bed").write_text("chr1\t10\t20\nchrUn_1\t10\t20\n1\t30\t40\n")
    assert what(lcr=str(tmp_path / "mixed.bed")) == ["has intervals on 1, which the reference calls chr1"]
    assert what(segdup=str(tmp_path / "packed.bed")) == ["is compressed"]
    assert what(lcr="/nowhere.bed", x="y") == ["no such file", "is no flag of this release"]


def test_hidden_cells_change_no_byte(fields, blocks, beds, tmp_path):
    path = finish(tmp_path, fields, blocks, beds)
    (tmp_path / "b").mkdir()
    other = finish(tmp_path / "b", fields, [some.with_other_hidden_numbers(b) for b in blocks], beds)
    assert other.read_bytes() == path.read_bytes()


def test_bcftools_annotates_with_it(fields, blocks, beds, tmp_path):
    path = finish(tmp_path, fields, blocks, beds)
    run = subprocess.run(["bcftools", "view", "-H", str(path)], capture_output=True, text=True, check=True)
    assert run.stderr == ""
    mine = tmp_path / "mine.vcf"
    block = blocks[0]
    head = "##fileformat=VCFv4.3\n##contig=<ID=chr1,length=600>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    alleles = [[getattr(block, x)[i].as_py() for x in ("pos", "ref", "alt")] for i in range(5)]
    other = [
        [pos, ref, next(b for b in "ACGT" if b not in (ref[0], alt))] for pos, ref, alt in alleles if len(ref) == 1
    ]
    lines = [f"chr1\t{pos}\t.\t{ref}\t{alt}\t.\t.\t.\n" for pos, ref, alt in alleles + other]
    mine.write_text(head + "".join(sorted(lines, key=lambda x: int(x.split("\t")[1]))))
    mine = pysam.tabix_index(str(mine), preset="vcf", force=True)
    columns = "INFO/GOE_AF:=INFO/AF,INFO/nhomalt_ee_XX,INFO/grpmax,INFO/lcr,INFO/faf95"
    command = ["bcftools", "annotate", "-a", str(path), "-c", columns, mine]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    found = info(path)
    seen = 0
    for line in run.stdout.splitlines():
        if not line.startswith("#"):
            cells = line.split("\t")
            key = (cells[0], int(cells[1]), cells[3], cells[4])
            got = dict(entry.partition("=")[::2] for entry in cells[7].split(";") if entry != ".")
            if list(key[1:]) in other:
                assert got == {}
                continue
            expected = found[key]
            assert float(got.get("GOE_AF", -1)) == pytest.approx(float(expected.get("AF", -1)), rel=1e-5)
            for name in ("nhomalt_ee_XX", "grpmax"):
                assert got.get(name) == expected.get(name)
            assert ("lcr" in got) == ("lcr" in expected) and ("faf95" in got) == ("faf95" in expected)
            seen += 1
    assert seen == 5 and other


def test_read_back_agrees(fields, blocks, beds, tmp_path):
    path = finish(tmp_path, fields, blocks, beds)
    assert vcf_cells.check_annotations(path, blocks, blocks[0].strata) == []
    assert vcf_cells.check_annotations_sites(path, blocks, where(beds)) == []


def first(path, key):
    """Place and text of an INFO key in the first record that has it."""
    for place, entry in info(path).items():
        if key in entry:
            return ":".join(str(part) for part in place), entry[key]


@pytest.mark.parametrize("key", ["AC_ee_XX", "faf95", "grpmax", "AF_grpmax", "non_par", "call_rate"])
def test_check_names_what_was_changed(fields, blocks, beds, tmp_path, key):
    path = finish(tmp_path, fields, blocks, beds)
    place, value = first(path, key)
    text = gzip.decompress(path.read_bytes()).decode()
    old = key if value is True else f"{key}={value}"
    new = {"grpmax": "grpmax=xx", "non_par": "lcr"}.get(key, f"{key}=0.03125" if "." in str(value) else f"{key}=9999")
    at = text.index(f";{old}", text.index(place.replace(":", "\t", 1).split(":")[0]))
    with pysam.BGZFile(str(path), "w") as file:
        file.write((text[: at + 1] + new + text[at + 1 + len(old) :]).encode())
    problems = vcf_cells.check_annotations(path, blocks, blocks[0].strata) + vcf_cells.check_annotations_sites(
        path, blocks, where(beds)
    )
    assert problems and all(problem.what.startswith(place) for problem in problems)


def test_a_key_twice_in_a_record_is_refused(fields, blocks, tmp_path):
    path = finish(tmp_path, fields, blocks, {})
    place, value = first(path, "AC_ee_XX")
    text = gzip.decompress(path.read_bytes()).decode()
    with pysam.BGZFile(str(path), "w") as file:
        file.write(text.replace(f";AC_ee_XX={value};", f";AC_ee_XX={value};AC_ee_XX=1;", 1).encode())
    with pytest.raises(GoeError, match=f"{place} has INFO AC_ee_XX twice"):
        list(vcf_cells.annotations_numbers(path, blocks[0].strata))


def test_an_empty_contig_and_an_empty_file(fields, blocks, tmp_path):
    one = blocks[0]
    nobody = replace(
        one,
        pos=one.pos[:0],
        ref=one.ref[:0],
        alt=one.alt[:0],
        filter=one.filter[:0],
        numbers=st.Numbers(**{k: v[:, :0] for k, v in vars(one.numbers).items()}),
        statistics={k: v[:0] for k, v in one.statistics.items()},
        mask=one.mask[:, :0],
    )
    path = finish(tmp_path, fields, [nobody], {})
    assert vcf_cells.check_annotations(path, [nobody], one.strata) == []
    assert vcf_cells.check_annotations_sites(path, [], where({})) == []


def test_dictionary_names_every_tag(fields):
    strata = st.order(some.LEAVES)
    flags = ["non_par", "lcr", "segdup"]
    rows = annotations.dictionary(fields, strata, flags)
    assert [row[1] for row in rows] == [tag.id for tag in annotations.tags(fields, strata, flags)]
    assert all(len(row) == 8 and row[4] and row[6] and row[7] for row in rows)
    assert next(row for row in rows if row[1] == "nhomalt_grpmax")[4] == "people"


def poisson_bound(ac, an, ci):
    """Filtering allele frequency by its definition: the rate under which AC or more copies are seen with 1 - ci."""
    return brentq(lambda rate: poisson.sf(ac - 1, rate) - (1 - ci), 1e-9, 10 * ac + 10) / an if ac > 1 else 0


def test_filtering_frequencies_of_countries_and_the_highest_of_them(fields, blocks, tmp_path):
    found = info(finish(tmp_path, fields, blocks, {}))
    told = 0
    for block in blocks:
        c = {s.lower(): block.strata.index(s) for s in ("EE", "LV")}
        for i in range(len(block)):
            entry = found[block.contig, *(getattr(block, x)[i].as_py() for x in ("pos", "ref", "alt"))]
            for ci in (95, 99):
                right = {
                    name: poisson_bound(int(block.numbers.ac[s, i]), int(block.numbers.an[s, i]), ci / 100)
                    for name, s in c.items()
                    if block.mask[s, i] and block.numbers.an[s, i]
                }
                for name in c:
                    value = entry.get(f"faf{ci}_{name}")
                    assert (value is None) == (name not in right)
                    assert value is None or float(value) == pytest.approx(right[name], rel=1e-5)
                highest, of = entry.get(f"fafmax_faf{ci}_max"), entry.get(f"fafmax_faf{ci}_max_gen_anc")
                if block.mask[[*c.values()], i].all() and max(right.values(), default=0) > 0:
                    assert float(highest) == pytest.approx(max(right.values()), rel=1e-5)
                    assert right[of] == pytest.approx(float(highest), rel=1e-5)
                    told += 1
                else:
                    assert highest is of is None
    assert told > 20


def test_the_sex_chromosomes_pass_the_checks_of_gnomad(fields, blocks, tmp_path):
    """gnomad_methods, gnomad/assessment/validity_checks.py, check_sex_chr_metrics, transcribed: on Y metrics of XX are
    missing and not 0; on X outside the PARs nhomalt is that of XX."""
    found = info(finish(tmp_path, fields, blocks, {}))
    on_y = [entry for key, entry in found.items() if key[0] == "chrY"]
    assert on_y and not [key for entry in on_y for key in entry if "_XX" in key]
    build = Build(name="small", contigs={"chrX": 1200}, par=[("chrX", 1, 600)])
    table = rf.counted(tmp_path / "x.parquet", build, "chrX", some.sequence(1200, seed=3))
    flags = annotations.flagged(build, "chrX", {})
    (block,) = Source([table], "chrX", 1200, control.policy(rf.config(rf.OPEN).disclosure))
    text = annotations.lines(block, annotations.tags(fields, block.strata, flags), flags).to_pylist()
    on_x = [dict(entry.partition("=")[::2] for entry in line.split("\t")[7].split(";")) for line in text]
    on_x = [entry for entry in on_x if "non_par" in entry]
    assert len(on_x) > 50 and all(entry["nhomalt"] == entry["nhomalt_XX"] for entry in on_x)
    assert any(entry["nhomalt"] != "0" for entry in on_x)
