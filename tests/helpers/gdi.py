"""Blocks of made-up alleles, a GDI package of them, and what the format's tool makes of a sites VCF, in plain steps."""

import gzip
import hashlib
import json
import re
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from goe.frequencies import strata as st
from goe.release.formats import sites_vcf
from goe.release.gdi import package as gdi_package
from goe.release.gdi.metadata import Settings
from goe.release.metadata.health_dcat import About
from goe.settings import sections

ID = "GOE-EE-EXAMPLE-20260102030405678"
LEAVES = ("EE_F", "EE_M", "EE_U", "LV_F", "LV_M")
STRATA = tuple(st.order(LEAVES))
LENGTHS = {"chr1": 248_956_422, "chrX": 156_040_895, "chrM": 16_569}
STATISTICS = ("call_rate", "hwe_p", "inbreeding_coeff", "faf95", "faf99")
REPO = Path(__file__).resolve().parents[2]


@dataclass
class Allele:
    """people: leaf -> (dip, hap, het, hom, hemi). shown: public strata, None for all."""

    pos: int
    ref: str
    alt: str
    people: dict = field(default_factory=dict)
    shown: tuple | None = None
    filter: str = "PASS"


@dataclass
class Block:
    """What a format needs of goe.release.table.Block."""

    contig: str
    pos: pa.Array
    ref: pa.Array
    alt: pa.Array
    filter: pa.Array
    strata: tuple
    numbers: st.Numbers
    mask: np.ndarray
    statistics: dict

    def __len__(self):
        return len(self.pos)

    def shown(self):
        return self.mask


def block(alleles, contig="chr1", strata=STRATA, leaves=LEAVES):
    people = np.zeros((len(leaves), 5, len(alleles)), dtype=np.int32)
    mask = np.ones((len(strata), len(alleles)), dtype=bool)
    for i, allele in enumerate(alleles):
        for leaf, counts in allele.people.items():
            people[leaves.index(leaf), :, i] = counts
        if allele.shown is not None:
            mask[:, i] = [s in allele.shown for s in strata]
    return Block(
        contig,
        pa.array([a.pos for a in alleles], pa.int32()),
        pa.array([a.ref for a in alleles], pa.string()),
        pa.array([a.alt for a in alleles], pa.string()),
        pa.array([a.filter for a in alleles], pa.string()),
        strata,
        st.numbers(st.expand(people, leaves, strata)),
        mask,
        {name: np.full(len(alleles), np.nan) for name in STATISTICS},
    )


def blocks(alleles, size, contig="chr1"):
    return [block(alleles[i : i + size], contig) for i in range(0, len(alleles), size)]


def random_alleles(n, seed=0, start=1, step=9, haploid=False):
    """Alleles of every type, a few at one position, some filtered, some with strata that are not public."""
    rng = np.random.default_rng(seed)
    out = []
    pos = start
    while len(out) < n:
        pos += int(rng.integers(0, step))
        ref = "ACGT"[rng.integers(4)]
        kind = rng.integers(8)
        other = [b for b in "ACGT" if b != ref]
        alt = {0: ref + "TG", 1: other[0]}.get(int(kind), other[int(rng.integers(3))])
        if kind == 2:
            ref, alt = ref + "CA", ref
        if kind == 3:
            ref, alt = "ACG", "TGTT"
        if any((a.pos, a.ref, a.alt) == (pos, ref, alt) for a in out[-20:]):
            continue
        people = {}
        for leaf in LEAVES:
            called, share = int(rng.integers(0, 60)), rng.random() ** 3
            hom = int(rng.binomial(called, share**2))
            het = int(rng.binomial(called - hom, share))
            if haploid and leaf.endswith("M"):
                people[leaf] = (0, called, 0, 0, het)
            else:
                people[leaf] = (called, 0, het, hom, 0)
        shown = None if rng.random() < 0.5 else ("Total", *(s for s in STRATA[1:] if rng.random() < 0.5))
        out.append(Allele(pos, ref, alt, people, shown, "PASS" if rng.random() < 0.9 else "HWE"))
    return sorted(out, key=lambda a: (a.pos, a.ref, a.alt))


def config(**dataset):
    """A config, as far as the package looks at it."""
    said = {
        "reference": {"build": "GRCh38"},
        "dataset": {
            "prefix": "GOE",
            "country": "EE",
            "org": "EXAMPLE",
            "id": ID,
            "title": "Allele frequencies of an example cohort",
            "description": "Made-up people.",
            "contact": {"fn": "Data office", "email": "data@example.org", "url": None},
            "license": "CC-BY-4.0",
            "publisher": "Example institute",
            "keywords": [],
            "synthetic": False,
            **dataset,
        },
        "disclosure": {"min_carriers": 5, "policy": "collapse", "protect": "carriers"},
        "formats": {"gdi": {"catalog": "gdi-aggregated"}},
    }
    return sections.of(sections.Config, said)


ABOUT = About(records=1, people=123, countries=("EE", "LV"), build="GRCh38")


