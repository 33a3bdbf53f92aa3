"""What a reader of a release folder takes at most: whoever checks one has not made it.

A bound is larger than any honest release needs, and small enough that a file that keeps to all of them is read in less
than 1 GB. The largest release that is thought of has 100,000 people of 30 countries (93 strata), 100,000,000 site
alleles, and contigs of a human genome; what it needs is said behind each bound. What is larger than its bound is
refused before it is read, or when the reader gets there.
"""

STRATA = 160
"""Published strata. Total, M, F and three of each country: 93 of 30, 153 of 50."""
SOURCES = 200
"""Datasets of a collection: thirty countries, some with more than one."""
BASES = 1 << 31
"""Of a contig: positions are 32 bits."""
CONTIGS = 2_000
"""Contigs of a release. The primary ones of a human genome are 25; each has three files or more."""
ALLELES = 1_000_000_000
"""Site alleles of a release."""

ENTRIES = 20_000
"""Files and folders. 100,000,000 site alleles have 1,526 files of look-up tables and fewer than 200 others."""
DEPTH = 8
"""Folders within folders; a release has two."""
HOLES = 1 << 20
"""Bytes of a file that nobody wrote (holes of a sparse file). Copying may make one of the zeros that end a TAR."""
TEXT_FILE = 8 << 20
"""Bytes of a file of text: the quantiles of 50 metrics in 93 strata are 2 MB."""
VALUES = 1_000_000
"""Values of a JSON file, about: 80,000 in the record of 2,000 files."""
NESTED = 64
"""Lists and objects in each other in a JSON file: 12 in an allele of a Beacon file."""
SIZES = {
    "MANIFEST.sha256": 8 << 20,  # 1,700 lines are 0.2 MB
    "report.html": 32 << 20,  # 8 MB of look-up tables (goe.release.report.lookup), 0.5 MB of index, some plots
    "ro-crate-metadata.json": 16 << 20,  # 0.7 kB a file
    "metadata/healthdcat.ttl": 16 << 20,  # 1.5 kB a file
    "metadata/healthdcat.jsonld": 16 << 20,  # 3 kB a file
    ".js": 64 << 20,  # four chunks of 16,384 alleles: 10 MB with 93 strata
    ".tbi": 16 << 20,  # 3 MB of a genome with an allele in each 16 kb
    ".gz": None,
    ".parquet": None,
    ".tar": None,
    ".c4gh": None,
}
"""Bytes of a file by its path or how it ends, TEXT_FILE for all others; None where its content is bounded as it is
read."""

LINE = 1 << 20
"""Bytes of a line. In a sites VCF it has some 150 a stratum, in a Beacon file 250, and the bases of its allele."""
HEADER_BYTES, HEADER_LINES = 4 << 20, 20_000
"""Of the header of a VCF. 93 strata have 700 tags in 0.2 MB."""
CELLS = 1 << 20
"""Numbers of a kind that are held at a time, strata times alleles: pieces of files are cut to it."""
KEPT = 16 << 20
"""Bytes of blocks that a check keeps to hold every format against them: those of contigs that have 18,000 alleles
altogether, if there are 16 strata, of the long and the wide table, 0.46 kB an allele each."""
TEXT = 64 << 20
"""Bytes of text in a column of such a piece: 4 kB an allele, if it has 16,384."""

FOOTER = 32 << 20
"""Bytes of the footer of a Parquet file: 14 MB in a wide table of 8,000,000 alleles (a chromosome) with 93 strata."""
COLUMNS = 8 * STRATA
"""Columns of a Parquet file: 10, and 7 of each stratum, in a wide table."""
CHUNKS = 250_000
"""Column chunks of a Parquet file: 80,000 in that table."""
GROUP = 256 << 20
"""Bytes of all pages of a row group, packed or not. Of 65,536 alleles of that table: some 60 MB, 195 MB if no number
came twice."""
METADATA = 4 << 20
"""Bytes of the metadata `goe` of a Parquet file: 160 kB in that table."""

INDEX = 16 << 20
"""Bytes of a .tbi, unpacked: 7 MB for a genome in which every 16 kb have an allele."""
STEP = 64 << 20
"""Bytes that are read where an index leads until the record is there. A bin of 16 kb has less than 2 MB for each 1,000
alleles of 16 strata, and the whole of a small contig may be in one."""

CHUNK_ALLELES = 1 << 14
"""Alleles of a chunk of the look-up table."""
CHUNK_HEAD = 4 << 20
"""Bytes of its header: the distinct alleles and filters of these, 256 bytes an allele."""
FACTS = 8 << 20
"""Bytes of what the page says of the table: 0.5 MB for 100,000,000 site alleles."""

APART_BYTES, APART_SECONDS = 512 << 20, 600
"""Memory and CPU time of a check that leaves a file to a library without bounds of its own (JSON Schema, RDF, SHACL):
it works in a process of its own (goe.check.apart). The record of 2,000 files takes 60 MB and half a minute."""

PROBLEMS = 200
"""Problems of a file or check that are told; what is more is counted."""


def statements(files: int) -> int:
    """What separates statements in a catalogue record, at most: 70 characters for each file described, and four
    times as many for long names."""
    return 3_000 + 300 * files


def size(name: str) -> int | None:
    """Bytes that a file of a release, by its relative path, has at most; None where they are bounded elsewhere."""
    if name in SIZES:
        return SIZES[name]
    return next((most for end, most in SIZES.items() if end.startswith(".") and name.endswith(end)), TEXT_FILE)


def lookup_chunk(strata: int) -> int:
    """Bytes of an unpacked chunk of the look-up table: its header, and columns of at most 4 bytes an allele, four of
    the allele and five of each stratum."""
    return 4 + CHUNK_HEAD + CHUNK_ALLELES * 4 * (4 + 5 * strata)
