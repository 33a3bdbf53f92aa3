"""The reference: contigs, builds, PAR, and regions that cover each primary contig exactly once."""

import gzip

import pytest
from goe.core.errors import GoeError
from goe.genome import bed, build
from hypothesis import given
from hypothesis import strategies as st

GRCH38 = {"chr20": 64444167, "chrX": 156040895, "chrY": 57227415, "chrM": 16569}
GRCH37 = {"20": 63025520, "X": 155270560, "Y": 59373566, "MT": 16569}


@pytest.fixture
def reference(tmp_path):
    """Make arguments of `load_build` with a FASTA of which only the index is real."""

    def make(lengths: dict[str, int], name: str = "toy", par: str | None = None, **more) -> dict:
        fasta = tmp_path / "ref.fa"
        fasta.write_text(">x\nACGT\n")
        (tmp_path / "ref.fa.fai").write_text("".join(f"{c}\t{n}\t3\t60\t61\n" for c, n in lengths.items()))
        if par is not None:
            (tmp_path / "par.bed").write_text(par)
            more["par_bed"] = str(tmp_path / "par.bed")
        return {"reference": str(fasta), "name": name, **more}

    return make


def told(arguments: dict) -> str:
    with pytest.raises(GoeError) as caught:
        build.load_build(**arguments)
    return "\n".join(str(p) for p in caught.value.problems)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("chr1", "autosome"),
        ("22", "autosome"),
        ("chrX", "X"),
        ("Y", "Y"),
        ("chrM", "M"),
        ("MT", "M"),
        ("chrMT", "M"),
        ("chr23", None),
        ("chr0", None),
        ("chr01", None),
        ("chr1_KI270706v1_random", None),
        ("HLA-A", None),
        ("chrUn", None),
        ("Chr1", None),
    ],
)
def test_contig_class(name, kind):
    assert build.contig_class(name) == kind


@given(
    st.dictionaries(st.sampled_from(["chr1", "chr20", "chrX", "chrY", "chrM"]), st.integers(1, 500), min_size=1),
    st.integers(1, 600),
)
def test_regions_cover_every_primary_contig_exactly_once(contigs, size):
    whole = build.Build("toy", contigs, [])
    found = build.regions(whole, size)
    seen = [(r.contig, p) for r in found.values() for p in range(r.start, r.end + 1)]
    assert sorted(seen) == sorted((c, p) for c, n in contigs.items() for p in range(1, n + 1))
    assert all(r.end - r.start + 1 <= size for r in found.values())
    assert all(name == f"{r.contig}_{r.start}_{r.end}" for name, r in found.items())
    assert list(dict.fromkeys(r.contig for r in found.values())) == list(contigs)


@given(
    st.lists(st.integers(1, 100), min_size=4, max_size=4, unique=True),
    st.sampled_from(["chrX", "chrY"]),
)
def test_class_breaks_agree_with_region_class(borders, contig):
    a, b, c, d = sorted(borders)
    whole = build.Build("toy", {contig: 100}, [(contig, a, b), (contig, c, d)])
    runs = build.class_breaks(whole, contig)
    flat = [kind for start, end, kind in runs for _ in range(start, end + 1)]
    assert flat == [whole.region_class(contig, p) for p in range(1, 101)]


def test_region_class_at_the_borders_of_grch38(reference):
    whole = build.load_build(**reference(GRCH38, "GRCh38"))
    expected = {
        ("chr20", 1): build.REGION_DIPLOID,
        ("chrX", 10000): build.REGION_X,
        ("chrX", 10001): build.REGION_DIPLOID,
        ("chrX", 2781479): build.REGION_DIPLOID,
        ("chrX", 2781480): build.REGION_X,
        ("chrX", 155701383): build.REGION_DIPLOID,
        ("chrX", 156030895): build.REGION_DIPLOID,
        ("chrX", 156030896): build.REGION_X,
        ("chrY", 10000): build.REGION_Y,
        ("chrY", 10001): build.REGION_Y_PAR,
        ("chrY", 56887903): build.REGION_Y_PAR,
        ("chrY", 57217416): build.REGION_Y,
        ("chrM", 1): build.REGION_M,
    }
    assert {place: build.region_class(whole, *place) for place in expected} == expected


