"""Writes the whole demo cohort: reference, sheets, config, data files and the truth."""

import shutil
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pysam

from goe.core.errors import Problem, stop_on
from goe.demo import calls, genome, loci, people, reads, writers
from goe.demo.calls import Seen
from goe.demo.people import DemoPerson

SEED = 20260101
"""Seed of the cohort that the documentation shows."""

OPEN = 'disclosure: {open: true, legal_basis: "simulated people, no personal data"}'
FLOOR = "disclosure: {min_carriers: 3, policy: collapse}"

DATASET = "GOE-EE-EXAMPLE-20260101000000000"

CONFIG = f"""\
# Config of the demo cohort, written by `goe demo make`. All paths are relative to this folder's parent.
samples: samples.tsv
inputs: inputs.tsv
reference:
  fasta: ref.fa
  build: demo
  par: par.bed
  # One file calls its contigs 20, X and MT.
  rename: {{"20": chr20, X: chrX, Y: chrY, MT: chrM}}
dataset:
  prefix: GOE
  country: EE
  org: EXAMPLE
  id: {DATASET}
  title: Allele frequencies of a simulated cohort of two countries
  description: Simulated people on a mini genome; a demonstration without any personal data.
  license: CC0-1.0
  publisher: Example Biobank
  access_url: https://example.org/goe-demo
  keywords: [demonstration]
  synthetic: true
  contact: {{fn: Example Biobank, email: data@example.org}}
{OPEN}
sample_qc: {{exclude: true}}
genotype_filter: {{profile: goe}}
variant_qc:
  # People of a single-sample VCF have no call where they carry nothing, which lowers the call rate of every site.
  min_call_rate: 0.8
formats:
  # The package of a GDI node is for GRCh38 and GRCh37; the mini genome is neither.
  gdi: {{enabled: false}}
annotations:
  # Runs of one letter, which the companion VCF then flags.
  regions: {{lcr: lcr.bed}}
scatter:
  # Small, so that the mini genome is cut into several regions and the people into several batches and jobs.
  region_size: {genome.REGION_SIZE}
  people_per_batch: 5
  people_per_job: 3
"""

UNITS = (("lib1", "L1"), ("lib1", "L2"), ("lib2", "L3"))
"""Library and unit of the person who was sequenced in three goes; the other FASTQ person has the first alone."""


def build(outdir: Path, seed: int = SEED, with_reads: bool = True) -> dict[str, Any]:
    """Write the cohort into `outdir` (made if needed; its own files are overwritten) and return a few counts.

    with_reads: leave the five read-born people out of the sheets when False (no bwa needed).
    GoeError when a tool that aligns the BAM and CRAM people is not on PATH.
    """
    missing = [t for t in ("bwa", "samtools") if with_reads and not shutil.which(t)]
    stop_on([Problem("PATH", f"{t} is not there", "install it: the run needs it too") for t in missing])
    for name in ("config", "data", "truth"):
        (outdir / name).mkdir(parents=True, exist_ok=True)
    ref = genome.build(seed)
    genome.write(ref, outdir / "ref.fa")
    pysam.faidx(str(outdir / "ref.fa"))
    genome.write_par(outdir / "par.bed")
    genome.write_runs(ref, outdir / "lcr.bed")
    (outdir / "config" / "config.yaml").write_text(CONFIG)

    who = people.roster()
    sites = people.simulate(who, seed)
    people.relate(who, sites, seed)
    places = loci.make(ref, who, sites, seed)
    with ThreadPoolExecutor(2) as pool:
        aligned = _write_reads(outdir, ref, places, who, seed, pool) if with_reads else []
        seen = {
            i: calls.look(np.random.default_rng([seed, 4, i]), ref, who, places, i)
            for i, p in enumerate(who)
            if p.vcf_born
        }
        inputs = _write_calls(outdir, ref, who, places, seen, seed)
        write_truth(outdir / "truth", who, places, calls.expected(who, places, seen))
        for job in aligned:
            job.result()
    _write_sheets(outdir, who, inputs, with_reads)
    return {
        "people": sum(p.vcf_born or with_reads for p in who),
        "loci": {c: sum(x.contig == c for x in places) for c in genome.LENGTHS},
        "common_autosomal_snvs": _common(places),
    }


