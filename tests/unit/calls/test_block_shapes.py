"""A block that is written as an earlier one says what it says by itself."""

import contextlib
import io
import re

import pytest
from goe.calls import own_file
from goe.calls.block_shapes import Shapes, follow
from goe.calls.own_file import OwnFile, listed
from goe.core.errors import GoeError
from goe.hts.text import padded
from hypothesis import example, given, settings
from hypothesis import strategies as st

CONTIGS = {"chr1": 10**6, "chr2": 10**6}
HEAD = "##fileformat=VCFv4.2\n" + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tP\n"
# GATK, DeepVariant, DRAGEN, Strelka, bcftools, VCF 4.5, and what else a block may have.
FORMS = (
    "GT:DP:GQ:MIN_DP:PL", "GT:GQ:MIN_DP:PL", "GT:AD:DP:GQ:MIN_DP:PL", "GT:GQX:DP:DPF:MIN_DP", "GT:DP:GQ", "GQ:DP:GT",
    "GT:DP:GQ:LEN", "GT:FT:DP:GQ", "GT:DP:GQ:FT", "GT:DP:PL", "GT:GQX:GQ:DP", "GT:GQX:PL:DP", "GT:DP", "DP:GQ",
)  # fmt: skip
INFOS = ("END={}", "END={}", ".", "END={};MinDP=4", "MinDP=7;END={}", "END=.", "BLOCK;END={}", "END={};END=3")
NUMBERS_OF = (
    "30",
    "8",
    "20",
    "99",
    "0",
    "19",
    "123456789",
    "1234567890123456",
    "",
    ".",
    "5.5",
    "-1",
    "+3",
    "1e2",
    "7x",
)
LISTS = ("0,30,300", "12,0", "3", ".", "", "9,x")


@st.composite
def line(draw):
    """A row without its position, mostly of the plainest form."""
    rare = st.integers(0, 9).map(lambda n: n == 0)
    form, info = draw(st.sampled_from(FORMS[:5])), draw(st.sampled_from(INFOS[:3]))
    if draw(rare):
        form, info = draw(st.sampled_from(FORMS)), draw(st.sampled_from(INFOS))
    wild = draw(rare)
    values = []
    for key in form.split(":"):
        if key == "GT":
            values.append(
                draw(st.sampled_from(("0/0", "./.", "0", "0|0", "0/1", "", "|0") if wild else ("0/0", "./.")))
            )
        elif key == "FT":
            values.append(draw(st.sampled_from(("PASS", "LowQ", "."))))
        elif key in ("AD", "PL"):
            values.append(draw(st.sampled_from(LISTS if wild else LISTS[:1])))
        else:
            values.append(draw(st.sampled_from(NUMBERS_OF if wild else NUMBERS_OF[:6])))
    if draw(rare):
        values = values[: draw(st.integers(0, len(values)))]
    if draw(rare):
        values += draw(st.sampled_from((["5"], [""], ["a\tb"])))
    end = str(draw(st.integers(1, 2000))) if not wild else draw(st.sampled_from(NUMBERS_OF))
    ref = draw(st.sampled_from(("A", "C", "a"))) if not draw(rare) else draw(st.sampled_from(("AC", "", "N", "\t")))
    alt = "<NON_REF>" if not draw(rare) else draw(st.sampled_from(("<*>", ".", "C,<NON_REF>", "C")))
    contig = "chr1" if not draw(rare) else "chr2"
    rest = [".", ref, alt, ".", "." if not draw(rare) else "q", info.format(end), form, ":".join(values)]
    return contig, rest, "\r" if draw(rare) and draw(rare) else ""


def text_of(lines):
    """In order, now and then with a position that is none."""
    rows, pos = [], 0
    for n, (contig, rest, cr) in enumerate(sorted(lines, key=lambda one: one[0])):
        pos += n * 37 % 900
        rows.append("\t".join([contig, str(pos), *rest]) + cr + "\n")
    return "".join(rows)


class Text(OwnFile):
    """Rows that are in no file."""

    def __init__(self, rows):
        super().__init__("rows", "P", CONTIGS, {}, blocks=True)
        self._rows = rows

    @contextlib.contextmanager
    def _opened(self):
        yield io.BytesIO((HEAD + self._rows).encode())


def told(rows):
    """What a file with these rows says, or what it stops with."""
    file, found = Text(rows), []
    try:
        for chunk in file:
            b = chunk.blocks
            columns = [column.tolist() for column in b]
            found += [(chunk.contig, *block) for block in zip(*columns, strict=True)]
            found += [(chunk.contig, row) for row in listed(chunk.rows, file.reasons)]
    except GoeError as error:
        return str(error)
    return sorted(map(str, found)), file.records


def one_by_one(data, at, stop, *others):
    """The kernel as if every row were the first."""
    end = at + data[at:stop].tobytes().index(b"\n") + 1
    return SCAN(data, at, end, *(Shapes.none() if isinstance(one, Shapes) else one for one in others))


SCAN = own_file._scan


def both(rows):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(own_file, "_scan", one_by_one)
        alone = told(rows)
    return told(rows), alone


@settings(max_examples=300, deadline=None)
@given(st.lists(line(), min_size=2, max_size=12))
@example(
    [("chr1", [".", ref, "<*>", ".", ".", "END=9", "GT:DP:GQ", "0/0:30:50"], "") for ref in ("A", "\t", "\n", "A")]
)
def test_rows_are_read_as_if_each_were_the_first(lines):
    together, alone = both(text_of(lines))
    assert together == alone


