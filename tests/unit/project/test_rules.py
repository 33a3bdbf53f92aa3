"""What every rule of the workflow keeps to, read from its text."""

import re

import pytest
import yaml
from snakemake.cli import get_argument_parser


def with_a_shell(text: str) -> list[str]:
    """Places where a rule gives words to a shell."""
    return re.findall(r"^ *shell:|\bshell\(|shell=True|os\.system", text, re.M)


def test_no_rule_and_no_script_gives_words_to_a_shell(repo):
    """A sample called `$(touch x)` is then a name. Scripts call tools by lists of words."""
    files = [*(repo / "workflow/rules").glob("*.smk"), repo / "Snakefile", *(repo / "scripts").rglob("*.py")]
    assert {path.name: found for path in files if (found := with_a_shell(path.read_text()))} == {}
    assert len(files) > 200


def profile(repo, name: str) -> dict:
    return yaml.safe_load((repo / "workflow/profiles" / name / "config.yaml").read_text())


def test_every_rule_that_runs_something_has_memory_and_run_time(repo):
    """In the one list there is, which names no rule that is not there."""
    rules = set()
    for path in (repo / "workflow/rules").glob("*.smk"):
        _, *parts = re.split(r"^ *(?:rule|checkpoint)\b ?(\w*):\n", path.read_text(), flags=re.M)
        for name, body in zip(parts[::2], parts[1::2], strict=True):
            rules |= {name} if name and re.search("^ *(shell|script):", body, re.M) else set()
    rules -= {"lint", "audit", "clean"}  # local rules
    # The rules of provenance are made in a loop over the environments.
    environments = re.findall(r'"(\w+)": \{', (repo / "workflow/rules/provenance.smk").read_text())
    rules |= {f"provenance_{env}" for env in environments}
    resources = profile(repo, "default")["set-resources"]
    assert set(resources) == rules and len(rules) > 40
    for asked in resources.values():
        sizes = [re.sub(r"\(([0-9]+) if '[a-z0-9-]+' in str\(input\) else [0-9]+\)", r"\1", asked["mem_mb"])]
        assert all(re.fullmatch(r"[0-9]+ \* attempt", size) for size in (*sizes, asked["runtime"])), asked


def test_the_profiles_can_be_used_together(repo):
    """Snakemake takes a key of the workflow profile instead of that of a profile, lists too."""
    default, slurm = profile(repo, "default"), profile(repo, "slurm")
    assert not set(default) & set(slurm) and not {"default-resources", "groups"} & set(default)
    assert "executor" in slurm and "set-resources" not in slurm


def test_profiles_hold_options_that_snakemake_has(repo):
    known = {name for action in get_argument_parser()._actions for name in action.option_strings}
    for name in ("default", "slurm"):
        assert {f"--{key}" for key in profile(repo, name)} <= known


def test_no_rule_tries_again_by_itself(repo):
    """On a cluster it would do so inside the allocation that was too small: `retries` is an option of a profile."""
    for path in (repo / "workflow/rules").glob("*.smk"):
        assert not re.search(r"^ *retries:", path.read_text(), re.M), path
    assert profile(repo, "slurm")["retries"] == 2


def test_no_rule_asks_how_many_cores_were_given(repo):
    """Of a cluster none are, and `workflow.cores` stops the run."""
    for path in (repo / "workflow/rules").glob("*.smk"):
        assert not re.search(r"workflow\.cores\b", path.read_text()), path


@pytest.mark.parametrize(
    "line", ['    shell:\n        "cat {input}"', 'shell("cat")', "run(x, shell=True)", "os.system(x)"]
)
def test_the_reader_would_see_it(line):
    assert with_a_shell(f"rule x:\n{line}\n")