def under_floor(folder: Path) -> None:
    """Have the cohort in `folder` published under a floor by its next run; its release so far goes to open/."""
    path = folder / "config" / "config.yaml"
    text = path.read_text()
    where = [] if (folder / "release").is_dir() else [Problem(str(folder / "release"), "is not there", "run it first")]
    where += [] if OPEN in text else [Problem(str(path), "has another disclosure", "goe demo make writes it again")]
    stop_on(where)
    path.write_text(text.replace(OPEN, FLOOR))
    shutil.rmtree(folder / "open", ignore_errors=True)
    (folder / "release").rename(folder / "open")


def _common(places: list[loci.Locus]) -> int:
    """Biallelic autosomal SNVs with minor allele frequency above 5 %."""
    n = 0
    for x in places:
        if x.contig == "chr20" and x.kind == "snv" and len(x.alts) == 1:
            share = (x.hap == 1).mean()
            n += min(share, 1 - share) > 0.05
    return n


def _write_reads(
    outdir: Path, ref: genome.Genome, places: list[loci.Locus], who: list[DemoPerson], seed: int, pool: Executor
) -> list[Future]:
    """Data of the read-born people; the aligned ones go on in the background."""
    jobs = []
    for i, p in enumerate(who):
        if p.vcf_born:
            continue
        units = len(UNITS) if p.style == "two_libraries" else 1
        pairs = reads.simulate(ref, places, p, i, seed, units)
        base = outdir / "data" / p.sample_id
        if p.input_type == "fastq":
            for u in range(units):
                name = f"{base}.{'.'.join(UNITS[u])}"
                reads.write_fastq(pairs.of(u), Path(f"{name}_R1.fastq.gz"), Path(f"{name}_R2.fastq.gz"))
        elif p.input_type == "ubam":
            reads.write_ubam(pairs, Path(f"{base}.unaligned.bam"), p.sample_id)
        else:
            path = Path(f"{base}.{p.input_type}")
            jobs.append(pool.submit(reads.align, pairs, path, p.sample_id, outdir / "ref.fa"))
    return jobs


def _write_calls(
    outdir: Path, ref: genome.Genome, who: list[DemoPerson], places: list[loci.Locus], seen: dict[int, Seen], seed: int
) -> list[tuple[str, ...]]:
    """Files of the VCF-born people; returns the rows of inputs.tsv for everybody."""
    rows: list[tuple[str, ...]] = []
    for i, p in enumerate(who):
        base = f"data/{p.sample_id}"
        if p.input_type == "fastq":
            for u in range(len(UNITS) if p.style == "two_libraries" else 1):
                name = f"{base}.{'.'.join(UNITS[u])}"
                rows.append((p.sample_id, "fastq", f"{name}_R1.fastq.gz", f"{name}_R2.fastq.gz", *UNITS[u]))
        elif p.input_type == "ubam":
            rows.append((p.sample_id, "ubam", f"{base}.unaligned.bam", "", "lib1", ""))
        elif p.input_type in ("bam", "cram"):
            rows.append((p.sample_id, p.input_type, f"{base}.{p.input_type}", "", "", ""))
        elif p.input_type == "gvcf":
            writers.write_gvcf(outdir / f"{base}.g.vcf.gz", ref, who, places, seen[i], i, seed)
            rows.append((p.sample_id, "gvcf", f"{base}.g.vcf.gz", "", "", ""))
        elif p.input_type == "vcf":
            writers.write_vcf(outdir / f"{base}.vcf.gz", ref, who, places, seen[i], i, seed)
            rows.append((p.sample_id, "vcf", f"{base}.vcf.gz", "", "", ""))
    for contig in genome.LENGTHS:
        path = f"data/joint.{contig}.{'bcf' if contig == 'chrX' else 'vcf.gz'}"
        writers.write_joint(outdir / path, contig, who, places, seen, seed)
        rows.append(("", "joint_vcf", path, "", "", ""))
    return rows


