"""Disclosure control of the release: which numbers of which site allele may be public.

The unit is the person. A cell is a group of people at one site allele. It is fine when its carriers are nobody or
at least k people and its non-carriers (people called who do not carry the allele) are nobody or at least k people,
counted from people who are heterozygous, homozygous and hemizygous, never from AC. `protect` names the classes
this is asked of: `carriers` these two, `genotypes` each genotype by itself (reference, heterozygous, homozygous or
hemizygous) for controllers to whom it is sensitive as well that a known carrier is homozygous. Where one allele
has haploid and diploid calls (X outside the pseudo-autosomal regions) both rules are asked of each ploidy:
AC_Hemi, which stands beside AC_Het and AC_Hom in every stratum, counts men alone.

What can be derived is checked, not only what is printed: strata are sums, so a difference of published strata is
as good as a published one (people of unknown sex are `EE - EE_M - EE_F`). `goe.disclosure.plan` chooses the strata to
publish once, by their people, so that the published sums form a tree, and gives the smallest groups that sums and
differences can reach (`Plan.groups`). Whatever else can be reached is a union of those, and a sum of cells that
are 0 or at least k is 0 or at least k. An allele whose groups are all fine is published in full. For another:

* Total is not fine: the allele is in no public file.
* `collapse`: Total only.
* `minimal`: the fewest cells are withheld of which nobody can tell the number.
* 1 to k-1 people of a group are called: in no public file, since callable AN may tell that these are few.
* Alleles that cover one base are decided together (`goe.disclosure.position`): they may show less than each by itself.
* Nobody who counts carries it (AC 0): in no public file. It is listed only because somebody who was left out has
  it, or because a genotype that was filtered had it, and a person may be one of a kind there.

What someone who wants to know a withheld cell is taken to know:

* everything public: the people of every stratum, AC, AN, AC_Hom, AC_Het and AC_Hemi of every cell given, that
  counts are whole numbers, that carriers are at most the people called and these at most the people there are,
  that Total is the sum of the countries and of M, F and unknown, that a country is the sum of its own;
* for `minimal` also how many people were called in every cell, which is not public and mostly known anyhow;
* the rule: where two cells of a known sum are withheld, one of the two fails it. A Total of k carriers of which
  only the sexes are withheld leaves 1 to k-1 for each and not k values, so that allele is in no public file;
* for `minimal`, that a country is withheld because it fails: with six countries withheld of which the sum is six
  each would have one. So the sum must either be too large for all to fail, or leave each any number from 1 to
  k-1; and no more than one number is ever ruled out because the cells are not 0. When all countries are withheld,
  this tells nothing and is not asked.

A withheld cell is hidden when at least k numbers of carriers and of non-carriers are left for it, or when every
number that is left is 0 or at least k, so that it could have been published. For `collapse` that is all there is
to know: what it did depends on nothing but whether some group fails. `minimal` chooses a mask among several, in a
fixed order, by numbers that are withheld. Someone who runs it on every table that fits the public numbers can
rule out those for which it would have chosen another mask, and may be left with fewer than k values for a cell,
with a mask that withholds as few cells as can be that cannot be prevented. A controller who fears this takes
`collapse`.

Not covered here: how many people have no call (AN against the people of a stratum), differences to an earlier release
(goe.disclosure.earlier_release), haplotypes that repeat the same carriers at many positions, the bit about country
counts in a FILTER that was decided per country, what someone knows who knows the genotypes of some of the people.
Membership inference is not stopped by any floor (goe.disclosure.membership). `goe.disclosure.audit.audit` proves all
of this again from the finished files, by other means.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from goe.core.errors import GoeError
from goe.disclosure import outcomes
from goe.disclosure.outcomes import FULL, REDUCED, WITHHELD
from goe.disclosure.plan import Plan
from goe.frequencies import strata as st
from goe.genome.build import contig_class
from goe.rules.policy import Policy, stratum_size_problem
from goe.rules.stratum import SEXES, TOTAL, parse
from goe.settings.sections import Disclosure

if TYPE_CHECKING:
    # Loaded where alleles are decided: it needs numba, and most ask for a rule, a rounded number or a reason alone.
    from goe.disclosure import search


def policy(section: Disclosure) -> Policy:
    """The policy of the config section `disclosure`.

    GoeError when min_stratum_size is below min_carriers: a stratum of fewer people holds fewer non-carriers and
    carriers. ValueError when no choice was made.
    """
    if section.open:
        return Policy(k=1, legal_basis=section.legal_basis or "", name="open")
    k, least = section.min_carriers, section.min_stratum_size
    if k is None or section.policy is None or section.protect is None:
        raise ValueError("neither a floor nor an open release")
    problem = stratum_size_problem(k, least)
    if problem:
        raise GoeError(problem)
    return Policy(k=k, name=section.policy, protect=section.protect, least=least)


@dataclass(frozen=True)
class Decision:
    """What of each allele is public.

    shown: bool (strata, alleles), whether the cell of a published stratum is public; all False for an allele that
    is withheld, and Total is always among those of another. outcome: uint8 (alleles,), WITHHELD, REDUCED or FULL.
    reason: uint8 (alleles,), index in REASONS.
    """

    shown: np.ndarray
    outcome: np.ndarray
    reason: np.ndarray


def apply(
    people: np.ndarray,
    chosen: Plan,
    rule: Policy,
    pos: np.ndarray | None = None,
    end: np.ndarray | None = None,
    most: np.ndarray | None = None,
) -> Decision:
    """Decide for every allele.

    people: int array (leaves, 5, alleles) as strata.CALLS, leaves as `chosen.leaves`, in people. pos, end: (alleles,),
    first and last base of REF, in order; None for alleles far from each other. most: uint8 (alleles,), the outcome an
    earlier release allows (goe.disclosure.earlier_difference), where REDUCED is Total only. The decision on an allele
    depends on its own numbers and on those of alleles that overlap it, in a chain, which have to be there.
    """
    from goe.disclosure import search

    alleles = people.shape[-1]
    shown = np.zeros((len(chosen.strata), alleles), dtype=bool)
    outcome = np.full(alleles, FULL, dtype=np.uint8)
    reason = np.zeros(alleles, dtype=np.uint8)
    alone = np.zeros(alleles, dtype=bool)
    people = np.ascontiguousarray(people, dtype=np.int32)
    if rule.open:
        shown[:] = True
    elif chosen.people[TOTAL] < rule.min_stratum_size:
        outcome[:], reason[:] = WITHHELD, outcomes.FEW_PEOPLE
    else:
        search.decide(
            people,
            _table(chosen),
            search.Rule(rule.k, rule.protect == "genotypes", rule.name == "minimal"),
            shown,
            outcome,
            reason,
            alone,
        )
        decision = Decision(shown, outcome, reason)
        if most is not None:
            _lower(decision, most, chosen)
        if pos is not None and end is not None:
            _settle(people, chosen, rule, pos, end, alone, decision)
    return Decision(shown, outcome, reason)


def _lower(decision: Decision, most: np.ndarray, chosen: Plan) -> None:
    """Change a decision to what each allele may be at most."""
    lower = decision.outcome > most
    lower |= (most == REDUCED) & (decision.outcome == REDUCED) & (decision.shown.sum(axis=0) > 1)
    decision.outcome[lower] = most[lower]
    decision.shown[:, lower] = False
    decision.shown[chosen.strata.index(TOTAL), lower] = most[lower] == REDUCED
    decision.reason[lower] = np.where(most[lower] == REDUCED, outcomes.AS_EARLIER, outcomes.BESIDE_EARLIER)


def _settle(
    people: np.ndarray,
    chosen: Plan,
    rule: Policy,
    pos: np.ndarray,
    end: np.ndarray,
    alone: np.ndarray,
    decision: Decision,
) -> None:
    """Change a decision so that alleles that cover one base tell nothing together (`goe.disclosure.position`)."""
    from goe.disclosure import position

    overlap = position.several(pos, end)
    if not len(overlap):
        return
    counts = np.stack([people[list(group)][:, :, overlap].sum(axis=0, dtype=np.int64) for group in chosen.groups])
    atoms = np.array([[leaf in group for leaf in range(len(chosen.leaves))] for group in chosen.groups])
    # Countries and all that are not published, sexes where they are, atoms; and for each all others.
    of_leaf = [parse(leaf) for leaf in chosen.leaves]
    kinds = [[leaf.country if leaf.country in chosen.strata else "" for leaf in of_leaf]]
    if not {*SEXES}.isdisjoint(chosen.strata):
        kinds.append([leaf.sex for leaf in of_leaf])
    groups = {tuple((atoms & (np.array(kind) == name)).any(axis=1)) for kind in kinds for name in set(kind)}
    groups |= {tuple(i == j for j in range(len(atoms))) for i in range(len(atoms))}
    groups |= {tuple(not inside for inside in group) for group in groups}
    asked = sorted(group for group in groups if any(group) and not all(group))
    total = chosen.strata.index(TOTAL)
    outcome = decision.outcome[overlap]
    why = np.zeros(len(overlap), dtype=np.uint8)
    position.settle(
        pos[overlap].astype(np.int64),
        end[overlap].astype(np.int64),
        position.Calls(*(np.ascontiguousarray(counts[:, i].T) for i in range(len(st.CALLS)))),
        position.Asked(
            groups=np.array(asked, dtype=bool).reshape(-1, len(atoms)),
            people=atoms @ np.array(_sizes(chosen), dtype=np.int64),
            k=rule.k,
            genotypes=rule.protect == "genotypes",
        ),
        alone[overlap],
        outcome,
        (outcome == REDUCED) & (decision.shown[:, overlap].sum(axis=0) > 1),
        why,
    )
    changed, why = overlap[why != position.UNCHANGED], why[why != position.UNCHANGED]
    decision.outcome[overlap] = outcome
    decision.shown[:, changed] = False
    decision.shown[total, changed] = decision.outcome[changed] == REDUCED
    reasons = np.array([outcomes.SHOWN, outcomes.SHARED, outcomes.TOGETHER], dtype=np.uint8)
    decision.reason[changed] = reasons[why]
    gone = decision.reason == outcomes.TOGETHER
    decision.reason[gone & ~_overlap(pos, end, decision.outcome != WITHHELD)] = outcomes.ALL_TOGETHER


def _overlap(pos: np.ndarray, end: np.ndarray, which: np.ndarray) -> np.ndarray:
    """bool (alleles,): whether one of `which` overlaps. pos, end: first and last base of alleles in order."""
    reach = np.maximum.accumulate(np.append(-1, end[which]))
    return np.asarray(reach[np.searchsorted(pos[which], end, side="right")] >= pos)


def published_groups(chosen: Plan, rule: Policy) -> list[tuple[str, ...]]:
    """The smallest groups that published strata tell apart, as leaves; none where the people are too few to publish
    anything."""
    if chosen.people[TOTAL] < rule.min_stratum_size:
        return []
    return [tuple(chosen.leaves[i] for i in group) for group in chosen.groups]


def _table(chosen: Plan) -> "search.Strata":
    """The strata of a plan as rows (published countries, then the rest) x sexes, for `search.decide`."""
    from goe.disclosure import search

    countries = [c for c in st.countries(chosen.leaves) if c in chosen.strata]
    rest = any(
        n and parse(leaf).country not in countries for leaf, n in zip(chosen.leaves, _sizes(chosen), strict=True)
    )
    rows = [*countries, *([""] if rest else [])]
    place = np.zeros((len(chosen.leaves), 2), dtype=np.int64)
    size = np.zeros((max(1, len(rows)), 3), dtype=np.int64)
    for i, (leaf, n) in enumerate(zip(chosen.leaves, _sizes(chosen), strict=True)):
        # People that are in no row have none of them, and any row will do.
        country, sex = parse(leaf)
        place[i] = (countries.index(country) if country in countries else len(rows) - 1, "MFU".index(sex))
        size[tuple(place[i])] += n
    index = {stratum: i for i, stratum in enumerate(chosen.strata)}
    names = [TOTAL, *SEXES]
    for row in rows:
        names += [row, f"{row}_M", f"{row}_F"]
    order = np.array([index.get(name, -1) for name in names], dtype=np.int64)
    published = order[3:].reshape(-1, 3) >= 0
    # A country that is not given by sex is one cell, whoever its people are.
    split = np.asarray(published[:, 1:].any(axis=1) | (order[1:3] >= 0).any())
    for group in chosen.groups:
        if len({parse(chosen.leaves[i]).sex for i in group}) > 1:
            split[place[group[0], 0]] = False
    sexes = int((order[1:3] >= 0).sum())
    return search.Strata(place, len(countries), published, split, size, order, sexes)


def _sizes(chosen: Plan) -> list[int]:
    return [chosen.people[leaf] for leaf in chosen.leaves]


def open_statistics(shown: np.ndarray, chosen: Plan, contig: str) -> dict[str, np.ndarray]:
    """Which statistics of a site may be public with these cells: name -> bool (alleles,).

    shown: bool (strata, alleles) as in Decision. faf follows from Total. HWE and the inbreeding
    coefficient follow from the diploid people of the countries, on X from their women, whose own cells are asked for
    except where a country has men and no women: open where all of these are given. The call rate is AN of Total over
    the AN of everybody, which on X and Y tells how many are men and how many women: closed there when M and F are not
    published. FILTER is always given.
    """
    total = shown[chosen.strata.index(TOTAL)]
    kind = contig_class(contig)
    countries = [c for c in st.countries(chosen.leaves) if any(_people_of(chosen, c))]
    needed = [*countries]
    if kind == "X":
        # A reader who sees neither sex of a country cannot know that it has no women.
        needed += [f"{c}_F" for c in countries for men, women, _ in [_people_of(chosen, c)] if women or not men]
    by_country = total.copy()
    for stratum in needed:
        by_country &= shown[chosen.strata.index(stratum)] if stratum in chosen.strata else False
    men, women = (sum(_people_of(chosen, c)[i] for c in countries) for i in range(2))
    sexes = ("M" in chosen.strata or not men) and ("F" in chosen.strata or not women)
    return {
        "call_rate": total & (sexes or kind not in ("X", "Y")),
        "hwe_p": by_country,
        "inbreeding_coeff": by_country,
        "faf95": total,
        "faf99": total,
    }


def _people_of(chosen: Plan, country: str) -> tuple[int, int, int]:
    """People of a country by sex: men, women, unknown."""
    male, female, unknown = (chosen.people.get(f"{country}_{sex}", 0) for sex in "MFU")
    return male, female, unknown


def rounded(n: int, k: int) -> int:
    """n to the nearest multiple of k, never to 0 unless n is 0.

    For every count beside the frequencies (people left out, alleles withheld, ledgers): a shown figure other than 0
    stands for at least k possible ones. Two figures that bound each other may tell more than either, so only the
    parts of an account that have nobody in common are rounded, and its sums are sums of what is shown.
    """
    return n if k <= 1 or n == 0 else max(k, (n + k // 2) // k * k)


def rounded_part(n: int, whole: int, k: int) -> int:
    """n of `whole` that is public itself: 0 and all of them as they are, else as `rounded` but never close to all.

    A figure in between stands for at least k possible ones where the whole is above k.
    """
    if n in (0, whole):
        return n
    return min(rounded(n, k), max(k, (whole - (k + 1) // 2) // k * k))
