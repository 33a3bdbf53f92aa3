"""Nobody is no cohort."""

import pytest
from goe.core.errors import GoeError
from goe.frequencies import counts


def test_a_cohort_of_nobody_stops_with_the_reasons():
    rows = [("a", "no", "withdrawn"), ("b", "no", "low_call_rate;related"), ("c", "no", "withdrawn")]
    keep = {name: {"keep": kept, "reasons": reasons} for name, kept, reasons in rows}
    with pytest.raises(GoeError, match="nobody of 3 people counts: low_call_rate 1, withdrawn 2 -> see sample_qc"):
        counts.stop_on_nobody(keep)
    counts.stop_on_nobody(keep | {"d": {"keep": "yes", "reasons": ""}})
