"""Configurations of tests: sections with a key changed."""

from dataclasses import replace
from typing import Any, TypeVar, get_args, get_type_hints

from goe.settings import sections

Section = TypeVar("Section")


def altered(section: Section, dotted: str, value: Any) -> Section:
    """A copy of a section, or of a `Config`, with another value at a dotted key; a section that is None is made."""
    name, _, rest = dotted.partition(".")
    if rest:
        kind = get_type_hints(type(section))[name]
        inner = getattr(section, name)
        value = altered(sections.of(get_args(kind)[0], {}) if inner is None else inner, rest, value)
    return replace(section, **{name: value})
