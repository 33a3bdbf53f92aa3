"""Compiled functions that are called often with many arrays."""

from typing import Any

import numba as nb

_OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "_nrt": False}

kernel: Any = nb.njit(**_OPTIONS)
"""As numba.njit, but without counts of references, which took most of the time of kernels that hand columns on: these
make no arrays, and keep none."""
