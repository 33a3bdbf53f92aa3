"""envs/environments.py: the recipe of the image, and locks of environments, solved from a channel of this machine."""

import hashlib
import importlib.util
import json
import re
import shutil

import pytest
import yaml


@pytest.fixture
def made(repo, tmp_path):
    """The module, beside a copy of the environment files."""
    shutil.copytree(repo / "envs", tmp_path / "envs", ignore=shutil.ignore_patterns("__pycache__", "*.pin.txt"))
    spec = importlib.util.spec_from_file_location("environments", tmp_path / "envs/environments.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_recipe_in_the_checkout_is_what_is_made_and_has_every_environment_of_a_rule(repo, made):
    """`make recipe` after a change of an environment."""
    there = (repo / "envs/apptainer.def").read_text()
    if not list((repo / "envs").glob("*.pin.txt")):
        assert there == made.recipe()
    rules = "".join(path.read_text() for path in (repo / "workflow/rules").glob("*.smk"))
    named = set(re.findall(r"envs/(\w+)\.yaml", rules)) | {"goe", "align", "verifybamid2", "plink2"}
    assert set(re.findall(r"envs/(\w+)\.yaml", there)) == named == {path.stem for path in made.files()}
    for name in named:
        digest = hashlib.md5((repo / f"envs/{name}.yaml").read_bytes()).hexdigest()
        assert f"envs/{name}.yaml /conda-envs/{digest}/environment.yaml" in there
        assert f"--prefix /conda-envs/{digest} --file /conda-envs/{digest}/environment.yaml" in there


def test_an_image_is_made_of_locks_where_there_are_some(made):
    path = made.ENVS / "plink2.linux-64.pin.txt"
    path.write_text("@EXPLICIT\n")
    prefix = "/conda-envs/" + hashlib.md5(path.read_bytes() + (made.ENVS / "plink2.yaml").read_bytes()).hexdigest()
    assert f"    envs/{path.name} {prefix}/pin.txt\n" in made.recipe()
    assert f"    conda create --quiet --yes --prefix {prefix} --file {prefix}/pin.txt\n" in made.recipe()


def test_a_lock_has_every_package_that_an_environment_needs(made, tmp_path):
    """By py-rattler, where it is installed. Each package of the channel needs the newest of another one."""
    pytest.importorskip("rattler")
    pins = {pin for path in made.files() for pin in yaml.safe_load(path.read_text())["dependencies"]}
    packages = {"linux-64": {}, "noarch": {}}

    def put(subdir, name, version, *depends):
        file = f"{name}-{version}-0.conda"
        told = {"name": name, "version": version, "build": "0", "build_number": 0, "depends": depends, "subdir": subdir}
        told |= {"md5": hashlib.md5(file.encode()).hexdigest(), "sha256": hashlib.sha256(file.encode()).hexdigest()}
        packages[subdir][file] = told | {"size": 1}
        return told["md5"]

    sums = {pin: put("linux-64", *pin.split("="), "lib >=2", "__glibc >=2.17") for pin in pins}
    put("noarch", "lib", "1.0")
    newest = put("noarch", "lib", "2.1")
    for subdir, found in packages.items():
        (tmp_path / subdir).mkdir()
        told = {"info": {"subdir": subdir}, "packages": {}, "packages.conda": found}
        (tmp_path / subdir / "repodata.json").write_text(json.dumps(told))
    made.lock([tmp_path.as_uri()])
    for path in made.files():
        lines = made.lock_of(path).read_text().splitlines()
        asked = yaml.safe_load(path.read_text())["dependencies"]
        of_pins = {f"{tmp_path.as_uri()}/linux-64/{pin.replace('=', '-')}-0.conda#{sums[pin]}" for pin in asked}
        assert lines[:2] == ["# platform: linux-64", "@EXPLICIT"]
        assert set(lines[2:]) == of_pins | {f"{tmp_path.as_uri()}/noarch/lib-2.1-0.conda#{newest}"}
