"""The page says what the facts say, is well-formed, escapes everything and may load nothing."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from goe.core.errors import GoeError
from goe.pages import html, svg
from goe.release.report import callable_steps, rs_numbers
from goe.release.report import lookup as report_lookup
from goe.release.report import page as report_page
from goe.release.report.spectrum import Spectrum, combine
from helpers import report_facts
from helpers.blocks import LEAVES, block, with_other_hidden_numbers
from helpers.public_blocks import blocks

VOID = {"meta", "link", "input", "br"}
EVIL = "</title></script><script>window.pwned=1</script><img src=x onerror=pwned()>\"'&@@script@@\u2028"


class Page(HTMLParser):
    """Elements of a page, with a complaint about every tag that is not closed in its place."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.faults = [], [], []
        self.texts: dict[int, str] = {}
        self.feed(text)
        self.close()
        self.faults += [f"{tag} is not closed" for tag, _ in self.open]

    def handle_starttag(self, tag, attrs):
        if len(dict(attrs)) != len(attrs):
            self.faults.append(f"{tag} has an attribute twice")
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append((tag, len(self.elements) - 1))

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop()[0] != tag:
            self.faults.append(f"{tag} is closed out of place at {self.getpos()}")

    def handle_data(self, data):
        for _, i in self.open:
            self.texts[i] = self.texts.get(i, "") + data

    def all(self, tag, **attributes):
        """(attributes, text) of elements."""
        return [
            (found, self.texts.get(i, ""))
            for i, (name, found) in enumerate(self.elements)
            if name == tag and attributes.items() <= found.items()
        ]

    def section(self, key):
        """Text of a section, with simple spaces."""
        return self.all("section", id=key)[0][1].replace("\u202f", " ")


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    return report_facts.facts(tmp_path_factory.mktemp("facts"), alleles=4000)


def made(folder, facts, **changes):
    names = report_page.write(folder, **facts | changes)
    return Page((folder / names[0]).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def page(facts, tmp_path_factory):
    return made(tmp_path_factory.mktemp("page"), facts)


def test_page_is_well_formed(page):
    assert page.faults == []
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    wanted = [i for _, a in page.elements for i in a.get("aria-labelledby", "").split()]
    wanted += [a["href"][1:] for a, _ in page.all("a") if a["href"].startswith("#") and "=" not in a["href"]]
    wanted += [a["for"] for a, _ in page.all("label")]
    assert set(wanted) <= set(ids)
    assert len(page.all("h1")) == 1


def test_every_plot_has_a_title_a_description_and_a_table(page):
    plots = page.all("svg", role="img")
    assert len(plots) >= 9
    words = {a["id"]: text for tag in ("title", "desc") for a, text in page.all(tag) if "id" in a}
    for attributes, _ in plots:
        title, description = attributes["aria-labelledby"].split()
        assert words[title].strip() and re.search(r"\d", words[description])
    assert all("aria-hidden" in a or a.get("role") == "img" for a, _ in page.all("svg"))
    tags = [(tag, a.get("id")) for tag, a in page.elements if tag in ("section", "svg", "table")]
    sections = "".join({"section": "\n", "svg": "p", "table": "t"}[tag] for tag, _ in tags).split("\n")
    assert all("t" in section for section in sections if "p" in section)


def test_page_allows_itself_nothing_but_its_own_script_and_style(page, facts):
    policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0][0]["content"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))

    def digest(text):
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    scripts = [text for a, text in page.all("script") if "type" not in a]
    assert len(scripts) == 1 and len(page.all("style")) == 1
    assert rules == {
        "default-src": "'none'",
        "script-src": digest(scripts[0]),
        "style-src": digest(page.all("style")[0][1]),
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    for tag, attributes in page.elements:
        assert not attributes.keys() & {"src", "style", "srcset", "onclick", "onload"}, tag
        assert tag in ("a", "link") or "href" not in attributes
    assert [a["href"] for a, _ in page.all("link")] == ["data:,"]
    style = page.all("style")[0][1]
    assert "url(" not in style and "@import" not in style and "@font-face" not in style
    links = {a["href"] for a, _ in page.all("a") if not a["href"].startswith("#")}
    about = facts["about"]
    assert links == {about["license"], about["contact"]["url"], f"mailto:{about['contact']['email']}"}


def test_files_beside_the_page_are_the_only_other_scripts(facts, tmp_path):
    page = made(tmp_path, facts, embed_up_to=0)
    policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0][0]["content"]
    assert re.search(r"script-src 'sha256-[^']+' 'self' file:;", policy)
    names = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file())
    tracks = [f"{contig}{of}.000" for contig in ("chr20", "chrX") for of in ("", ".callable", ".rs")]
    assert names == [*(f"report-data/{track}.js" for track in tracks), "report.html"]
    assert "report-data/ beside this page" in page.section("lookup")
    assert not [a for a, _ in page.all("script") if a.get("id", "").startswith("chunk-")]
    assert "report-data/6 files of the look-up" in page.section("files")


