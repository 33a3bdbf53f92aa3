"""One stratum of a release as a sites VCF of its own, for loaders that take one population a file.

gdi-mini-node 0.9.1 keeps one population of a file, and shows the bare tags under the label given with `-c`;
beacon2-ri-tools-v2 stops at chrM renamed MT, and files chrM as it is on chrY. Hence bare tags, the alleles that are
public of this stratum and no others, and contigs that can be left out.
"""

from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from goe.check import folder as check_folder
from goe.core.errors import Problem, stop_on
from goe.lookup.release import opened, table
from goe.release.formats import mini_node, sites_vcf, wide_table
from goe.rules.site_filters import DESCRIPTIONS


def write(folder: str | Path, stratum: str, target: str | Path, without: Collection[str] = ()) -> int:
    """Write the PASS alleles of a stratum, with an index beside; how many they are.

    without: contigs that are left out. An allele is in the file where the stratum is public and somebody of it is
    called. GoeError when the folder is no release, has no such stratum or contig, or the target is there already.
    """
    root, out = Path(folder), Path(target)
    facts = opened(root)
    problems = []
    if stratum not in facts.people:
        problems.append(Problem(stratum, "is no published stratum", f"give one of {', '.join(facts.people)}"))
    for name in without:
        if name not in facts.lengths:
            problems.append(Problem(name, "is no contig of the release", f"give one of {', '.join(facts.lengths)}"))
    if out.exists():
        problems.append(Problem(str(out), "is there already", "remove it, or give another name"))
    if not out.name.endswith(".vcf.gz"):
        problems.append(Problem(str(out), "is no name for a compressed VCF", "let it end with .vcf.gz"))
    stop_on(problems)
    contigs = [contig for contig in facts.contigs if contig["name"] not in without]
    info = mini_node.tags(sites_vcf.read_fields(check_folder.FIELDS))
    alleles, bodies = 0, []
    with TemporaryDirectory(dir=out.parent, prefix=f"{out.name}.") as work, ExitStack() as stack:
        for contig in contigs:
            name = contig["name"]
            bodies.append(Path(work) / f"{name}.vcf.gz")
            body = stack.enter_context(sites_vcf.Body(bodies[-1]))
            for block in wide_table.alone(table(root, facts, name), stratum):
                text = mini_node.lines(block, info)
                alleles += len(text)
                if len(text):
                    body.write(text)
        stack.close()
        whole = Path(work) / out.name
        sites_vcf.join(sites_vcf.header(facts.build, contigs, [], DESCRIPTIONS, info), bodies, whole)
        for end in (".tbi", ""):
            Path(f"{whole}{end}").replace(f"{out}{end}")
    return alleles
