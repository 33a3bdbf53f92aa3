"""Markup in the pages is that of the templates: whatever text is put into them stays text, in a browser too.

Every text that a page is made with is replaced by markup that would run a script. The policy of the page, which would
stop one that got in, is taken out first; and with the escaping switched off the same texts do run.
"""

import ast
import copy
import dataclasses
import itertools
import json
import re
from pathlib import Path

import pyarrow.compute as pc
import pytest
from goe.core import tables
from goe.core.resources import RESOURCES, ROOT
from goe.pages import html
from goe.release.report import page as report_page
from goe.rules import sample_thresholds as sample_rules
from goe.sample_qc import multiqc
from goe.sample_qc import page as cohort_page
from helpers import browser, public_blocks, report_facts
from helpers.qc_cohort import GUIDELINES, Cohort
from jinja2 import StrictUndefined, nodes

SOURCES = (
    *sorted((ROOT / "scripts/goe/pages").glob("*.py")),
    *sorted((ROOT / "scripts/goe/release/report").glob("*.py")),
    ROOT / "scripts/goe/progress/page.py",
    ROOT / "scripts/goe/sample_qc/page.py",
    ROOT / "scripts/goe/sample_qc/multiqc.py",
)
TEMPLATES = sorted(path.name for path in (RESOURCES / "pages").iterdir())

# ---- the code makes no markup of text


def markup_in(source: str) -> list[str]:
    """What in a module would make markup: tags in strings that are no constant of `Markup`, `Markup` of something
    else than a constant, and escaping by hand."""
    tree = ast.parse(source)
    documented = [node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)]
    plain = {id(node.body[0].value) for node in documented if ast.get_docstring(node)}
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func).rpartition(".")[2]
        if called in ("esc", "escape"):
            found.append(f"line {node.lineno}: {called}()")
        elif called == "Markup" and all(isinstance(a, ast.Constant) for a in node.args):
            plain |= set(map(id, node.args))
        elif called == "Markup":
            found.append(f"line {node.lineno}: {ast.unparse(node)}")
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        if id(node) not in plain and re.search(r"</?([a-z]+([\s>/]|$)|$)", text):
            found.append(f"line {node.lineno}: {text!r}")
    return found


def test_no_code_of_the_pages_makes_markup():
    found = {path.name: markup_in(path.read_text()) for path in SOURCES}
    # A script and a style of ours stand in the page as they are.
    (ours,) = found.pop("html.py")
    assert ours.endswith(": Markup((RESOURCES / path).read_text(encoding='utf-8'))")
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "code",
    [
        'f"<p>{x}</p>"',
        'f"<{x}"',
        '"<b>%s" % x',
        '"<b>" + x',
        "esc(x)",
        "html.escape(x)",
        "Markup(x)",
        'Markup(f"a{x}")',
    ],
)
def test_the_search_would_find_it(code):
    assert markup_in(code)
    assert not markup_in('"""<p>"""\nx = Markup("<p>{}</p>").format(y) + "n < 5"')


# ---- the templates escape everything


def test_every_template_is_rendered_with_escaping_and_nothing_missing():
    engine = html.environment()
    names = ["base", "cohort", "collection", "parts", "progress", "report"]
    assert [f"{name}.html.j2" for name in names] == TEMPLATES
    assert engine.undefined is StrictUndefined
    for name in TEMPLATES:
        assert engine.get_template(name).new_context().eval_ctx.autoescape is True
        tree = engine.parse(engine.loader.get_source(engine, name)[0])
        assert not list(tree.find_all((nodes.EvalContextModifier, nodes.MarkSafe, nodes.MarkSafeIfAutoescape)))
        assert not {f.name for f in tree.find_all(nodes.Filter)} & {"safe", "string", "striptags", "urlize"}


