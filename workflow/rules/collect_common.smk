from goe.collect import folder as collection, public_sum, sheet
from goe.core import code_digest, environment, rounds
from goe.core.manifest import NAME as MANIFEST

environment.prepare()

try:
    COLLECTION = sheet.settings(config)
    DATASETS = {str(entry.number): entry for entry in sheet.read(COLLECTION.datasets, COLLECTION.sum_floor > 0)}
except GoeError as error:
    raise WorkflowError(f"collect.yaml or the sheet of datasets has to be mended first.\n{error}")
environment.keep_caches(Path(COLLECTION.outdir) / "work" / "cache")


wildcard_constraints:
    number=r"[0-9]+",
    contig=r"[^/]+",
    place="collection|restricted-collection",


def collect_work(path):
    return str(Path(COLLECTION.outdir) / "work" / "collect" / path)


# Every dataset by its row of the sheet; one that is refused has its reasons there and nothing else.
LOOKED_AT = expand(collect_work("{number}.json"), number=DATASETS)
# Of a public sum alone: the datasets that have a public release.
RELEASED = [n for n, entry in DATASETS.items() if COLLECTION.sum_floor and entry.public != sheet.NONE]
PUBLIC_RELEASES = expand(collect_work("public/{number}.json"), number=RELEASED)


def agreed():
    return collection.load(checkpoints.collect_agree.get().output.agreed)


def sums_of_contigs(wildcards):
    contigs = collection.contigs_of(collection.taken(agreed()))
    return expand(collect_work("sum/{contig}.json"), contig=contigs)


def public_sums_of_contigs(wildcards):
    contigs = collection.contigs_of(collection.taken(agreed()))
    return expand(collect_work("public_sum/{contig}.json"), contig=contigs)


def comparisons_of_contigs(wildcards):
    contigs = collection.contigs_of(collection.taken(agreed()))
    return expand(collect_work("compare/{contig}"), contig=contigs)


def whole_collection(wildcards):
    datasets = collection.taken(agreed())
    whole = [str(collection.place(COLLECTION, datasets) / MANIFEST)]
    return [*whole, str(Path(COLLECTION.outdir) / public_sum.FOLDER / MANIFEST)] if COLLECTION.sum_floor else whole
