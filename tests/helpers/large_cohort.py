"""Sheets of any number of people, with files that only have names: enough to plan a run, not to run it."""

from pathlib import Path

from helpers.workflow import write_config


def write(
    folder: Path, people: int, kind: str = "fastq", lanes: int = 3, contigs: dict[str, int] | None = None, **sections
) -> None:
    """A run folder. kind: input_type of everybody; lanes: FASTQ pairs of each; contigs: of the reference, one of a
    single region where none are given; sections: of its configuration."""
    data = folder / "data"
    data.mkdir(parents=True)
    contigs = contigs or {"chr1": 1000}
    (folder / "ref.fa").write_text(">")
    (folder / "ref.fa.fai").write_text("".join(f"{name}\t{n}\t0\t60\t61\n" for name, n in contigs.items()))
    samples, inputs = ["sample_id\tsex\tcountry_code"], ["sample_id\tinput_type\tpath\tpath2\tunit"]
    for number in range(people):
        name = f"P{number:06d}"
        samples.append(f"{name}\t{'MF'[number % 2]}\tEE")
        for lane in range(1, lanes + 1) if kind == "fastq" else [""]:
            paths = [f"data/{name}.{lane}.R{end}.fq.gz" for end in (1, 2)] if lane else [f"data/{name}", ""]
            for path in filter(None, paths):
                (folder / path).write_text("x")
            inputs.append("\t".join([name, kind, *paths, f"L{lane}" if lane else ""]))
    (folder / "samples.tsv").write_text("\n".join(samples) + "\n")
    (folder / "inputs.tsv").write_text("\n".join(inputs) + "\n")
    write_config(folder, reference={"fasta": "ref.fa", "build": "toy"}, **sections)
