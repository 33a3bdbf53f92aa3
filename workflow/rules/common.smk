from functools import cache
from itertools import groupby

from goe.core import batches, environment, planning, rounds, seal
from goe.genome import build
from goe.intake import load as intake, stamps, tools
from goe.settings import sheets
from goe.settings.sections import plain

environment.prepare()
if workflow.is_main_process:
    planning.begin()

try:
    LOADED = intake.load(config, job=not workflow.is_main_process)
except GoeError as error:
    raise WorkflowError(f"Config, sheets, reference or data files have to be mended first.\n{error}")
CFG, PEOPLE, INPUTS, BUILD = LOADED.cfg, LOADED.people, LOADED.inputs, LOADED.build
OUTDIR = Path(CFG.outdir)
environment.keep_caches(OUTDIR / "work" / "cache")
JOINT = [i for i in INPUTS if i.input_type == "joint_vcf"]
UNITS = sheets.by_person(INPUTS)
BUILD_PARAMS = {"name": BUILD.name, "contigs": BUILD.contigs, "par": BUILD.par}
REGIONS = build.regions(BUILD, CFG.scatter.region_size)
# Pieces of one person's calling, which is not repeated when the scatter changes. Not a list: in each string of one
# Snakemake looks for wildcards, for each person.
CALL_REGIONS = tuple(f"{r.contig}:{r.start}-{r.end}" for r in build.regions(BUILD, 10_000_000).values())
BATCHES = batches.make(UNITS, CFG.scatter.people_per_batch)
# People of a batch whose own files one job harmonises.
JOBS = batches.split(BATCHES, batches.count(CFG.scatter.people_per_batch, CFG.scatter.people_per_job))
JOBS_OF = {batch: list(jobs) for batch, jobs in groupby(JOBS, key=lambda job: job.partition(".")[0])}
READ_TYPES = {"fastq", "ubam", "bam", "cram"}
# Reads of people whose calls say nothing between their rows, where their depth is asked for.
COVERED = sheets.with_coverage(INPUTS) if CFG.callable_an.coverage_proxy else {}
# Where Snakemake brings the tools, each rule has those of its environment.
CALLED = [] if workflow.deployment_settings.deployment_method else tools.needed(INPUTS, CFG.aligner, bool(COVERED))
READ_BORN = {s: rows for s, rows in UNITS.items() if rows[0].input_type in READ_TYPES}
# Whose BAM or CRAM is taken as it is.
ADOPTED = {s for s, rows in READ_BORN.items() if rows[0].input_type in ("bam", "cram")}
READ_BATCHES = batches.make(READ_BORN, CFG.scatter.people_per_batch)

GENOTYPE_FILTER = {
    "min_gq": CFG.genotype_filter.min_gq,
    "min_dp": CFG.genotype_filter.min_dp,
    "min_dp_haploid": CFG.genotype_filter.min_dp_haploid,
    "min_ab": CFG.genotype_filter.min_ab,
    "alt_only": CFG.genotype_filter.profile == "gnomad",
}

# With --sdm conda apptainer each rule runs in its environment of this image.
if CFG.container:
    environment.in_image(SCRIPTS)

    containerized: CFG.container


wildcard_constraints:
    sample=sheets.ID_PATTERN,
    batch=r"b[0-9]+",
    people=r"b[0-9]+[.][0-9]+",
    region=r"[^/]+",
    contig=r"[^/]+",
    number=r"[0-9]+",


# Of text: a Path for each file of each person is time and memory of planning.
WORK, RELEASE = str(OUTDIR / "work"), str(OUTDIR / "release")


def work(path):
    return f"{WORK}/{path}"


def release(path):
    return f"{RELEASE}/{path}"