def write_vcf(path, contigs):
    """The sites VCF of the PASS alleles: contigs is {contig: alleles}."""
    fields = sites_vcf.read_fields(REPO / "resources/dictionary/fields.tsv")
    tags = sites_vcf.tags(fields, STRATA)
    head = sites_vcf.header("GRCh38", [{"name": c, "length": LENGTHS[c]} for c in contigs], ["PASS"], {}, tags)
    text = head
    for contig, alleles in contigs.items():
        passed = [a for a in alleles if a.filter == "PASS"]
        if passed:
            text += "".join(f"{line}\n" for line in sites_vcf.lines(block(passed, contig), tags).to_pylist())
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.GzipFile(path, "wb", mtime=0) as handle:
        handle.write(text.encode())
    return path


def package(folder, contigs, cfg=None, settings=None, size=100):
    """Folder of a package made of {contig: alleles}; returns it."""
    cfg = cfg or config()
    settings = settings or Settings("GRCh38", 5)
    parts = []
    for contig, alleles in contigs.items():
        part = folder / "parts" / contig
        with gdi_package.Writer(part, contig, LENGTHS[contig], settings) as writer:
            for one in blocks(alleles, size, contig):
                writer.write(one)
        parts.append(part)
    vcf = write_vcf(folder / "sites" / f"{cfg.dataset.id}.pass.vcf.gz", contigs)
    root = folder / "gdi" / cfg.dataset.id
    gdi_package.assemble(parts, vcf, cfg, ABOUT, root)
    return root


def read_rows(folder):
    """{(chromosome, block): rows as dicts} of all data files, and their names checked against nothing."""
    out = {}
    for path in sorted(folder.glob("allele-freq.*.parquet")):
        parts = path.name.split(".")
        out[parts[1].removeprefix("chr"), int(parts[2])] = pq.read_table(path).to_pylist()
    return out


def converted(vcf, floor, span=10_000_000):
    """Rows and counts that `gdi-dataset-tool build` makes of a sites VCF, written from its documents alone."""
    rows, counts = {}, Counter()
    with gzip.open(vcf, "rt") as handle:
        for line in handle:
            if line.startswith("#"):
                continue
            contig, pos, _, ref, alt, _, _, info = line.rstrip("\n").split("\t")
            counts["records"] += 1
            groups = {}
            for entry in info.split(";"):
                name, _, value = entry.partition("=")
                words = name.split("_")
                if words[0] not in ("AF", "AC", "AN"):
                    continue
                zygosity = [w for w in words[1:] if w in ("Hom", "Het", "Hemi")]
                group = "_".join(w for w in words[1:] if w not in zygosity) or "Total"
                groups.setdefault(group, {})["_".join([words[0], *zygosity])] = value
            made, below = [], 0
            for group, n in groups.items():
                if "AF" not in n:
                    continue
                ac, an = int(n["AC"]), int(n["AN"])
                if 1 <= ac < floor or 1 <= an - ac < floor:
                    below += 1
                    continue
                made.append(
                    {
                        "POS": int(pos) - 1,
                        "REF": ref,
                        "ALT": alt,
                        "VT": plain_type(ref, alt),
                        "POPULATION": group,
                        "AF": float(np.float32(n["AF"])),
                        "AC": ac,
                        "AC_HOM": int(n["AC_Hom"]),
                        "AC_HET": int(n["AC_Het"]),
                        "AC_HEMI": int(n["AC_Hemi"]),
                        "AN": an,
                    }
                )
            if below:
                left = [row for row in made if row["POPULATION"] == "Total"]
                counts["collapsed"] += len(made) - len(left)
                counts["variants"] += len(left) < len(made)
                made = left
            counts["below"] += below
            counts["emitted" if made else "withheld" if below else "no_af"] += 1
            key = contig.removeprefix("chr"), (int(pos) - 1) // span
            if made:
                rows.setdefault(key, []).extend(made)
    for block_rows in rows.values():
        block_rows.sort(key=lambda r: (r["POS"], r["REF"], r["ALT"], r["POPULATION"]))
    return rows, counts


def plain_type(ref, alt):
    """Variant type by its definition: cut the common start, then the common end of what is left."""
    start = len(re.match(r"(.*)[^|]*\|\1", f"{ref}|{alt}")[1])
    ref, alt = ref[start:], alt[start:]
    while ref and alt and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    if not ref:
        return "INS"
    if not alt:
        return "DEL"
    if len(ref) == len(alt):
        return "SNP" if len(ref) == 1 else "MNP"
    return "DELINS"


def sign(folder, change=None):
    """Bring the digests of the manifest up to date, after `change(manifest)`."""
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    members = [p for p in folder.rglob("*") if p.is_file() and p != path]
    content["payload"]["members"] = {
        p.relative_to(folder).as_posix(): {
            "sha256": hashlib.sha256(p.read_bytes()).hexdigest(),
            "size": p.stat().st_size,
        }
        for p in sorted(members)
    }
    if change:
        change(content)
    path.write_text(json.dumps(content, indent=2) + "\n")


def copy(folder, target):
    """A copy of a package that may be broken; the copy has the package's name."""
    shutil.copytree(folder, target / folder.name)
    return target / folder.name
