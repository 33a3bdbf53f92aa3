"""Benchmarks are collected only when asked for by their marker: `make bench`, or `pytest -m bench`."""


def pytest_ignore_collect(config):
    return None if "bench" in (config.getoption("markexpr") or "") else True