# What decides the numbers of each stage. Jobs take those of the cohort from the process that planned the run.
STAMPS = stamps.Stamps(
    *(CFG, PEOPLE, INPUTS, BUILD),
    sheets=LOADED.sheets,
    kept=None if workflow.is_main_process else work("intake/stamps.json"),
)
# Where Snakemake has nothing by which to see a change, it would say that nothing is to be done.
if workflow.is_main_process and not any(Path(".snakemake/metadata").glob("*")):
    if seal.stamp(work("seals/release_manifest.json")) not in ("", STAMPS.release):
        raise WorkflowError(
            f"{release('')} is of other settings, inputs or code, and what Snakemake keeps of its run is not in this folder "
            f"(.snakemake/metadata) -> run where it was made; to make all of it again: rm -r {work('seals')}"
        )
# Files of which every job leaves one: when any of them is missing, its job failed, and the run is not done.
KEPT = []


# Rules that make nothing of the cohort.
ASIDE = {"lint", "clean"}
# Whether this process has kept what it has to do.
BEGUN = []


def made(stage, *trusted):
    """Parameters of a job of a stage of the cohort: its stamp, and the stamps it trusts the seals of others under."""
    return {
        # As a plain word, `release` is taken for the prefix of a path by `snakemake --lint`.
        "stage": lambda wc: stage,
        "stamp": lambda wc: STAMPS.stamp(stage),
        "trusts": lambda wc: {name: STAMPS.stamp(name) for name in trusted},
    }


def made_of(stage, *trusted):
    """The same for a stage of one person, whose id is the wildcard `sample`."""
    return {
        "stage": stage,
        "stamp": lambda wc: STAMPS.stamp(stage, wc.sample),
        "trusts": lambda wc: {name: STAMPS.stamp(name, wc.sample) for name in trusted},
    }


# How many notes the look at the inputs had with which the run began, for the job of `lint`. A module has no `onstart`.
LOOKED = []


def look_at_inputs():
    """Before the first job: no other run writes here; every problem of every input, unless nothing has changed since all
    was well.

    The target `lint` looks each time. Here and not in its job, since of a job that fails Snakemake has more to say than
    what has to be mended.
    """
    try:
        environment.alone(OUTDIR / "work")
    except GoeError as error:
        raise WorkflowError(f"{error}")
    jobs = set(map(name_of, workflow.dag.needrun_jobs()))
    if jobs <= {"clean"}:
        return
    try:
        LOOKED.append(intake.look(LOADED, STAMPS, workflow.resource_settings.cores or 4, CALLED, anew="lint" in jobs))
    except GoeError as error:
        raise WorkflowError(f"Inputs have to be mended first.\n{error}")


def name_of(job):
    """Of its rule, as this workflow has it: one that uses it as a module may have put a prefix before it."""
    return job.rule.name.rpartition("goe_")[2]


def keep_what_is_to_do():
    """Before the first job, for `goe progress`: jobs of each rule that makes something, and what they ask for."""
    from goe.progress import run

    to_do, jobs = set(workflow.dag.needrun_jobs()), {}
    for job in workflow.dag.jobs:
        if job.rule.script and name_of(job) not in ASIDE:
            jobs.setdefault(name_of(job), []).append(job)
    rules = {}
    for name, some in jobs.items():
        now, asked = sum(job in to_do for job in some), some[0].resources
        limits = {"threads": some[0].threads, "memory_mb": asked.get("mem_mb"), "minutes": asked.get("runtime")}
        rules[name] = run.Rule(now, len(some) - now, **limits)
    if any(one.jobs for one in rules.values()):
        run.begin(OUTDIR, rules)
        BEGUN.append(run)


def say_how_it_went(well):
    """At the end of a run that had something to do: `work/summary.html`, and at the terminal what failed."""
    if not BEGUN:
        return
    from goe.progress import command

    try:
        for line in command.ended(OUTDIR, well):
            print(f"goe: {line}", file=sys.stderr)
    except OSError as error:
        print(f"goe: no summary of the run: {error}", file=sys.stderr)


def say_what_was_made():
    """At the end of a run that made a release: who counts, what is public, where to look."""
    if not any(name_of(job) == "release_manifest" for job in workflow.dag.jobs):
        return
    from goe.release import ending

    for line in ending.words(OUTDIR):
        print(f"goe: {line}", file=sys.stderr)