def test_par_of_grch37_takes_the_names_of_the_fasta(reference):
    whole = build.load_build(**reference(GRCH37, "GRCh37"))
    assert whole.par == [
        ("X", 60001, 2699520),
        ("X", 154931044, 155260560),
        ("Y", 10001, 2649520),
        ("Y", 59034050, 59363566),
    ]


def test_wrong_build_is_named(reference):
    message = told(reference({"chr20": 63025520}, "GRCh38"))
    assert "chr20 has 63025520 bases where GRCh38 has 64444167; it looks like GRCh37" in message
    assert "set reference.build to GRCh37" in message


def test_a_slice_needs_a_name_of_its_own(reference):
    assert "give the build another name" in told(reference({"chr20": 10200000}, "GRCh37"))
    assert build.load_build(**reference({"chr20": 10200000}, "hg19-slice")).contigs == {"chr20": 10200000}


def test_other_spellings_of_builds(reference):
    assert "hg38 is not a build name here -> write GRCh38" in told(reference({"chr20": 64444167}, "hg38"))


def test_primary_contigs_and_their_order(reference):
    contigs = {"chr20": 9, "chrUn_1": 4, "chr1": 8, "HLA-A": 2}
    whole = build.load_build(**reference(contigs))
    assert list(whole.contigs) == ["chr20", "chr1"] and whole.all_contigs == contigs
    assert list(build.load_build(**reference(contigs, wanted=["chr1"])).contigs) == ["chr1"]
    assert "chr2 is not in" in told(reference(contigs, wanted=["chr2"]))
    assert "it is named chr1 there" in told(reference(contigs, wanted=["1"]))
    assert "HLA-A is not a primary human contig" in told(reference(contigs, wanted=["HLA-A"]))
    assert "no primary contig" in told(reference({"scaffold1": 5}))
    assert "chrM and MT are the same chromosome" in told(reference({"chrM": 5, "MT": 5}))


def test_par_of_other_builds(reference):
    contigs = {"chrX": 100, "chrY": 50}
    assert "pseudo-autosomal regions are not built in" in told(reference(contigs))
    whole = build.load_build(**reference(contigs, par="chrX\t10\t20\tPAR1\nchrY\t10\t20\tPAR1\n"))
    assert whole.par == [("chrX", 11, 20), ("chrY", 11, 20)]
    assert "no pseudo-autosomal region for chrY" in told(reference(contigs, par="chrX\t10\t20\n"))
    assert "ends behind the contig" in told(reference(contigs, par="chrX\t10\t200\nchrY\t1\t2\n"))
    assert "not a BED interval" in told(reference(contigs, par="chrX\t20\t10\n"))
    assert "contig X is not in the reference" in told(reference(contigs, par="X\t1\t2\nchrY\t1\t2\n"))
    assert "overlap" in told(reference(contigs, par="chrX\t1\t9\nchrX\t5\t12\nchrY\t1\t2\n"))
    assert build.load_build(**reference({"chr1": 5})).par == []


def test_indexes_of_the_fasta(tmp_path):
    fasta = tmp_path / "ref.fa"
    arguments = {"reference": str(fasta), "name": "toy"}
    assert "no such file" in told(arguments)
    fasta.write_text(">chr1\nACGT\n")
    assert f"samtools faidx {fasta}" in told(arguments)
    with gzip.open(fasta, "wb") as handle:
        handle.write(b">chr1\nACGT\n")
    assert "compressed with gzip, not bgzip" in told(arguments)
    fasta.write_bytes(bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000"))
    message = told(arguments)
    assert "ref.fa.gzi" in message and "ref.fa.fai" in message


@pytest.mark.parametrize("name", build.NAMED_BUILDS)
def test_resources_are_whole(name):
    known = build.known_lengths(name)
    assert set(known) == {*(str(i) for i in range(1, 23)), "X", "Y", "M"}
    for contig, start, end in bed.read_bed(build.REGIONS_OF_BUILDS / f"{name}.par.bed"):
        assert 1 <= start < end <= max(known[build.canonical(contig)])


def test_recognise():
    assert build.recognise(GRCH37) == "GRCh37"
    assert build.recognise(GRCH38) == "GRCh38"
    assert build.recognise({"chrM": 16569}) is None
