"""What every rule of the workflow keeps to, read from its text."""

import ast
import re

import pytest
import yaml

# Not of the user: numbers that Snakemake or the config's schema gives.
_NUMBERS = {"threads", "resources.mem_mb"}


def shells(text: str) -> list[str]:
    """The command of each `shell:`, its literals joined."""
    found = []
    for match in re.finditer(r'^( *)shell:\n((?:\1    +"(?:[^"\\]|\\.)*"\n)+)', text, re.M):
        found.append("".join(ast.literal_eval(line.strip()) for line in match[2].splitlines()))
    return found


def commands(repo):
    return {
        (path.name, command): command
        for path in sorted((repo / "workflow/rules").glob("*.smk"))
        for command in shells(path.read_text())
    }


def test_every_shell_command_is_read(repo):
    texts = [path.read_text() for path in (repo / "workflow/rules").glob("*.smk")]
    assert len(commands(repo)) == sum(len(re.findall(r"^ *shell:", text, re.M)) for text in texts) > 5


def test_no_path_and_no_id_stands_unquoted_in_a_shell_command(repo):
    """`:q` quotes for the shell; a sample called `$(touch x)` is then a name."""
    loose = {
        where: word
        for where, command in commands(repo).items()
        for word in re.findall(r"(?<!\{)\{([^{}]+)\}(?!\})", command)
        if not word.endswith(":q") and word not in _NUMBERS
    }
    assert loose == {}


def profile(repo, name: str) -> dict:
    return yaml.safe_load((repo / "workflow/profiles" / name / "config.yaml").read_text())


def test_every_rule_that_runs_something_has_memory_and_run_time(repo):
    """In the one list there is, which names no rule that is not there."""
    rules = set()
    for path in (repo / "workflow/rules").glob("*.smk"):
        _, *parts = re.split(r"^ *(?:rule|checkpoint)\b ?(\w*):\n", path.read_text(), flags=re.M)
        for name, body in zip(parts[::2], parts[1::2], strict=True):
            rules |= {name} if name and re.search("^ *(shell|script):", body, re.M) else set()
    rules.remove("lint")  # a local rule
    # The rules of provenance are made in a loop over the environments.
    environments = re.findall(r'"(\w+)": \{', (repo / "workflow/rules/provenance.smk").read_text())
    rules |= {f"provenance_{env}" for env in environments}
    resources = profile(repo, "default")["set-resources"]
    assert set(resources) == rules and len(rules) > 40
    for asked in resources.values():
        assert all(re.fullmatch(r"[0-9]+ \* attempt", asked[name]) for name in ("mem_mb", "runtime")), asked


def test_the_profiles_can_be_used_together(repo):
    """Snakemake takes a key of the workflow profile instead of that of a profile, lists too."""
    default, slurm = profile(repo, "default"), profile(repo, "slurm")
    assert not set(default) & set(slurm) and not {"default-resources", "groups"} & set(default)
    assert "executor" in slurm and "set-resources" not in slurm


@pytest.mark.parametrize("word", ["{wildcards.sample}", "{input}"])
def test_the_reader_would_see_it(word):
    text = f'rule x:\n    shell:\n        "cat {word}"\n        " > {{log:q}}"\n'
    assert shells(text) == [f"cat {word} > {{log:q}}"]