def write_table(path: Path, head: tuple[str, ...], rows: list[tuple]) -> None:
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in [head, *rows]))


def _write_sheets(outdir: Path, who: list[people.DemoPerson], inputs: list[tuple[str, ...]], with_reads: bool) -> None:
    listed = [p for p in who if p.vcf_born or with_reads]
    names = {p.sample_id for p in listed} | {""}
    rows = [(p.sample_id, p.sheet, p.country) for p in listed]
    write_table(outdir / "samples.tsv", ("sample_id", "sex", "country_code"), rows)
    head = ("sample_id", "input_type", "path", "path2", "library", "unit")
    write_table(outdir / "inputs.tsv", head, [row for row in inputs if row[0] in names])


def write_truth(
    folder: Path, who: list[people.DemoPerson], places: list[loci.Locus], codes: dict[tuple[int, int], np.ndarray]
) -> None:
    """people.tsv, alleles.tsv, genotypes.npz, expected.parquet."""
    rows = [(p.sample_id, p.true_sex, p.sheet, p.country, ",".join(p.planted), p.input_type) for p in who]
    write_table(
        folder / "people.tsv",
        ("sample_id", "true_sex", "sheet_sex", "country", "planted", "input_type"),
        rows,
    )
    vcf_born = np.array([p.vcf_born for p in who])
    alleles = []
    for x in places:
        listed = writers.joint_alts(x, who)
        for k, group in enumerate(x.site, start=1):
            written = k in listed or bool((x.carriers(k) & vcf_born).any())
            alleles += [(x.contig, pos, ref, alt, x.kind, x.index, k, written) for pos, ref, alt in group]
    order = {c: n for n, c in enumerate(genome.LENGTHS)}
    alleles.sort(key=lambda r: (order[r[0]], *r[1:4]))
    haps = {x.index: x.hap for x in places}
    counted: list[tuple] = []
    copies = np.zeros((len(alleles), len(who), 2), dtype=np.uint8)
    for n, (contig, pos, ref, alt, kind, index, k, written) in enumerate(alleles):
        hap = haps[index]
        copies[n] = np.where(hap == loci.ABSENT, loci.ABSENT, hap == k)
        counted.append((contig, pos, ref, alt, kind, int((hap == k).sum()), "yes" if written else "no"))
    head = ("contig", "pos", "ref", "alt", "kind", "copies", "in_a_vcf")
    write_table(folder / "alleles.tsv", head, counted)
    with (folder / "genotypes.npz").open("wb") as out:
        np.savez(out, copies=copies, people=np.array([p.sample_id for p in who]))
    born = [i for i, p in enumerate(who) if p.vcf_born]
    table = np.stack([codes[index, k][born] for *_, index, k, _ in alleles])
    n, m = table.shape
    columns = {
        "contig": pa.array(np.repeat([a[0] for a in alleles], m)).dictionary_encode(),
        "pos": pa.array(np.repeat(np.array([a[1] for a in alleles], dtype=np.int32), m)),
        "ref": pa.array(np.repeat([a[2] for a in alleles], m)).dictionary_encode(),
        "alt": pa.array(np.repeat([a[3] for a in alleles], m)).dictionary_encode(),
        "sample_id": pa.array(np.tile([who[i].sample_id for i in born], n)).dictionary_encode(),
        "call": pa.array(np.array(calls.CALLS)[table.ravel()]).dictionary_encode(),
    }
    pq.write_table(pa.table(columns), folder / "expected.parquet", compression="zstd")
