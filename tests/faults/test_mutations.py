"""No field of a release can be another one: of all of them, drawn by file, each is refused, whatever its digests say.

UNSEEN is what docs/release.md says that the folder alone cannot tell. One field a file is drawn here;
`GOE_MUTATIONS=20` draws as many, `GOE_MUTATIONS=all` takes all ten thousand, in an hour and a half.
"""

import os
import random
import re
import shutil

import pytest
from goe.check import run as check
from helpers import mutations
from helpers import release_folder as rf

UNSEEN = re.compile(
    r"provenance/config\.json: (caller|reference\.contigs|sample_qc\.exclude)"
    r"|provenance/config\.json: .* gone"
    r"|vcf\.gz: notation"
    r"|(vcf|bed)\.gz\.tbi: byte"
    r"|qc/summary\.json: (metrics|sample_qc\.parameters)"
)
PARTS = [part for part in check.ALL if part not in ("healthdcat", "ids", "page")]
"""The shapes of the catalogue record take longest, and every byte of it is compared by another check. Nor is the page
asked of another file: whoever changed that one makes the page, which lists digests, again."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return rf.make(tmp_path_factory.mktemp("release"), contigs={"chr20": 150})


def drawn(whole):
    """Mutations of each file; rules of the workflow are one, and the files that a mini-node loads for each stratum."""
    every = os.environ.get("GOE_MUTATIONS", "1")
    files = {}
    for one in mutations.of_release(whole):
        kind = re.sub(r"workflow/rules/.*", "workflow/rules", one.file)
        files.setdefault(re.sub(r"mini-node/.*?\.\w+\.(vcf|yaml)", r"mini-node/\1", kind), []).append(one)
    chance = random.Random(every)
    return [
        one
        for some in files.values()
        for one in (some if every == "all" else chance.sample(some, min(int(every), len(some))))
    ]


def test_no_field_can_be_another(whole, tmp_path):
    assert all(result.passed is not False for result in check.run(whole, PARTS))
    passed, n = [], 0
    for one in drawn(whole):
        n += 1
        root = rf.copy(whole, tmp_path)
        one(root)
        parts = check.ALL if one.file == "report.html" else PARTS
        if all(result.passed is not False for result in check.run(root, parts)):
            passed.append(one.name)
        shutil.rmtree(root)
    print(f"{n - len(passed)} of {n} refused; {passed}")
    assert n > 30 and [name for name in passed if not UNSEEN.search(name)] == []


def test_what_is_said_to_be_unseen_is(whole):
    """Every part of UNSEEN is the name of a mutation."""
    names = [one.name for one in mutations.of_release(whole)]
    for part in re.split(r"\|(?=provenance|vcf\\.gz: |\(vcf|qc)", UNSEEN.pattern):
        assert any(re.search(part, name) for name in names), part
