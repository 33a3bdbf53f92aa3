"""`make test` compiles the kernels so that an index beyond its array is an error, not another number."""

import os

import numba as nb
import numpy as np
import pytest


@nb.njit
def _at(values, i):
    return values[i]


@pytest.mark.skipif(os.environ.get("NUMBA_BOUNDSCHECK") != "1", reason="only under make test")
def test_an_index_beyond_an_array_is_an_error():
    with pytest.raises(IndexError):
        _at(np.arange(3), 3)