def audited(wildcards):
    """What is asked of the release to audit, as files that must be there."""
    if CFG.audit is None:
        raise WorkflowError("Say which release: snakemake audit --config audit=FOLDER")
    return AUDITED


def trusts_of_digests(wildcards):
    return {"hashed": [STAMPS.hashed(part) for part in STAMPS.parts]}


def neighbours(wildcards):
    """The region and those beside it on its contig, in order: records may cross a border when normalised."""
    names = regions_of(REGIONS[wildcards.region].contig)
    i = names.index(wildcards.region)
    return names[max(0, i - 1) : i + 2]


def regions_of(contig):
    return [name for name, region in REGIONS.items() if region.contig == contig]


def resources_of(*folders):
    """Files of folders of resources, of which pages are made."""
    return sorted(str(path) for folder in folders for path in (SCRIPTS.parent / "resources" / folder).iterdir())


def told_of_reads(wildcards):
    """What aligning is told of a person: the units in the order of the sheet, since two libraries may both have a unit
    L1, and whether a BAM or CRAM is taken as it is."""
    rows = UNITS[wildcards.sample]
    return {
        "sample": wildcards.sample,
        "adopted": wildcards.sample in ADOPTED,
        "cram": rows[0].input_type == "cram",
        "units": [
            {
                "reads": [path for path in (row.path, row.path2) if path],
                "read_group": read_group(wildcards.sample, number, row),
            }
            for number, row in enumerate(rows, 1)
        ],
    }


def read_group(sample, number, row):
    """Fields of the @RG line of a unit."""
    library = row.library or sample
    platform = PEOPLE[sample].extra.get("platform") or "ILLUMINA"
    return {
        "ID": f"{sample}.{number}",
        "SM": sample,
        "LB": library,
        "PU": f"{library}.{row.unit or number}",
        "PL": platform,
    }


# Parameters of a job that reads a person's CRAM.
OF_CRAM = {
    "crai": work("align/{sample}.cram.crai"),
    "seals": work("seals/align_person/{sample}.json"),
    "beside": ["crai"],
}


def report_seals_of(people):
    """Seals of what tools report of people's reads."""
    jobs = ["align_person", *(["align_contamination"] if CONTAMINATION_PANEL else [])]
    return [work(f"seals/{job}/{sample}.json") for sample in people for job in jobs]


def reports_of(people):
    """Folders of what tools report of people's reads."""
    return [work(f"align/reports/{sample}") for sample in people]


def trusts_of_reports(people):
    """Stamps of these seals."""
    return {
        "reads": [STAMPS.reads(sample) for sample in people],
        "contamination": [STAMPS.contamination(sample) for sample in people],
    }


JOINT_COUNTS = [work(f"joint/file/{i}.json") for i in range(len(JOINT))]
JOINT_SEALS = [work(f"seals/joint_file/{i}.json") for i in range(len(JOINT))]


JOINT_NUMBERS = range(len(JOINT))


def joint_of(region):
    """Numbers of the joint files that have records on the region's contig, as their indexes say, which joint_file holds
    against the files."""
    return [i for i in JOINT_NUMBERS if REGIONS[region].contig in STAMPS.contigs(i)]


def joint_parts(path):
    """Paths below work/ for each joint file and region that it has, by `path` with places for both."""
    return [work(path.format(number, region)) for region in REGIONS for number in joint_of(region)]


@cache
def trusted_genotypes():
    scanned = [STAMPS.scanned(i) for i in JOINT_NUMBERS]
    gathered = [STAMPS.gathered(people) for people in BATCHES.values()]
    return {"genotypes": STAMPS.genotypes, "gathered": gathered, "scanned": scanned}


def trusts_of_genotypes(wildcards):
    """Stamps under which the harmonised files of everybody were made."""
    return trusted_genotypes()


def trusts_of_coverage(wildcards):
    """Stamps under which callable AN by coverage is made."""
    return {"keep": STAMPS.keep, "covered": [STAMPS.covered(people) for people in COVERAGE_BATCHES.values()]}


