"""Sheets of any number of people, with files that only have names: enough to plan a run, not to run it."""

from collections.abc import Callable
from pathlib import Path

from goe.genome.build import known_lengths

from helpers.workflow import write_config

GRCH38 = {f"chr{name}": min(lengths) for name, lengths in known_lengths("GRCh38").items()}


def write(
    folder: Path,
    people: int,
    kind: str = "fastq",
    lanes: int = 3,
    contigs: dict[str, int] | None = None,
    build: str = "toy",
    content: Callable[[str], bytes] = lambda path: b"x",
    **sections,
) -> None:
    """A run folder. kind: input_type of everybody; lanes: FASTQ pairs of each; contigs: of the reference, one of a
    single region where none are given; content: of each file of people, by its path; sections: of its configuration."""
    data = folder / "data"
    data.mkdir(parents=True)
    contigs = contigs or {"chr1": 1000}
    reference(folder / "ref.fa", contigs)
    samples, inputs = ["sample_id\tsex\tcountry_code"], ["sample_id\tinput_type\tpath\tpath2\tunit"]
    for number in range(people):
        name = f"P{number:06d}"
        samples.append(f"{name}\t{'MF'[number % 2]}\tEE")
        for lane in range(1, lanes + 1) if kind == "fastq" else [""]:
            paths = [f"data/{name}.{lane}.R{end}.fq.gz" for end in (1, 2)] if lane else [f"data/{name}", ""]
            for path in filter(None, paths):
                (folder / path).write_bytes(content(path))
            inputs.append("\t".join([name, kind, *paths, f"L{lane}" if lane else ""]))
    (folder / "samples.tsv").write_text("\n".join(samples) + "\n")
    (folder / "inputs.tsv").write_text("\n".join(inputs) + "\n")
    write_config(folder, reference={"fasta": "ref.fa", "build": build}, **sections)


def reference(path: Path, contigs: dict[str, int]) -> None:
    """A FASTA file with its index, as long as it has to be, and no bases: nothing of it is on the disk."""
    rows, at = [], 0
    with path.open("wb") as out:
        for name, length in contigs.items():
            out.seek(at)
            at += out.write(f">{name}\n".encode())
            rows.append(f"{name}\t{length}\t{at}\t60\t61\n")
            at += length + -(-length // 60)
        out.truncate(at)
    path.with_name(f"{path.name}.fai").write_text("".join(rows))
