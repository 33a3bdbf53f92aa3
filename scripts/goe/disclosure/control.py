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
(goe.disclosure.earlier_release), rare haplotypes that repeat the same carriers at many sites, the bit about country
counts in a FILTER that was decided per country, what someone knows who knows the genotypes of some of the people.
Membership inference is not stopped by any floor (goe.disclosure.membership). `goe.disclosure.audit.audit` proves all
of this again from the finished files, by other means.
"""

from dataclasses import dataclass

import numpy as np

from goe.core.errors import GoeError, Problem
from goe.disclosure import search
from goe.disclosure.plan import Plan
from goe.disclosure.search import FULL as FULL
from goe.disclosure.search import REDUCED as REDUCED
from goe.disclosure.search import WITHHELD as WITHHELD
from goe.frequencies import strata as st
from goe.genome.build import contig_class
from goe.rules.stratum import SEXES, TOTAL, parse
from goe.settings.sections import Disclosure

OUTCOMES = ("WITHHELD", "REDUCED", "FULL")
POLICIES = ("collapse", "minimal")
PROTECT = ("carriers", "genotypes")

# By the number in `Decision.reason`: why an allele is in no public file, and last why it may show less than it could.
REASONS = (
    "",
    "nobody who counts carries it",
    "the people are too few to publish anything",
    "carriers or non-carriers of Total are too few",
    "haploid and diploid calls that no region explains, of too few people",
    "Total alone would tell the numbers of a withheld stratum",
    "in part public: the search for the fewest cells was ended",
)


@dataclass(frozen=True)
class Policy:
    """What the controller chose.

    k: min_carriers, at least 1, in people; 1 hides nothing, which is an open release, and has a legal basis.
    name: collapse, minimal or open. protect: carriers or genotypes. least: people below which a stratum is not
    published, None for the default.
    """

    k: int
    legal_basis: str = ""
    name: str = "collapse"
    protect: str = "carriers"
    least: int | None = None

    @property
    def open(self) -> bool:
        """Whether every count is public."""
        return self.k <= 1

    @property
    def min_stratum_size(self) -> int:
        """People below which a stratum is not published.

        The default is 2k. Below that a cell cannot have k carriers and k non-carriers at once, so the stratum
        would fail at every allele that some but not all of its people carry, and take others with it.
        """
        if self.least is not None:
            return self.least
        return 1 if self.open else 2 * self.k


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
    if least is not None and least < k:
        raise GoeError(
            Problem(
                "config disclosure.min_stratum_size",
                f"{least} is below min_carriers, {k}",
                f"set it to {k} or more, or leave it out for {2 * k}",
            )
        )
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


def apply(people: np.ndarray, chosen: Plan, rule: Policy) -> Decision:
    """Decide for every allele.

    people: int array (leaves, 5, alleles) as strata.CALLS, leaves as `chosen.leaves`, in people. The decision on
    an allele depends on its own numbers alone.
    """
    alleles = people.shape[-1]
    shown = np.zeros((len(chosen.strata), alleles), dtype=bool)
    outcome = np.full(alleles, FULL, dtype=np.uint8)
    reason = np.zeros(alleles, dtype=np.uint8)
    if rule.open:
        shown[:] = True
    elif chosen.people[TOTAL] < rule.min_stratum_size:
        outcome[:], reason[:] = WITHHELD, search.FEW_PEOPLE
    else:
        place, rows, countries, published, split, size, order = _table(chosen)
        search.decide(
            np.ascontiguousarray(people, dtype=np.int32),
            place,
            rows,
            countries,
            published,
            split,
            size,
            order,
            rule.k,
            rule.protect == "genotypes",
            rule.name == "minimal",
            shown,
            outcome,
            reason,
        )
    return Decision(shown, outcome, reason)


def published_groups(chosen: Plan, rule: Policy) -> list[tuple[str, ...]]:
    """The smallest groups that published strata tell apart, as leaves; none where the people are too few to publish
    anything."""
    if chosen.people[TOTAL] < rule.min_stratum_size:
        return []
    return [tuple(chosen.leaves[i] for i in group) for group in chosen.groups]


def _table(chosen: Plan) -> tuple[np.ndarray, int, int, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The strata of a plan as rows (published countries, then the rest) x sexes, for `search.decide`."""
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
    return place, len(rows), len(countries), published, split, size, order


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