@pytest.mark.parametrize(
    ("before", "after", "fits"),
    [
        ("END=20 GT:DP:GQ 0/0:30:50", "END=21 GT:DP:GQ 0/0:19:94", True),
        ("END=20 GT:DP:GQ 0/0:30:50", "END=21 GT:DP:GQ 0/0:9:94", False),
        ("END=20 GT:DP:GQ 0/0:30:50", "END=121 GT:DP:GQ 0/0:19:94", False),
        ("END=20 GT:DP:GQ 0/0:30:50", "END=21 GT:DP:GQ 0|0:19:94", False),
        ("END=20 GT:DP:GQ 0/0:30:50", "END=21 GT:DP:GQ 0/0:19:.", False),
        ("END=20 GT:DP:GQ 0/0:30:5", "END=21 GT:DP:GQ 0/0:19:.", False),
        ("END=20 GT:DP:GQ 0/0:30:500", "END=21 GT:DP:GQ 0/0:19:4.5", False),
        ("END=20 GT:DP:GQ 0/0:30:50", "END=21 GT:DP:GQ 0/0:19:947", False),
        ("END=20 GT:DP:GQ 0/0:30:50", "END=21 GT:DP:GQ 0/0:19:94\t3", False),
        ("END=20 GT:DP:GQ 0/0:30:50", "END=21 GT:DP:GQ 0/0:19:94:3", True),
        ("END=20 GT:DP:GQ 0/0:30:50", "END=21;A=3 GT:DP:GQ 0/0:19:94", False),
        ("END=20;A=533 GT:DP:GQ 0/0:30:50", "END=21;END=3 GT:DP:GQ 0/0:19:94", True),
        ("END=20;A=533 GT:DP:GQ 0/0:30:50", "END=21;EN\t=3 GT:DP:GQ 0/0:19:94", False),
        (". GT:DP:GQ:LEN 0/0:30:50:92", ". GT:DP:GQ:LEN 0/0:30:50:11", True),
        (". GT:DP:GQ:LEN 0/0:30:50:.", ". GT:DP:GQ:LEN 0/0:30:50:.", False),
        ("END=20 GT:DP:GQ:MIN_DP:PL 0/0:3:50:3:0,9", "END=21 GT:DP:GQ:MIN_DP:PL 0/0:.:50:4:.", True),
        ("END=20 GT:A:DP:GQ 0/0:3:50:3", "END=21 GT:A:DP:GQ 0/0:a:50:4", False),
        ("END=20 GT:A:DP:GQ 0/0:a:50:3", "END=21 GT:A:DP:GQ 0/0:_:50:4", True),
        ("END=20 GT:A:DP:GQ 0/0:a:50:3", "END=21 GT:A:DP:GQ 0/0:::50:4", False),
        ("END=20 GT:DP:GQ:MIN_DP 0/0:30:50:.", "END=21 GT:DP:GQ:MIN_DP 0/0:30:50:3", False),
        ("END=20 GT:DP:GQ:MIN_DP 0/0:30:50", "END=21 GT:DP:GQ:MIN_DP 0/0:30:50:3", False),
        ("END=20 GT:DP:GQ:FT 0/0:30:50", "END=21 GT:DP:GQ:FT 0/0:30:50:q", False),
        ("END=20 GT:DP:GQ:FT 0/0:30:50:q", "END=21 GT:DP:GQ:FT 0/0:31:50:q", True),
        ("END=20 GT:DP:GQ:FT 0/0:30:50:q", "END=21 GT:DP:GQ:FT 0/0:31:50:PASS", False),
        ("END=20 GT:GQX:DP 0/0:30:50", "END=21 GT:GQX:DP 0/0:31:50", True),
        ("END=20 GT:DP:PL 0/0:30:0,50", "END=21 GT:DP:PL 0/0:30:0,50", False),
        ("END=20;MinDP=4 GT:GQ 0/0:30", "END=20;MinDP=4 GT:GQ 0/0:30", False),
    ],
)
def test_what_fits(monkeypatch, before, after, fits):
    """A row fits where only digits are other ones, and what nobody asks; what it says is the same in any case."""
    rows = ["\t".join(["chr1", str(pos), ".", "A", "<*>", ".", ".", *text.split(" ")]) for pos, text in
            ((11, before), (12, after))]  # fmt: skip
    seen = []
    monkeypatch.setattr(own_file, "_scan", lambda *args: seen.append(args) or SCAN(*args))
    told("\n".join(rows[:1]) + "\n")
    [shapes] = {id(one): one for args in seen for one in args if isinstance(one, Shapes) and one.turn[1]}.values() or [
        Shapes.none()
    ]
    end, _ = follow(padded(rows[1].encode() + b"\n"), 0, shapes)
    assert end == (len(rows[1]) if fits else -1)
    monkeypatch.undo()
    together, alone = both("".join(row + "\n" for row in rows))
    assert together == alone and (re.search("no row of ten", str(together)) is None) == ("\t" not in after)


def test_a_file_of_many_shapes(monkeypatch):
    """More than are kept, and one too long for any."""
    forms = [":".join(["GT", *extra, "DP", "GQ"]) for extra in ([], ["A"], ["B"], ["C"], ["D"], ["E"], ["F" * 300])]
    lines = []
    for n in range(40):
        form = forms[n * n % 7]
        values = ":".join(["0/0", *["1"] * (form.count(":") - 2), str(n % 30), str(n)])
        lines.append(("chr1", [".", "A", "<*>", ".", ".", f"END={n + 9}", form, values], ""))
    together, alone = both(text_of(lines))
    assert together == alone and together[1] == 40
