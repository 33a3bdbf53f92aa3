"""What the machine lacks, in words with a mend."""

import errno
import os

import pytest
from goe.core.errors import Problem, machine_mend, of_machine


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.EIO, errno.EACCES])
def test_an_error_of_the_machine_names_file_and_mend(number):
    named = of_machine(OSError(number, os.strerror(number), "a.bcf"), "elsewhere")
    unnamed = of_machine(OSError(number, os.strerror(number)), "elsewhere")
    assert (named.where, unnamed.where) == ("a.bcf", "elsewhere")
    assert named.what == unnamed.what and named.mend.endswith("and run again")
    assert machine_mend(f"[E::hwrite] a.bcf: {os.strerror(number)}\n") == named.mend


def test_what_a_file_lacks_is_not_the_machines():
    for error in (FileNotFoundError(errno.ENOENT, "x", "a.bcf"), OSError("no number"), ValueError("x")):
        assert of_machine(error, "elsewhere") is None
    assert machine_mend("[E::hread] truncated") == ""


def test_memory():
    assert of_machine(MemoryError(), "work/x") == Problem(
        "work/x", "memory ran out", "give the job more (mem_mb of its rule in the profile), and run again"
    )