def trusts_of_summary(wildcards):
    """Stamps under which everything that the release tells of was made."""
    names = ("release", "filters", "counts", "genotypes", "keep", "metrics")
    return {name: STAMPS.stamp(name) for name in names} | trusts_of_coverage(wildcards)


def genotypes_of_region(wildcards):
    """Harmonised joint files of a region, as named inputs, with their seals and that of what the batches waited for."""
    region = wildcards.region
    numbers = joint_of(region)
    return {
        "joint": expand(work("harmonise/joint/{number}/{region}.bcf"), number=numbers, region=region),
        "seals": [
            *expand(work("seals/harmonise_merge/{number}/{region}.json"), number=numbers, region=region),
            *([work("seals/harmonise_ledger.json")] if BATCHES else []),
        ],
    }


def gathered(*tables):
    """Parameters of a job of a region that reads tables of all batches. As input they would be too many to plan with,
    regions times batches: it waits for `harmonise_ledger`, which waits for the batches."""
    return {
        **{name: expand(work(f"harmonise/batch/{{batch}}.{name}.parquet"), batch=BATCHES) for name in tables},
        "seals": expand(work("seals/harmonise_batch/{batch}.json"), batch=BATCHES),
        "beside": list(tables),
        "in_parts": list(tables),
    }


def seals_of_calls(wildcards):
    return [work(f"seals/call_bcftools/{sample}.json") for sample in JOBS[wildcards.people] if sample in READ_BORN]


def calls_of(sample):
    """The gVCF, called or given, or single-sample VCF of a person."""
    return work(f"call/{sample}.g.vcf.gz") if sample in READ_BORN else UNITS[sample][0].path


def called_of(wildcards):
    """Those of some people that are made here."""
    return [calls_of(sample) for sample in JOBS[wildcards.people] if sample in READ_BORN]


def told_of(wildcards):
    """What harmonising is told of each of these people."""
    return [
        {
            "sample": sample,
            "calls": calls_of(sample),
            "sex": PEOPLE[sample].sex,
            "called": sample in READ_BORN,
            "blocks": UNITS[sample][0].input_type != "vcf",
        }
        for sample in JOBS[wildcards.people]
    ]


# Thresholds of people with their sources; the country's own are of metrics, and nothing before the keep list looks at
# those.
GUIDELINE_FILES = [
    str(SCRIPTS.parent / "resources" / "guidelines" / name) for name in ("sample_qc.tsv", "inference.tsv")
]
OWN_GUIDELINES = [CFG.sample_qc.guidelines] if CFG.sample_qc.guidelines else []
CONTAMINATION_PANEL = (
    [f"{CFG.sample_qc.contamination_panel}{suffix}" for suffix in intake.PANEL]
    if CFG.sample_qc.contamination_panel
    else []
)


def made_of_people(batch):
    """Seals of all that is made of the people of a batch alone."""
    people = BATCHES[batch]
    reads = [sample for sample in people if sample in READ_BORN]
    return [
        work(f"seals/harmonise_batch/{batch}.json"),
        *expand(work("seals/align_contamination/{sample}.json"), sample=reads if CONTAMINATION_PANEL else []),
    ]


def of_wave(wildcards):
    """The same of the batches of the wave that is asked for."""
    if CFG.wave is None:
        raise WorkflowError("Say which wave, such as the first of eight: snakemake wave --config wave=1/8")
    number, count = map(int, CFG.wave.split("/"))
    seals = [seal for batch in list(BATCHES)[number - 1 :: count] for seal in made_of_people(batch)]
    return seals + COVERAGE_SEALS[number - 1 :: count]


def of_calls(batch):
    """CRAMs and gVCFs that were made of the reads of a batch's people, with their indexes."""
    files = ("align/{sample}.cram", "align/{sample}.cram.crai", "call/{sample}.g.vcf.gz", "call/{sample}.g.vcf.gz.tbi")
    return [work(file.format(sample=sample)) for sample in BATCHES[batch] if sample in READ_BORN for file in files]
