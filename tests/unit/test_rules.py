"""What every rule of the workflow keeps to, read from its text."""

import ast
import re

import pytest

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


@pytest.mark.parametrize("word", ["{wildcards.sample}", "{input}"])
def test_the_reader_would_see_it(word):
    text = f'rule x:\n    shell:\n        "cat {word}"\n        " > {{log:q}}"\n'
    assert shells(text) == [f"cat {word} > {{log:q}}"]
