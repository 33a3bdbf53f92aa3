"""The kernel against the plain rules, on random genotypes of every storage width."""

import numpy as np
from goe.harmonise import genotypes as gt
from helpers import plain
from hypothesis import given, settings
from hypothesis import strategies as st

ALLELES = st.integers(0, 3) | st.none()
DEPTH = st.sampled_from([0, 1, 4, 5, 9, 10, 30, 35, 40, 200]) | st.none()


@st.composite
def person(draw):
    alleles = draw(st.lists(ALLELES, min_size=1, max_size=3))
    ad = draw(st.lists(st.sampled_from([0, 2, 5, 6, 7, 8, 15, 30]) | st.none(), min_size=4, max_size=4) | st.none())
    return {
        "alleles": alleles,
        "dp": draw(DEPTH),
        "gq": draw(st.sampled_from([0, 19, 20, 99]) | st.none()),
        "ad": ad,
        "wanted": draw(st.integers(0, 2)),
        "phased": draw(st.booleans()),
    }


def vector(rows, dtype, gt_field=False):
    """Raw BCF array of lists of values; None is missing, short rows end early."""
    low = np.iinfo(dtype).min
    width = max(len(r) for r in rows)
    out = np.full((len(rows), width), low + 1, dtype)
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            out[i, j] = (0 if gt_field else low) if value is None else value
    return out


def formats(people, dtype):
    genotypes = [
        [None if a is None else (a + 1) << 1 | (p["phased"] and j > 0) for j, a in enumerate(p["alleles"])]
        for p in people
    ]
    fields = {
        "GT": vector(genotypes, dtype, gt_field=True),
        "GQ": vector([[p["gq"]] for p in people], dtype),
        "DP": vector([[p["dp"]] for p in people], np.int16 if dtype == np.int8 else dtype),
    }
    if any(p["ad"] for p in people):
        fields["AD"] = vector([p["ad"] or [None] for p in people], np.int16 if dtype == np.int8 else dtype)
    return fields


@settings(max_examples=300, deadline=None)
@given(
    st.lists(person(), min_size=1, max_size=12),
    st.sampled_from([np.int8, np.int16, np.int32]),
    st.sets(st.integers(1, 3), min_size=1),
    st.booleans(),
    st.booleans(),
)
def test_kernel_equals_plain_rules(people, dtype, holders, raw, declared_float):
    ploidy = np.array([[p["wanted"] for p in people]], np.int8)
    tests = np.full(len(people), gt.TEST_GQ | gt.TEST_DP | gt.TEST_AD, np.uint8)
    caller = gt.Caller(len(people), ploidy, tests, gt.Filter())
    fields = formats(people, dtype)
    if declared_float:
        # Compared as they are written: 19.75 is less than 20.
        fields |= {key: gt.widen(fields[key]).astype(np.float64) for key in ("GQ", "DP", "AD") if key in fields}
        fields["GQ"][fields["GQ"] >= 0] -= 0.25
        people = [{**p, "gq": p["gq"] and p["gq"] - 0.25} for p in people]
    calls = caller.calls(fields, 0, raw=raw)
    codes = caller.codes(calls, 4, tuple(holders), raw=raw)
    if not raw:
        assert (gt.codes_from_gt(caller.genotypes(calls, 4, tuple(holders))) == codes).all()
    for p, code in zip(people, codes, strict=True):
        kept = plain.filtered(p["alleles"], p["dp"], p["gq"], p["ad"], p["wanted"], on=not raw)
        assert gt.CODES[code] == plain.code(plain.call(kept, p["wanted"]), holders)