def test_numbers_are_on_the_page(page, facts):
    spectrum, about = facts["spectrum"], facts["about"]
    alleles = sum(c["alleles"] for c in spectrum["contigs"].values())
    header = page.all("header")[0][1]
    for text in (
        about["title"],
        f"{about['number_of_people']:,}",
        f"{alleles:,}",
        "1 March 2026",
        "5 people",
        "5 of 5",
    ):
        assert text in header
    rows = {kind: c for kind, c in spectrum["classes"].items()}
    for kind, c in rows.items():
        assert f"{kind}{c['PASS']:,}{c['filtered']:,}{sum(c.values()):,}" in page.section("alleles")
    for name, n in spectrum["filters"].items():
        meaning = "All filters passed" if name == "PASS" else facts["filters"].get(name, "Filter of the input data")
        assert f"{name}{meaning}{n:,}" in page.section("filters")
    for contig, c in spectrum["contigs"].items():
        assert f"{contig}{c['PASS']:,}{c['alleles'] - c['PASS']:,}{c['alleles']:,}" in page.section("alleles")
    assert "about 4,175 people, kept 4,108, left out about 65" in page.section("cohort")
    assert "2,4001,2041,1879" in page.section("cohort")
    assert "related35" in page.section("counting") and "GQ at least 20" in page.section("counting")
    assert "Alleles withheld: about 23,405." in page.section("disclosure")
    assert "linked alleles" in page.section("disclosure")
    assert "21,450 sites" in page.section("membership") and "83 %" in page.section("membership")
    assert "no hidden cell can be pinned down" in page.section("checks")
    assert f"{facts['files'][0]['sha256'][:12]}" in page.section("files")
    assert f"University of Tartu (2026). {about['title']}. Dataset {about['id']}, GRCh38." in page.section("verify")
    assert "sha256sum -c MANIFEST.sha256" in page.section("verify")


def test_rules_say_what_they_could_not_judge(page):
    text = re.sub(r"[\s,]", "", page.section("counting"))
    assert "HWE6500heterozygotesinexcess;3495heterozygotestoofew;5inexcessheretoofewthere79000021755" in text
    assert "LowQD08217550" in text


def test_spectrum_table_has_every_bin(page, facts):
    bins = facts["spectrum"]["bins"]
    text = page.section("frequencies")
    for i, edge in enumerate(report_page.EDGES):
        if edge >= 0.001:
            numbers = "".join(f"{bins[c][v][i]:,}" for c in bins for v in ("PASS", "filtered"))
            assert f"to {svg.frequency(edge).replace(chr(0x202F), ' ')}{numbers}" in text
    n = sum(bins["SNV"]["PASS"])
    rare = [
        sum(x for x, e in zip(bins["SNV"]["PASS"], report_page.EDGES, strict=True) if e <= limit)
        for limit in (0.001, 0.01, 0.05)
    ]
    shares = "".join(f"{100 * x / n:.1f}".removesuffix(".0") + " %" for x in rare)
    assert f"SNV{n:,}{shares}" in text


def test_bars_are_as_long_as_their_numbers(facts):
    classes = facts["spectrum"]["classes"]
    rows = [(kind, [("f-snv", c["PASS"]), ("pale", c["filtered"])], "") for kind, c in classes.items()]
    whole = max(sum(c.values()) for c in classes.values())
    plot = html.environment().get_template("parts.html.j2").module.plot(svg.bars("k", "t", "d", rows, whole))
    drawn = Page(plot).all("rect")
    for kind, c in classes.items():
        i = 3 * list(classes).index(kind)
        _, passed, filtered = (a for a, _ in drawn[i : i + 3])
        assert float(passed["width"][:-1]) == pytest.approx(100 * c["PASS"] / whole, abs=0.001)
        assert float(filtered["x"][:-1]) == pytest.approx(100 * c["PASS"] / whole, abs=0.001)
        assert float(filtered["width"][:-1]) == pytest.approx(100 * c["filtered"] / whole, abs=0.001)


