"""The page in headless Chromium, from disk: the look-up gives the released numbers, nothing asks a network."""

import json

import pytest
from goe.release.report import callable_steps
from goe.release.report import page as report_page
from helpers import browser, report_facts
from helpers.public_blocks import blocks

pytestmark = browser.needed

ALLELES = 24_000
BUSY = "document.getElementById('answer').hasAttribute('aria-busy')"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The same release with its table in the page and beside it, and the blocks it is of."""
    root = tmp_path_factory.mktemp("release")
    facts = report_facts.facts(root, alleles=ALLELES, size=2048)
    out = {}
    for name, limit in (("inside", 10**9), ("beside", 0)):
        (root / name).mkdir()
        report_page.write(root / name, **facts, embed_up_to=limit)
        out[name] = root / name
    assert not (out["inside"] / "report-data").exists() and (out["beside"] / "report-data").is_dir()
    return out


@pytest.fixture(scope="module")
def released():
    """Alleles as plain tuples by contig: (pos, ref, alt, filter, faf95, {stratum: numbers or None})."""
    out = {}
    for contig in report_facts.CONTIGS:
        rows = out[contig["name"]] = []
        for one in blocks(contig["name"], ALLELES):
            n = one.numbers
            arrays = (n.ac, n.an, n.ac_hom, n.ac_het, n.ac_hemi, n.nhomalt)
            for i in range(len(one)):
                numbers = {
                    s: tuple(int(x[k, i]) for x in arrays) if one.mask[k, i] else None for k, s in enumerate(one.strata)
                }
                faf = one.statistics["faf95"][i]
                rows.append(
                    (one.pos[i].as_py(), one.ref[i].as_py(), one.alt[i].as_py(), one.filter[i].as_py(), faf, numbers)
                )
    return out


def ask(page, query):
    """Type a query and read the answer, as {heading, trouble, nothere, hits, filter, faf95, rows, list}."""
    page.run(f"document.getElementById('query').value = {json.dumps(query)}")
    page.run("document.getElementById('answer').replaceChildren()")
    page.run("document.querySelector('#ask button').click()")
    page.wait(f"document.getElementById('answer').childNodes.length && !{BUSY}")
    return json.loads(
        page.run(
            """(() => {
              const text = (selector) => document.querySelector('#answer ' + selector)?.textContent ?? null;
              const rows = (selector) => [...document.querySelectorAll('#answer ' + selector + ' tbody tr')].map(
                (row) => [...row.cells].map((cell) => cell.textContent.trim()));
              return JSON.stringify({heading: text('h3'), trouble: text('#trouble'), nothere: text('#nothere'),
                hits: text('#hits'), faf95: text('#faf95'), rows: rows('#numbers'), list: rows('.list'),
                filters: [...document.querySelectorAll('#answer .answerline .ok, #answer .answerline .chip')].map(
                  (chip) => chip.textContent),
                af: [...document.querySelectorAll('#answer #numbers td[title^="AF "]')].map(
                  (cell) => cell.title.slice(3)),
                words: document.getElementById('answer').innerText});
            })()"""
        )
    )


def check_detail(found, contig, allele):
    pos, ref, alt, reasons, faf, numbers = allele
    assert found["heading"] == f"{contig}-{pos}-{ref}-{alt}"
    assert found["filters"] == reasons.split(";")
    assert float(found["faf95"]) == pytest.approx(faf, rel=1e-3)
    assert [row[0].split()[0] for row in found["rows"]] == list(numbers)
    afs = iter(found["af"])
    for row, (stratum, n) in zip(found["rows"], numbers.items(), strict=True):
        cells = [cell.replace(",", "") for cell in row[2:]]
        if n is None:
            assert cells == ["withheld"], stratum
            continue
        ac, an, hom, het, hemi, nhomalt = n
        assert cells[:2] == [str(ac), str(an)]
        assert cells[4:] == [str(hom), str(het), str(hemi), str(nhomalt)]
        if an:
            # The whole double is in the title, four digits are shown.
            assert float(next(afs)) == ac / an
            assert float(cells[2]) == pytest.approx(ac / an, rel=1e-3)
        else:
            assert cells[2] == "–"


def picks(rows):
    """Alleles of every kind: all public, Total only, filtered, an insertion, a deletion, the first, the last."""
    wanted = [
        lambda a: all(n is not None for n in a[5].values()) and a[5]["Total"][0] > 0,
        lambda a: None in a[5].values(),
        lambda a: ";" in a[3],
        lambda a: len(a[1]) == 1 < len(a[2]),
        lambda a: len(a[2]) == 1 < len(a[1]),
        lambda a: len(a[1]) > 1 < len(a[2]),
    ]
    return [next(a for a in rows[len(rows) // 3 :] if test(a)) for test in wanted] + [rows[0], rows[-1]]


@pytest.mark.parametrize("where", ["inside", "beside"])
def test_lookup_gives_the_released_numbers(watched, folders, released, where):
    watched.open(folders[where] / "report.html")
    for contig, rows in released.items():
        for allele in picks(rows):
            check_detail(ask(watched, f"{contig}-{allele[0]}-{allele[1]}-{allele[2]}"), contig, allele)
    # Ploidy: hemizygous men on X.
    x = next(a for a in released["chrX"] if a[5]["M"] and a[5]["M"][4])
    check_detail(ask(watched, f"X:{x[0]} {x[1]}>{x[2]}"), "chrX", x)
    asked = [url for url in watched.requests if "report-data" in url]
    assert len(set(asked)) > 2 if where == "beside" else not asked


@pytest.mark.parametrize(
    "form",
    [
        "chr20-{p}-{r}-{a}",
        "20-{p}-{r}-{a}",
        "20:{p} {r}>{a}",
        "chr20:{c} {r}>{a}",
        "chr20:{p}:{r}:{a}",
        "20:g.{p}{r}>{a}",
        " CHR20 {p} {l} {b} ",
        "chr20\t{p}\trs123\t{r}\t{a}",
        "chr20\t{p}\t.\t{r}\t{a}",
        "chr20_{p}_{r}_{a}",
        "20\u2013{p}\u2013{r}\u2013{a}",
        "20-{q}-CT{r}GG-CT{a}GG",
        "NC_000020.11:{s}:{r}:{a}",
        "nc_000020.11:g.{p}{r}>{a}",
    ],
)
def test_alleles_may_be_written_in_many_ways(watched, folders, released, form):
    p, r, a, *_ = allele = picks(released["chr20"])[0]
    watched.open(folders["inside"] / "report.html")
    query = form.format(p=p, c=f"{p:,}", r=r, a=a, l=r.lower(), b=a.lower(), q=p - 2, s=p - 1)
    check_detail(ask(watched, query), "chr20", allele)


def test_an_address_runs_its_query(watched, folders, released):
    p, r, a, *_ = allele = picks(released["chr20"])[1]
    watched.open(folders["beside"] / "report.html", f"#q=20%3A{p}%20{r}%3E{a}")
    watched.wait("document.querySelector('#numbers')")
    assert watched.run("document.getElementById('query').value") == f"20:{p} {r}>{a}"
    check_detail(ask(watched, watched.run("document.getElementById('query').value")), "chr20", allele)


def overlap(rows, start, end):
    return [a for a in rows if a[0] <= end and a[0] + len(a[1]) - 1 >= start]


def test_regions_list_what_overlaps_them(watched, folders, released):
    rows = released["chr20"]
    watched.open(folders["beside"] / "report.html")
    deletion = next(a for a in rows[500:] if len(a[2]) == 1 < len(a[1]))
    inside = deletion[0] + len(deletion[1]) - 1
    for start, end in ((rows[40][0], rows[90][0]), (inside, inside), (rows[-1][0], 60_000_000)):
        expected = overlap(rows, start, end)
        found = ask(watched, f"chr20:{start:,}-{end:,}" if end > start else f"20:{start}")
        assert [row[0] for row in found["list"]] == [f"chr20-{p}-{r}-{a}" for p, r, a, *_ in expected]
        assert found["hits"].startswith(f"{len(expected):,} allele")
        for row, a in zip(found["list"], expected, strict=True):
            ac, an = a[5]["Total"][:2]
            assert [cell.replace(",", "") for cell in row[3:5]] == [str(ac), str(an)]
    assert deletion in overlap(rows, inside, inside) and deletion[0] < inside


def test_long_lists_come_in_pages_and_rows_lead_on(watched, folders, released):
    rows = released["chr20"]
    watched.open(folders["beside"] / "report.html")
    found = ask(watched, "chr20")
    assert len(found["list"]) == 100
    assert found["hits"].startswith(f"{len(rows):,} alleles, the first 100 shown")
    watched.run("document.querySelector('#answer button').click()")
    watched.wait("document.querySelectorAll('#answer .list tbody tr').length === 200")
    shown = watched.run("[...document.querySelectorAll('#answer .list tbody th')].map((cell) => cell.textContent)")
    assert shown == [f"chr20-{p}-{r}-{a}" for p, r, a, *_ in rows[:200]]
    watched.run("document.querySelectorAll('#answer .list tbody a')[150].click()")
    watched.wait("document.querySelector('#numbers')")
    assert watched.run("document.querySelector('#answer h3').textContent") == shown[150]


def test_what_is_not_there_is_not_absent(watched, folders, released):
    rows = released["chr20"]
    watched.open(folders["inside"] / "report.html")
    p, r, a, *_ = rows[700]
    here = {alt for pos, ref, alt, *_ in rows if (pos, ref) == (p, r)} | {r}
    other = next((b for b in "ACGT" if b not in here), "ACGTACGTACGT")
    found = ask(watched, f"20-{p}-{r}-{other}")
    assert f"chr20-{p}-{r}-{a}" in [row[0] for row in found["list"]] and not found["rows"]
    empty = ask(watched, "chr20:1-100")
    assert "not the same as absent" in empty["nothere"]
    several = ask(watched, "20-100-AC-GT")
    assert "chr20-100-A-G" in several["words"] and "chr20-101-C-T" in several["words"]


@pytest.mark.parametrize("where", ["inside", "beside"])
def test_rs_numbers_lead_to_their_alleles(watched, folders, released, where):
    watched.open(folders[where] / "report.html")
    by = {}
    for contig, rows in released.items():
        for allele in rows:
            if rs := report_facts.rs_number(allele[0]):
                by.setdefault(rs, []).append((contig, allele))
    one = [rs for rs, named in by.items() if len(named) == 1]
    for rs in (one[0], one[len(one) // 2], max(one, key=lambda rs: int(rs[2:]))):
        check_detail(ask(watched, rs), *by[rs][0])
    several = next(rs for rs, named in by.items() if len({contig for contig, _ in named}) == 2)
    found = ask(watched, several.upper())
    assert [row[0] for row in found["list"]] == [f"{c}-{p}-{r}-{a}" for c, (p, r, a, *_) in by[several]]
    assert "names no allele of this release" in ask(watched, "rs1")["nothere"]


def test_what_is_not_listed_is_told_by_callable_an(watched, folders, released):
    """Nobody called, or an AN between two edges; on X more may be withheld, and said to be."""
    total = report_facts.public_blocks.people()["Total"]
    edges = [0, *callable_steps.edges(total)]
    for where, contig in (("inside", "chr20"), ("beside", "chr20"), ("inside", "chrX")):
        watched.open(folders[where] / "report.html")
        starts, an = zip(
            *((s, n) for t in report_facts.runs(60_000_000) for s, n in zip(*t.to_pydict().values(), strict=True)),
            strict=True,
        )
        last = max(a[0] + len(a[1]) for a in released[contig])
        runs = [i for i, start in enumerate(starts) if start > max(last, 3_000_000)][:6]
        for i in runs:
            for pos in (starts[i] + 1, starts[i + 1]):
                told = ask(watched, f"{contig}-{pos}-A-G")["nothere"]
                if an[i] == 0:
                    assert told.startswith("Not listed: outside of the callable genome, nobody, or of each group fewer")
                elif contig == "chrX":
                    assert told.endswith("on X and Y more than the floor can be withheld, so that says nothing.")
                else:
                    least = max(edge for edge in edges if edge <= an[i])
                    above = [edge for edge in edges if edge > an[i]]
                    span = f"{least:,} to {above[0] - 1:,}" if above else f"{least:,} or more"
                    assert told.startswith(
                        "Callable, and not listed: nobody carries it, or it is withheld, and then 1 to 4"
                    )
                    assert told.endswith(f"(AN {span}).")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("ga4gh:VA.1234", "is an identifier of GA4GH"),
        ("NM_000041.4:c.388T>C", "on a transcript"),
        ("NC_000020.11:g.331_333del", "leaves out bases of the reference"),
        ("NC_000020.11:330:A:", "leaves out bases of the reference"),
        ("NC_000001.11:330:A:C", "NC_000001.11 is no contig of this release"),
        ("chr7-100-A-G", "chr7 is no contig of this release, which has chr20, chrX"),
        ("chr20-99999999999-A-G", "positions 1 to 64,444,167"),
        ("chr20-0-A-G", "positions 1 to"),
        ("chr20-100-A-N", "A, C, G and T"),
        ("chr20-100-A-a", "the same"),
        ("chr20:200-100", "ends (100) before it starts (200)"),
        ("what is this?", "Ask for an allele as"),
        ("<img src=x onerror=alert(1)>", "Ask for an allele as"),
    ],
)
def test_what_cannot_be_understood_is_said(watched, folders, query, words):
    watched.open(folders["inside"] / "report.html")
    found = ask(watched, query)
    assert words in found["trouble"]
    assert not watched.run("document.querySelectorAll('#answer img').length")


def test_a_page_without_its_folder_or_with_that_of_another_release_says_so(chromium, folders, released, tmp_path):
    text = (folders["beside"] / "report.html").read_text(encoding="utf-8")
    (tmp_path / "report.html").write_text(text, encoding="utf-8")
    p, r, a, *_ = released["chr20"][0]
    chromium.open(tmp_path / "report.html")
    assert "Open this page from the whole release folder" in ask(chromium, f"20-{p}-{r}-{a}")["trouble"]
    data = (folders["beside"] / "report-data/chr20.000.js").read_text()
    (tmp_path / "report-data").mkdir()
    target = tmp_path / "report-data/chr20.000.js"
    target.write_text(data.replace(report_facts.DATASET, "GOE-LV-X-20260101000000000"))
    chromium.open(tmp_path / "report.html")
    assert "belongs to GOE-LV-X-20260101000000000" in ask(chromium, f"20-{p}-{r}-{a}")["trouble"]
    first = json.loads("[" + data.removeprefix("goeLookup(").removesuffix(");\n") + "]")
    first[3][0] = first[3][1]
    target.write_text(f"goeLookup({','.join(map(json.dumps, first))});")
    chromium.open(tmp_path / "report.html")
    assert "not the one this page was made with" in ask(chromium, f"20-{p}-{r}-{a}")["trouble"]


def test_the_watch_would_see_an_error_and_a_request(chromium, tmp_path):
    """The other tests rest on it: a page that does what ours must not."""
    bad = tmp_path / "bad.html"
    bad.write_text('<script>console.error("heard"); fetch("https://example.org/asked").catch(() => {});</script>')
    chromium.requests.clear()
    chromium.troubles.clear()
    chromium.open(bad)
    assert "https://example.org/asked" in chromium.requests
    assert any("heard" in trouble for trouble in chromium.troubles)


def test_the_policy_stops_scripts_and_requests_that_got_in(chromium, folders, tmp_path):
    text = (folders["inside"] / "report.html").read_text(encoding="utf-8")
    page = tmp_path / "report.html"
    page.write_text(text.replace("</body>", "<script>window.pwned = 1</script></body>"), encoding="utf-8")
    chromium.open(page)
    assert chromium.run("window.pwned === undefined")
    assert chromium.run("fetch('https://example.org/').then(() => 'went', () => 'stopped')") == "stopped"
    assert any("Content Security Policy" in trouble for trouble in chromium.troubles)


def test_page_fits_a_phone_and_has_no_script_from_its_texts(folders, tmp_path):
    facts = report_facts.facts(tmp_path, alleles=2000)
    evil = "</script><script>window.pwned=1</script><img src=x onerror='window.pwned=1'>"
    about = facts["about"] | {"title": evil, "description": evil * 5, "publisher": evil}
    report_page.write(tmp_path, **facts | {"about": about})
    with browser.Browser(width=360, height=800, dark=True) as phone:
        phone.open(tmp_path / "report.html", "#q=chr20%3A1-1000000")
        phone.wait("document.querySelector('#hits')")
        assert phone.run("document.documentElement.scrollWidth") <= 360
        assert phone.run("document.querySelector('h1').textContent") == evil
        assert phone.run("window.pwned === undefined")
        assert phone.run("getComputedStyle(document.body).backgroundColor") == "rgb(17, 22, 28)"
        assert phone.troubles == []
        # Countries have their names, which are the browser's.
        assert "Estonia" in phone.run("document.getElementById('cohort').textContent")
        assert all(url.startswith(("file:///", "data:", "about:blank")) for url in phone.requests)