PLAIN = {"alleles": [0, 0], "dp": 30, "gq": 99, "ad": None, "wanted": 2, "phased": False}


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 3 * gt.TOGETHER + 5),
    st.lists(st.tuples(st.integers(0, 200), person()), max_size=6),
    st.sampled_from([np.int8, np.int16]),
    st.sampled_from([gt.Filter(), gt.Filter(0, 0, 0, 0), gt.Filter(min_gq=99, min_dp=31)]),
    st.booleans(),
)
def test_whoever_is_passed_over_is_what_the_plain_rules_say(n, others, depth_type, rule, fail_ft):
    """Many people who are a plain 0/0, as in a cohort, and a few who are not."""
    people = [dict(PLAIN) for _ in range(n)]
    for at, other in others:
        people[at % n] = {**other, "alleles": (other["alleles"] * 2)[:2]}
    fields = formats(people, np.int8)
    fields["DP"] = fields["DP"].astype(np.int64)
    fields["DP"][fields["DP"] < 0] = np.iinfo(depth_type).min
    fields["DP"] = np.minimum(fields["DP"], np.iinfo(depth_type).max).astype(depth_type)
    ft_fail = np.array([fail_ft and i == n // 2 for i in range(n)])
    tests = np.full(n, rule.tests(respect_ft=True), np.uint8)
    caller = gt.Caller(n, np.array([[p["wanted"] for p in people]], np.int8), tests, rule)
    calls = caller.calls(fields, 0, ft_fail, raw=True)
    thresholds = {"min_gq": rule.min_gq, "min_dp": rule.min_dp, "min_dp_haploid": rule.min_dp_haploid}
    dps = [p["dp"] if p["dp"] is None else min(p["dp"], int(np.iinfo(depth_type).max)) for p in people]
    for raw in (False, True):
        codes = caller.codes(calls, 4, (1, 3), raw=raw)
        on = not raw and rule.min_gq > 0
        for i, (p, dp, code) in enumerate(zip(people, dps, codes, strict=True)):
            kept = plain.filtered(p["alleles"], dp, p["gq"], p["ad"], p["wanted"], on=on, **thresholds)
            if ft_fail[i] and not raw:
                kept = None
            assert gt.CODES[code] == plain.code(plain.call(kept, p["wanted"]), (1, 3)), (i, p)
    assert caller.depths[0].tolist() == [0 if i in set(calls.people) else dp for i, dp in enumerate(dps)]


def test_people_who_are_plain_are_passed_over():
    n = 3 * gt.TOGETHER + 5
    fields = formats([dict(PLAIN) for _ in range(n)], np.int8)
    fields["GQ"][40] = 19
    caller = gt.Caller(n, np.full((1, n), 2, np.int8), np.full(n, 7, np.uint8), gt.Filter())
    assert caller.calls(fields, 0).people.tolist() == [40]


SWAPPED = {"missing": "missing", "ref1": "hemi", "hemi": "ref1", "ref2": "hom", "hom": "ref2", "het": "het"}


@settings(max_examples=150, deadline=None)
@given(st.lists(person(), min_size=1, max_size=12))
def test_swapping_the_alleles_swaps_the_codes(people):
    """The filter of goe asks both alleles of a het, so it does not see which of them is REF."""
    two = [p | {"alleles": [a and 1 for a in p["alleles"]], "ad": p["ad"] and p["ad"][:2]} for p in people]
    other = [
        p | {"alleles": [a if a is None else 1 - a for a in p["alleles"]], "ad": p["ad"] and p["ad"][::-1]} for p in two
    ]
    ploidy = np.array([[p["wanted"] for p in people]], np.int8)
    caller = gt.Caller(len(people), ploidy, np.full(len(people), 7, np.uint8), gt.Filter())
    mine, theirs = (caller.codes(caller.calls(formats(x, np.int8), 0), 2, (1,)) for x in (two, other))
    assert [SWAPPED[gt.CODES[c]] for c in mine] == [gt.CODES[c] for c in theirs]


@given(
    st.lists(st.lists(st.sampled_from(gt.CODES), min_size=3, max_size=3), min_size=1, max_size=5),
    st.randoms(),
)
def test_merging_equals_plain_rule_in_any_order(records, random):
    stack = [np.array([gt.CODES.index(c) for c in record], np.int8) for record in records]
    expected = [plain.merged([record[i] for record in records]) for i in range(3)]
    assert [gt.CODES[c] for c in gt.merge_codes(stack)] == expected
    random.shuffle(stack)
    assert [gt.CODES[c] for c in gt.merge_codes(stack)] == expected


@given(st.lists(st.sampled_from(range(6)), min_size=1, max_size=20))
def test_codes_survive_as_genotypes(codes):
    codes = np.array(codes, np.int8)
    assert (gt.codes_from_gt(gt.gt_bytes(codes)) == codes).all()


def test_gnomad_profile_asks_only_the_alt_of_a_het():
    fields = {
        "GT": np.array([[2, 4], [4, 6]], np.int8),
        "GQ": np.array([[99], [99]], np.int8),
        "DP": np.array([[30], [30]], np.int8),
        "AD": np.array([[2, 28, 0], [0, 27, 3]], np.int8),
    }
    ploidy = np.array([[2, 2]], np.int8)
    tests = np.full(2, 7, np.uint8)
    goe = gt.Caller(2, ploidy, tests, gt.Filter()).calls(fields, 0).pairs
    gnomad = gt.Caller(2, ploidy, tests, gt.Filter(alt_only=True)).calls(fields, 0).pairs
    assert goe.tolist() == [[-1, -1], [-1, -1]]
    assert gnomad.tolist() == [[0, 1], [-1, -1]]


def test_a_field_that_the_input_lacks_is_not_tested():
    fields = {"GT": np.array([[2, 4]], np.int8)}
    ploidy = np.array([[2]], np.int8)
    none = gt.Caller(1, ploidy, np.array([0], np.uint8), gt.Filter()).calls(fields, 0).pairs
    all_ = gt.Caller(1, ploidy, np.array([7], np.uint8), gt.Filter()).calls(fields, 0).pairs
    assert none.tolist() == [[0, 1]]
    assert all_.tolist() == [[-1, -1]]