def test_text_from_outside_is_only_text(facts, tmp_path):
    """Title, contact, licence, files, checks and FILTER names come from a config, a sheet or an input."""
    about = facts["about"] | {
        "title": EVIL,
        "description": EVIL,
        "publisher": EVIL,
        "org": EVIL,
        "license": f"javascript:alert(1){EVIL}",
        "contact": {"fn": EVIL, "email": EVIL, "url": "javascript:alert(1)"},
        "keywords": [EVIL],
        "build": EVIL,
        "made_with": EVIL,
    }
    spectrum = facts["spectrum"] | {"filters": facts["spectrum"]["filters"] | {EVIL: 3}}
    page = made(
        tmp_path,
        facts,
        about=about,
        spectrum=spectrum,
        filters=facts["filters"] | {"LowQUAL": EVIL},
        checks=[{"name": EVIL, "passed": False, "detail": EVIL}],
        files=[{"path": f"a/{EVIL}", "size": 1, "sha256": EVIL}],
        qc=facts["qc"] | {"genotype_filter": [EVIL], "variant_qc": [EVIL]},
        disclosure=facts["disclosure"] | {"policy": EVIL, "not_covered": [EVIL]},
    )
    assert page.faults == []
    assert not page.all("img")
    assert [a.get("type") for a, _ in page.all("script") if a.get("type") != "text/plain"] == ["application/json", None]
    assert not any(a["href"].startswith("javascript") for a, _ in page.all("a"))
    raw = page.all("script", id="facts")[0][1]
    assert not set(raw) & set("<>&")
    assert json.loads(raw)["filters"]["LowQUAL"] == EVIL
    assert page.all("h1")[0][1] == EVIL
    script = page.all("script")[-1][1]
    assert script == html.resource("report/lookup.js") + html.resource("report/page.js")


def test_open_release_says_its_legal_basis(tmp_path):
    facts = report_facts.facts(tmp_path, alleles=500, k=1)
    page = made(tmp_path, facts)
    text = page.section("disclosure")
    assert "every count is published" in text and "Decision 12/2026" in text
    assert "withheld" not in page.section("frequencies")
    assert json.loads(page.all("script", id="facts")[0][1])["silence"]["callable"] == (
        "not listed, and callable: nobody carries it, AC 0 of AN {an}"
    )


def test_nobody_is_promised_what_an_open_release_does_not_keep(tmp_path, page):
    words = "No file of this release holds data of a single person"
    assert words in page.all("header")[0][1]
    head = made(tmp_path, report_facts.facts(tmp_path, alleles=500, k=1)).all("header")[0][1]
    assert words not in head and "a count can be that of one person" in head


def test_the_page_says_which_inputs_the_numbers_come_from(facts, tmp_path):
    methods = {"gvcf_adj": ["fastq", "gvcf"], "variant_sites_only": ["vcf", "joint_vcf"]}
    about = facts["about"] | {"callable_an": {"an_method": methods, "people": {}}}
    text = made(tmp_path, facts, about=about).section("dataset")
    assert "fastq, gvcf: called wherever" in text and "vcf, joint_vcf: called where the file has a row" in text
    assert "AF too high" in text
    about["callable_an"] = {"an_method": {"gvcf_adj": ["cram"], "variant_sites_only": ["joint_vcf"]}, "people": {}}
    assert "AF too high" not in made(tmp_path, facts, about=about).section("dataset")


def test_no_share_of_frequencies_that_no_allele_can_have(facts, tmp_path, page):
    def heads(one):
        text = re.sub(r"[\u202f\xa0]", " ", one.section("frequencies"))
        return re.search(r"PASS, seenAlleles((at most [\d.]+ %)*)", text)[1]

    assert heads(page) == "at most 0.1 %at most 1 %at most 5 %"
    # Alleles of fewer than 5 carriers are not there.
    assert heads(made(tmp_path, facts, about=facts["about"] | {"number_of_people": 200})) == "at most 5 %"