@pytest.mark.parametrize("name", TEMPLATES)
def test_values_stand_where_escaping_is_enough(name):
    """In text and in quoted attributes. In a script or a style nothing but our own, packed numbers, and JSON."""
    text = (RESOURCES / "pages" / name).read_text()
    assert not re.search(r"\s[\w-]+=\s*\{[{%]", text)
    inside = re.findall(r"<(?:script|style)[^>]*>(.*?)</(?:script|style)>", text, re.S)
    assert set(inside) <= {"{{ css }}", "{{ script }}", "{{ facts|tojson }}", "{{ text }}"}
    assert not re.search(r"\s(on\w+|style|srcdoc)=", text)
    # Where a value is an address, the scheme is ours.
    addresses = re.findall(r'(?:href|src)="([^"]*\{\{[^"]*)"', text)
    assert all(address.startswith(("#", "mailto:")) for address in addresses)


# ---- in the browser

EVIL = "</script></style></title>\"'><script>window.hacked=1</script><img src=x onerror='window.hacked=1'>{{7*7}}"


def number(n: int) -> str:
    return f"{EVIL}[{n}]"


class Spoiler:
    """Replaces every text of a JSON value by markup with a number of its own; `where` says what had which."""

    def __init__(self, keep):
        self.keep, self.where = keep, {}

    def __call__(self, value, path=""):
        if isinstance(value, dict):
            return {self.text(key, f"{path}/keys"): self(one, f"{path}/{key}") for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self(one, path) for one in value]
        return self.text(value, path) if isinstance(value, str) else value

    def text(self, value, path):
        if not isinstance(value, str) or re.fullmatch(self.keep, path):
            return value
        self.where[len(self.where)] = path
        return number(len(self.where) - 1)


@pytest.fixture
def with_evil_filters(monkeypatch):
    """Alleles of which a filter of the input has markup for its name."""
    plain = public_blocks.blocks

    def blocks(*args, **kwargs):
        for block in plain(*args, **kwargs):
            yield dataclasses.replace(block, filter=pc.replace_substring(block.filter, "LowQUAL", f"{EVIL}[filter]"))

    monkeypatch.setattr(public_blocks, "blocks", blocks)


# Names that the page asks for, and strata, which are two capital letters and a sex.
_KEYS = (
    r"/keys|/(disclosure|membership|spectrum)/keys|/about/(contact/|strata/|callable_an/(people/)?)?keys"
    r"|/qc/(people/)?keys|/qc/alleles_by_rule/[^/]*/keys|/qc/metrics/.*/keys|/membership/(simulated|strata)/keys"
    r"|/(checks|files)/keys"
)
_VALUES = r"/about/(id|pseudo_autosomal_regions)|/disclosure/(strata|unit|protect)|/membership/strata/stratum"
_FIGURE = r"/membership/strata/power_with/.*"


def release(folder, k=5):
    """Facts of a release in which every text is markup, and where each of them stood."""
    facts = report_facts.facts(folder, alleles=3000, k=k)
    made = facts["qc"].pop("metrics")
    spoil = Spoiler(f"{_KEYS}|{_VALUES}|{_FIGURE}")
    for key in ("about", "qc", "disclosure", "membership", "checks", "files", "filters"):
        facts[key] = spoil(facts[key], f"/{key}")
    facts["qc"]["metrics"] = {f"{EVIL}[{metric}]": groups for metric, groups in made.items()}
    facts["about"]["contact"]["url"] = f"https://x.example/{facts['about']['contact']['url']}"
    return facts, spoil.where


