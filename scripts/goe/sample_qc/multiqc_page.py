"""The page that MultiQC made, without a way out of it. Imports the standard library alone, as MultiQC has an
environment of its own."""

import re

_SCRIPT = re.compile(r"(<script\b.*?</script\s*>)", re.DOTALL | re.IGNORECASE)
_LINK = re.compile(r"""<a\b[^>]*\bhref\s*=\s*["']?\s*(?:https?:)?//[^>]*>(.*?)</a\s*>""", re.DOTALL | re.IGNORECASE)
# Names of XML are no addresses.
_ADDRESS = re.compile(r"""https?://(?!www\.w3\.org/)[^\s"'`<>\\)]*""", re.IGNORECASE)
_CLOSED = (
    """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; base-uri 'none'; form-action 'none'; """
    """script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:">"""
    "<style>#mqc_welcome, #mqc_about .list-group {display: none !important}</style>"
)


def closed(page: str) -> str:
    """A page of MultiQC without a way out: it names people, and MultiQC links to videos, sites and services.

    Links to addresses become their text, addresses in scripts nothing, and the browser is told to connect to nowhere.
    """
    parts = _SCRIPT.split(page)
    for i, part in enumerate(parts):
        parts[i] = _ADDRESS.sub("", part if i % 2 else _LINK.sub(r"\1", part))
    return re.sub(r"<head\b[^>]*>", lambda found: found[0] + _CLOSED, "".join(parts), count=1)