def test_a_filter_of_the_input_is_told_from_ours_of_nearly_the_same_name(facts, tmp_path):
    spectrum = facts["spectrum"] | {"filters": facts["spectrum"]["filters"] | {"LowQual": 7}}
    text = made(tmp_path, facts, spectrum=spectrum).section("filters")
    assert "LowQualFilter of the input data, and not LowQUAL, a rule of this release7" in text


def test_few_sites_make_no_figure_of_membership_in_the_head(facts, tmp_path):
    few = facts["membership"]["strata"][0] | {"sites_used": 312}
    page = made(tmp_path, facts, membership=facts["membership"] | {"strata": [few]})
    assert "312 sites are too few to tell" in page.all("header")[0][1]
    assert "312 sites" in page.section("membership")


def test_failed_checks_come_first_and_are_loud(facts, tmp_path):
    checks = [{"name": "one", "passed": True, "detail": ""}, {"name": "two", "passed": False, "detail": "why"}]
    page = made(tmp_path, facts, checks=checks)
    text = page.section("checks")
    assert "1 of 2 checks failed: do not use this release." in text
    assert text.index("two") < text.index("one")
    assert "1 of 2passed: see below" in page.all("header")[0][1]
    assert "No check was made." in made(tmp_path, facts, checks=[]).section("checks")


def test_the_page_tells_as_many_checks_as_the_terminal(facts, tmp_path):
    """Some are of the whole folder, which the page is in."""
    checks = [{"name": name, "passed": True, "detail": ""} for name in ("one", "two")]
    page = made(tmp_path, facts, checks=[*checks, {"name": "three", "passed": None, "detail": "of the whole folder"}])
    assert "2 of 2passed; goe check makes all 3" in page.all("header")[0][1]
    text = " ".join(page.section("checks").split())
    assert "All 2 checks passed that can be made before there is this page." in text
    assert "The other 1 are of the whole folder: goe check makes all 3." in text and "laterthree" in text
    assert "later" not in made(tmp_path, facts, checks=checks).section("checks")


def test_no_membership_figure_is_said(facts, tmp_path):
    none = facts["membership"]["strata"][0] | {"power": None, "power_with": {}}
    for membership in (None, facts["membership"] | {"strata": [none]}):
        page = made(tmp_path, facts, membership=membership)
        assert "No figure was made for this release." in page.section("membership")
        assert "no figure was made" in page.all("header")[0][1]


def test_strata_of_one_policy_are_drawn_apart_when_they_differ(facts, tmp_path):
    assert "Every stratum but Total" in made(tmp_path, facts).section("disclosure")
    spectrum = facts["spectrum"]
    cells = spectrum["cells"] | {"FI": {"shown": 1234, "seen": 12}}
    other = facts | {"spectrum": spectrum | {"cells": cells, "visibility": {"all": 5, "some": 3, "total": 2}}}
    page = made(tmp_path, other, disclosure=facts["disclosure"] | {"policy": "minimal"})
    text = page.section("disclosure")
    assert "Every stratum but Total" not in text and "FI1,234" in text.replace(" ", "")
    assert "nobody can work them out" in text and "some strata" in text


def test_what_is_protected_and_the_smallest_stratum_are_said(facts, tmp_path, page):
    assert "those who have the allele and those who do not" in page.section("disclosure")
    changed = facts["disclosure"] | {"protect": "genotypes", "min_stratum_size": 10}
    text = made(tmp_path, facts, disclosure=changed).section("disclosure")
    assert "those of each genotype" in text and "too few people (fewer than 10) are not published" in text


def test_quantiles_of_the_metrics_are_shown_and_what_is_not_given_is_a_dash(facts, tmp_path, page):
    text = page.section("counting")
    assert "at least 5 people on either side" in text
    assert "mean_autosome_coverage4,11030.132.634.235.938.4" in text
    assert "mean_autosome_coverage LT 10––33.9––" in text
    assert "Metrics of the people" not in made(tmp_path, facts, qc=facts["qc"] | {"metrics": {}}).section("counting")


def test_encrypted_and_later_files_have_no_digest(facts, tmp_path):
    files = [{"path": "gdi/x.tar.c4gh", "size": 1_234_567, "sha256": None}, {"path": "y", "size": None, "sha256": None}]
    text = made(tmp_path, facts, files=files).section("files")
    assert "x.tar.c4gh1.23 MBin manifest" in text and "yin manifest" in text