def without_policy(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = re.sub(r'<meta http-equiv="Content-Security-Policy" content="[^"]*">', "", text)
    assert found != text
    path.write_text(found, encoding="utf-8")


SEEN = """(() => {
  const words = [document.documentElement.textContent];
  const handlers = [];
  for (const node of document.querySelectorAll("*")) for (const one of node.attributes) {
    words.push(one.value);
    if (one.name.startsWith("on")) handlers.push(one.name);
  }
  return {words: words.join("\\n"), handlers, hacked: window.hacked ?? null,
    images: document.querySelectorAll("img").length,
    scripts: [...document.querySelectorAll("script")].map((one) => one.type).filter((type) => type !== "text/plain")};
})()"""


def harmless(page, texts) -> list[str]:
    """Those of the texts that the page does not show as they are; nothing ran."""
    seen = page.run(SEEN)
    assert seen["hacked"] is None and seen["handlers"] == [] and seen["images"] == 0
    assert seen["scripts"] == ["application/json", ""]
    assert "49" not in re.findall(r"onerror='window.hacked=1'>(.*?)\[", seen["words"])
    packed = json.dumps(json.loads(page.run("document.getElementById('facts').textContent")), ensure_ascii=False)
    there = seen["words"] + json.dumps(seen["words"], ensure_ascii=False) + packed
    return [text for text in texts if text not in there and json.dumps(text, ensure_ascii=False)[1:-1] not in there]


@browser.needed
@pytest.mark.parametrize(("k", "embed_up_to"), [(5, 10**9), (5, 0), (1, 10**9)])
def test_every_text_of_a_release_is_text(watched, with_evil_filters, tmp_path, k, embed_up_to):
    facts, where = release(tmp_path, k)
    report_page.write(tmp_path, **facts, embed_up_to=embed_up_to)
    without_policy(tmp_path / "report.html")
    watched.open(tmp_path / "report.html", "#q=chr20%3A60000-70000")
    watched.wait("document.querySelector('#answer .list')")
    missing = harmless(watched, [number(n) for n in where])
    unseen = {where[int(text.rpartition("[")[2][:-1])] for text in missing}
    # A rule that can fail in one way only says no reason, and an open release says no policy.
    silent = {f"/qc/alleles_by_rule/{rule}/failed/keys" for rule in ("AC0", "LowQD")}
    assert unseen == silent | ({"/disclosure/policy"} if k == 1 else set())
    # The look-up shows FILTER of an allele, and what is asked for.
    row = "[...document.querySelectorAll('#answer .list tbody tr')].find((r) => r.textContent.includes('hacked'))"
    watched.run(f"{row}.querySelector('a').click()")
    watched.wait("document.querySelector('#numbers')")
    assert EVIL in watched.run("document.getElementById('answer').textContent")
    watched.run(f"document.getElementById('query').value = {json.dumps(EVIL)}")
    watched.run("document.querySelector('#ask button').click()")
    watched.wait("document.querySelector('#trouble')")
    harmless(watched, [])


@browser.needed
def test_contigs_and_alleles_of_the_look_up_are_text(watched, tmp_path):
    facts = report_facts.facts(tmp_path, alleles=500, k=1)
    names = {c["name"]: f"{c['name']}{EVIL}" for c in facts["contigs"]}
    facts["contigs"] = [c | {"name": names[c["name"]]} for c in facts["contigs"]]
    spectrum = facts["spectrum"]
    facts["spectrum"] = spectrum | {"contigs": {names[c]: n for c, n in spectrum["contigs"].items()}}
    for path in itertools.chain(*facts["lookups"]):
        *chunks, index = path.read_text().splitlines()
        said = json.loads(index)
        contig, dot, of = said["track"].partition(".")
        said |= {"track": names[contig] + dot + of, "example": [1, "A", "<script>window.hacked=1</script>"]}
        path.write_text("\n".join([*chunks, json.dumps(said)]) + "\n")
    report_page.write(tmp_path, **facts)
    without_policy(tmp_path / "report.html")
    watched.open(tmp_path / "report.html")
    assert harmless(watched, list(names.values())) == []


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """What the page of a cohort is made with."""
    made = Cohort(tmp_path_factory.mktemp("cohort"), 120)
    made.judge()
    return {
        "summary": json.loads(made.tables["summary"].read_text()),
        "keep": tables.read(made.tables["keep"]),
        "metrics": tables.read(made.tables["metrics"]),
        "pairs": tables.read(made.files["pairs"]),
        "guidelines": sample_rules.load(GUIDELINES),
        "pca": tables.read(made.files["ancestry"]),
        "assessed": {"statement": "4 components"},
    }


def spoiled(cohort) -> dict:
    """The same with markup behind every text of its tables, the same behind the same text, so that rows still meet."""
    numbers = re.compile(r"-?[0-9.]+(e-?[0-9]+)?|")

    def text(value: str) -> str:
        return value if numbers.fullmatch(value) else f"{value}{EVIL}"

    def row(cells: dict) -> dict:
        lists = {name: ";".join(map(text, cells[name].split(";"))) for name in cohort_page.LISTS if name in cells}
        return {name: cell if name == "keep" else text(cell) for name, cell in cells.items()} | lists

    made = copy.deepcopy({key: value for key, value in cohort.items() if key != "guidelines"})
    for key in ("keep", "metrics", "pairs", "pca"):
        made[key] = [row(cells) for cells in made[key]]
    summary = made["summary"]
    for key in ("reasons", "by_country", "by_input_type", "not_assessed"):
        summary[key] = {text(name): text(n) if isinstance(n, str) else n for name, n in summary[key].items()}
    summary["not_assessed"][EVIL] = EVIL
    summary["relatedness"]["statement"] += EVIL
    summary["thresholds"] = [
        {name: text(cell) if isinstance(cell, str) else cell for name, cell in one.items()}
        for one in summary["thresholds"]
    ]
    return made | {"guidelines": cohort["guidelines"], "assessed": {"statement": EVIL}}


ABOUT = {"id": EVIL, "title": EVIL, "made_with": EVIL}


@browser.needed
def test_every_text_of_a_cohort_is_text(watched, cohort, tmp_path):
    made = spoiled(cohort)
    path = tmp_path / "cohort.html"
    path.write_text(cohort_page.page(ABOUT, **made), encoding="utf-8")
    without_policy(path)
    watched.open(path)
    wanted = {cell for key in ("keep", "metrics", "pairs", "pca") for row in made[key] for cell in row.values()}
    wanted = {part for cell in wanted for part in cell.split(";") if EVIL in part}
    wanted |= {t[key] for t in made["summary"]["thresholds"] for key in ("status", "source", "warn") if t["warn"]}
    assert len(wanted) > 200
    assert harmless(watched, sorted(filter(None, wanted))) == []
    gone = next(row for row in made["keep"] if row["keep"] == "no")
    watched.run("document.querySelector('#list tbody a').click()")
    watched.wait("document.querySelector('#person tbody')")
    assert EVIL in watched.run("document.querySelector('#person h3').textContent")
    watched.run(f"document.getElementById('find').value = {json.dumps(gone['sample_id'])}")
    watched.run("document.getElementById('find').dispatchEvent(new Event('input'))")
    harmless(watched, [])


@browser.needed
def test_what_multiqc_is_given_is_text(watched, cohort, tmp_path):
    """MultiQC puts it into its page as it is."""
    made = spoiled(cohort)
    metrics = {row["sample_id"]: row for row in made["metrics"]}
    multiqc.write(tmp_path / "m", EVIL, made["summary"], metrics, made["keep"], [], [])
    parts = [json.loads((tmp_path / "m/title.yaml").read_text())["subtitle"]]
    for path in sorted((tmp_path / "m").glob("*_mqc.json")):
        section = json.loads(path.read_text())
        parts += [section["section_name"], section["description"]]
        parts += [section["data"]] if section["plot_type"] == "html" else []
    assert len(parts) > 12
    (tmp_path / "page.html").write_text("\n".join(parts), encoding="utf-8")
    watched.open(tmp_path / "page.html")
    assert watched.run("window.hacked ?? null") is None
    assert watched.run("document.querySelectorAll('img, script').length") == 0
    assert watched.run("document.body.textContent").count(EVIL) > 100


@browser.needed
@pytest.mark.parametrize("which", ["release", "cohort"])
def test_without_escaping_the_same_texts_run(chromium, cohort, tmp_path, monkeypatch, which):
    """The tests above rest on it."""
    escaping = html.environment

    def careless():
        engine = escaping()
        engine.autoescape = False
        return engine

    monkeypatch.setattr(html, "environment", careless)
    path = tmp_path / "page.html"
    if which == "release":
        report_page.write(tmp_path, **release(tmp_path)[0])
        path = tmp_path / report_page.NAME
    else:
        path.write_text(cohort_page.page(ABOUT, **spoiled(cohort)), encoding="utf-8")
    without_policy(path)
    chromium.open(path)
    chromium.wait("window.hacked === 1")
