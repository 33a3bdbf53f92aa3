"""Parts of the pages that need no network (`report_page`, `cohort_page`): escaping, tables, sections, the template."""

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence

from goe.core.resources import RESOURCES
from goe.pages.svg import esc


def resource(path: str) -> str:
    """Text of a file under resources/."""
    return (RESOURCES / path).read_text(encoding="utf-8")


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


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with its @@names@@ replaced, each once and in one pass: a value is never looked into."""
    return re.sub(r"@@(\w+)@@", lambda match: values[match[1]], template)


def json_text(value) -> str:
    """JSON that can stand in a script element."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def mono(text) -> str:
    """Text in the letters of code."""
    return f"<code>{esc(text)}</code>"


def name(text) -> str:
    """A name at the head of a row, which a narrow screen may break but not into crumbs."""
    return f'<code class="name">{esc(text)}</code>'


def bullets(items: Iterable[str]) -> str:
    """A list of items that are HTML already."""
    return "<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>"


def table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = (), caption: str = "", foot=()
) -> str:
    """A table of cells that are HTML already; the first of a row is its header, columns `numbers` stand right."""

    def line(row: Sequence[str]) -> str:
        cells = [f'<th scope="row">{row[0]}</th>']
        cells += [f'<td class="n">{c}</td>' if i in numbers else f"<td>{c}</td>" for i, c in enumerate(row[1:], 1)]
        return f"<tr>{''.join(cells)}</tr>"

    right = [' class="n"' if i in numbers else "" for i in range(len(heads))]
    head = "".join(f'<th scope="col"{cls}>{h}</th>' for cls, h in zip(right, heads, strict=True))
    title = f'<caption class="hide">{esc(caption)}</caption>' if caption else ""
    last = f"<tfoot>{line(foot)}</tfoot>" if foot else ""
    body = "".join(map(line, rows))
    open_ = '<table class="narrow">' if len(heads) <= 3 else "<table>"
    return f'<div class="scroll">{open_}{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody>{last}</table></div>'


def details(summary: str, html: str) -> str:
    """What opens when asked for."""
    return f"<details><summary>{esc(summary)}</summary>{html}</details>"


def section(key: str, title: str, side: str, body: str) -> str:
    """A section of the page. side: what stands beside it, under its title."""
    return (
        f'<section id="{key}" aria-labelledby="{key}-title"><div class="side"><h2 id="{key}-title">'
        f'{esc(title)}</h2>{side}</div>\n<div class="body">{body}</div></section>'
    )


def page(
    head: str,
    css: str,
    script: str,
    header: str,
    titles: Mapping[str, str],
    sections: Mapping[str, Sequence[str]],
    footer: str,
    facts: Mapping,
    sources: str = "",
    notice: str = "",
    chunks: str = "",
) -> str:
    """A whole page, which asks nothing of a network but of `sources` (`policy`).

    head, header, footer, notice, chunks: HTML. titles: key -> title of a section; sections: key -> what stands beside
    it and in it; facts: what the script reads.
    """
    return fill(
        resource("report/page.html"),
        {
            "policy": policy(css, script, sources),
            "head": head,
            "css": css,
            "script": script,
            "header": header,
            "nav": "\n".join(f'<li><a href="#{key}">{esc(titles[key])}</a></li>' for key in sections),
            "sections": notice + "\n".join(section(key, titles[key], *texts) for key, texts in sections.items()),
            "footer": footer,
            "facts": json_text(facts),
            "chunks": chunks,
        },
    )


def p(text: str, cls: str = "") -> str:
    """A paragraph of HTML."""
    return f'<p class="{cls}">{text}</p>' if cls else f"<p>{text}</p>"


def figure(caption: str, note: str, svg: str, behind: str, key: str = "") -> str:
    """A plot with its numbers behind it. note, key: HTML under the caption and of the legend."""
    more = f'<span class="mute">{note}</span>' if note else ""
    return f"<figure><figcaption>{esc(caption)}{more}</figcaption>{key}{svg}{details('As a table', behind)}</figure>"
