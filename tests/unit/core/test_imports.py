import importlib
import sys

import pytest
from goe.core.imports import without


def test_a_module_is_not_found_for_a_while(tmp_path, monkeypatch):
    (tmp_path / "heavy_one.py").write_text("n = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    with without("other", "heavy_one"), pytest.raises(ModuleNotFoundError):
        importlib.import_module("heavy_one")
    assert importlib.import_module("heavy_one").n == 1
    with without("heavy_one"):
        assert importlib.import_module("heavy_one").n == 1
    sys.modules.pop("heavy_one")
