"""What the pages that need no network share (`goe.release.report.page`, `goe.sample_qc.page`): templates and tables.

Markup stands in `resources/pages/*.html.j2`, and every value that is put into it is escaped by the engine, JSON for a
script element too. Code gives a page texts, numbers, tables and plots. Only the few marked-up cells of tables are made
here, of constants that escape what they are filled with.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from goe.core.resources import RESOURCES
from goe.pages import svg

TEMPLATES = RESOURCES / "pages"


@dataclass(frozen=True)
class Table:
    """A table for the macro `table`: the first cell of a row is its header, columns `numbers` (from 0) stand right.

    A cell is escaped, unless it is Markup. foot: a last row, of sums. caption: for those who do not see the page.
    """

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: Sequence[int] = ()
    caption: str = ""
    foot: Sequence[str] = ()


def resource(path: str) -> Markup:
    """A script or a style of ours, a file under resources/, to stand in the page as it is."""
    return Markup((RESOURCES / path).read_text(encoding="utf-8"))


def digest(text: str) -> str:
    """SHA-256 of a script or a style, as a content security policy names it."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def policy(css: str, script: str, more: str = "") -> str:
    """Content security policy: no connection, no style and no script but the page's own. more: sources of scripts."""
    scripts = f"'sha256-{digest(script)}' {more}".strip()
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'sha256-{digest(css)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def mono(text: object) -> Markup:
    """Text in the letters of code."""
    return Markup("<code>{}</code>").format(text)


def name(text: object) -> Markup:
    """A name at the head of a row, which a narrow screen may break but not into crumbs."""
    return Markup('<code class="name">{}</code>').format(text)


def mute(text: object) -> Markup:
    """Words beside a name."""
    return Markup('<span class="mute">{}</span>').format(text)


def country(stratum: str) -> Markup:
    """Code of a stratum with room for its name, which the browser knows."""
    return Markup('{} <span class="mute" data-stratum="{}"></span>').format(mono(stratum), stratum)


def web(address: str | None) -> str:
    """A link when it is an address of the web, else the text: no other scheme is made a link."""
    if address and re.match(r"https?://", address):
        return Markup('<a href="{}" rel="noreferrer">{}</a>').format(address, address)
    return address or ""


def environment() -> Environment:
    """Engine of the pages: everything is escaped, and a name that is missing is an error."""
    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    # Keys of JSON keep their order, which the scripts show.
    found.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "ensure_ascii": True}
    for function in (mono, name, mute, country, web, svg.num, svg.percent, svg.frequency):
        found.filters[function.__name__] = function
    return found


@cache
def _once(make: Callable[[], Environment]) -> Environment:
    """An engine, which keeps the templates it has compiled."""
    return make()


def page(template: str, css: Sequence[str], script: str, sources: str = "", **values: object) -> str:
    """A whole page, which asks nothing of a network but of `sources` (`policy`).

    template: its name in resources/pages; css, script: files under resources/ ("": no script); values:
    what the template is made with, among them titles (key -> title of a section) and facts (what the script reads, as
    JSON).
    """
    style, code = Markup().join(map(resource, css)), resource(script) if script else Markup()
    rule = policy(style, code, sources)
    return _once(environment).get_template(template).render(policy=rule, css=style, script=code, **values)
