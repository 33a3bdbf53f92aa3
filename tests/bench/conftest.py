"""Benchmarks are collected only when asked for by their marker: `make bench`, or `pytest -m bench`."""

import pytest


def pytest_ignore_collect(config):
    return None if "bench" in (config.getoption("markexpr") or "") else True


@pytest.fixture(scope="module")
def table():
    """Rows of texts, two or three each, which are shown when the benchmarks of a file are done."""
    rows: list[tuple[str, ...]] = []
    yield rows
    width = max(len(row[0]) for row in rows)
    print("\n")
    for first, *middle, last in rows:
        print("  ".join([f"{first:<{width}}", *(f"{text:>36}" for text in middle), last]))