def test_empty_release_makes_a_page(facts, tmp_path):
    one = block("chr1", [], np.zeros((len(LEAVES), 5, 0), np.int32))
    spectrum = Spectrum(one.strata)
    spectrum.add(one)
    with report_lookup.Writer(tmp_path / "a", "chr1", one.strata) as writer:
        writer.write(one)
    with callable_steps.Writer(tmp_path / "b", "chr1", 0) as writer:
        writer.write(report_facts.runs(10)[0])
    with rs_numbers.Writer(tmp_path / "c", "chr1"):
        pass
    people = dict.fromkeys(one.strata, 0)
    page = made(
        tmp_path,
        facts,
        about=facts["about"] | {"strata": people, "number_of_people": 0},
        spectrum=combine([spectrum.as_dict()]),
        lookups=report_lookup.Tracks([tmp_path / "a"], [tmp_path / "b"], [tmp_path / "c"]),
        contigs=[{"name": "chr1", "length": 10}],
        disclosure=facts["disclosure"] | {"strata": list(one.strata), "alleles_withheld": 0},
        qc=facts["qc"] | {"people": facts["qc"]["people"] | {"left_out": 0, "left_out_by_reason": {}}},
    )
    assert page.faults == []
    assert "No allele of this release has a public frequency" in page.section("frequencies")
    assert "Nobody was left out." in page.section("counting")


def test_parts_of_different_releases_are_refused(facts, tmp_path):
    contigs = facts["spectrum"]["contigs"]
    fewer = facts["spectrum"] | {"contigs": {"chr20": contigs["chr20"]}}
    with pytest.raises(GoeError, match="the spectrum has"):
        made(tmp_path, facts, spectrum=fewer)
    with pytest.raises(GoeError, match="strata of the disclosure summary"):
        made(tmp_path, facts, disclosure=facts["disclosure"] | {"strata": ["Total"]})
    with pytest.raises(GoeError, match="those of the release chr20"):
        made(tmp_path, facts, contigs=facts["contigs"][:1])
    with pytest.raises(GoeError, match="has no date"):
        made(tmp_path, facts, about=facts["about"] | {"id": "GOE-EE-X-1"})
    assert not list(tmp_path.iterdir())


def test_hidden_numbers_change_no_byte_and_the_same_facts_give_the_same_page(facts, tmp_path):
    texts = []
    for name, change in (("a", lambda x: x), ("b", with_other_hidden_numbers), ("c", lambda x: x)):
        folder = tmp_path / name
        folder.mkdir()
        spectra, lookups = [], []
        for contig in report_facts.CONTIGS:
            all_blocks = list(blocks(contig["name"], 3000, size=1000))
            spectrum = Spectrum(all_blocks[0].strata)
            with report_lookup.Writer(folder / contig["name"], contig["name"], all_blocks[0].strata) as writer:
                for one in map(change, all_blocks):
                    spectrum.add(one)
                    writer.write(one)
            spectra.append(spectrum.as_dict())
            lookups.append(folder / contig["name"])
        made(folder, facts, spectrum=combine(spectra), lookups=facts["lookups"]._replace(alleles=lookups))
        texts.append((folder / "report.html").read_bytes())
    assert texts[0] == texts[1] == texts[2]
    # The test would see it: one public number more changes the page.
    more = replace(all_blocks[0], numbers=replace(all_blocks[0].numbers, an=all_blocks[0].numbers.an + 2))
    assert report_lookup.pack(more) != report_lookup.pack(all_blocks[0])


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0, "0 %"),
        (1, "100 %"),
        (0.1234, "12.3 %"),
        (0.19, "19 %"),
        (0.9999, "above 99.9 %"),
        (0.0004, "0.04 %"),
        (1e-7, "below 0.001 %"),
        (0.001, "0.1 %"),
    ],
)
def test_shares_are_never_rounded_to_nothing_or_everything(share, words):
    assert svg.percent(share).replace("\u202f", " ") == words


@pytest.mark.parametrize("most", [1, 2, 3, 7, 9, 10, 15, 42, 99, 100, 101, 4999, 123_456, 50_000_000])
def test_axes_have_a_few_round_steps(most):
    steps = svg._steps(most)
    assert 1 <= len(steps) <= 4 and steps[-1] <= most
    assert all(b - a == steps[0] for a, b in zip([0, *steps], steps, strict=False))
    assert str(steps[0]).rstrip("0") in ("1", "2", "5")
