import ast
import importlib
import os
import subprocess
import sys

import pytest
from goe.core.imports import everything, without


def test_a_module_is_not_found_for_a_while(tmp_path, monkeypatch):
    (tmp_path / "heavy_one.py").write_text("n = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    with without("other", "heavy_one"), pytest.raises(ModuleNotFoundError):
        importlib.import_module("heavy_one")
    assert importlib.import_module("heavy_one").n == 1
    with without("heavy_one"):
        assert importlib.import_module("heavy_one").n == 1
    sys.modules.pop("heavy_one")


def test_who_needs_it_finds_it_again_meanwhile(tmp_path, monkeypatch):
    (tmp_path / "heavy_two.py").write_text("n = 2\n")
    monkeypatch.syspath_prepend(tmp_path)
    with without("heavy_two"):
        with everything():
            assert importlib.import_module("heavy_two").n == 2
        del sys.modules["heavy_two"]
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("heavy_two")
    assert importlib.import_module("heavy_two").n == 2
    sys.modules.pop("heavy_two")


def test_jobs_of_sample_qc_without_a_kernel_do_not_load_its_compiler(repo):
    """Four tenths of a second each, which is half of what such a job takes."""
    names = (
        "ancestry",
        "batch",
        "cohort",
        "keep",
        "kinship",
        "multiqc_tables",
        "plots",
        "reference",
        "snvs",
        "variants",
    )
    of_scripts = [ast.parse((repo / f"scripts/sample_qc_{name}.py").read_text()).body for name in names]
    imports = [ast.unparse(one) for body in of_scripts for one in body if isinstance(one, ast.Import | ast.ImportFrom)]
    code = "\n".join([*imports, "import sys", "print('numba' in sys.modules, 'pyarrow' in sys.modules)"])
    env = {**os.environ, "PYTHONPATH": str(repo / "scripts")}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert run.stdout == "False True\n"
