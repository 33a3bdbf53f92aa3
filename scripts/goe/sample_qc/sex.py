"""Sex chromosomes by the data: copies of X and Y from depth and heterozygosity."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from goe.genome.build import REGION_DIPLOID, REGION_X, REGION_Y

XX, XY, X0, XXY, XYY, XXX = "XX", "XY", "X0", "XXY", "XYY", "XXX"
AMBIGUOUS, UNKNOWN = "ambiguous", "unknown"
ANEUPLOID = frozenset({X0, XXY, XYY, XXX})
_KARYOTYPE = {(2, 0): XX, (1, 1): XY, (1, 0): X0, (2, 1): XXY, (1, 2): XYY, (3, 0): XXX}
_OF_SEX = {"M": XY, "F": XX}

Classes = Mapping[int, Mapping[str, int]]


@dataclass(frozen=True)
class Evidence:
    """What the data of one person says; None where it says nothing.

    x_depth, y_depth: depth outside the PARs over the autosomal depth (1 = two copies); x_het: share of hets among
    the non-reference calls of X outside the PARs, over the same share of the autosomes; x_of_reads: whether x_depth
    is of the reads, over the whole of X, and not of the genotypes at variants alone.
    """

    x_depth: float | None = None
    y_depth: float | None = None
    x_het: float | None = None
    x_of_reads: bool = False


def has_y_data(people: Iterable[Classes], limits: Mapping[str, float]) -> bool:
    """Whether anybody of these people has calls with a depth on Y outside the PARs, at enough records to judge the
    others by.

    People whose callset holds no Y at all are not people without a Y, nor are those of a callset without depths:
    the people of one joint VCF, or of one type of files for one person, are looked at together.
    """
    return any(
        counts.get(REGION_Y, {}).get("n_dp", 0) >= limits["y_min_records"]
        and counts[REGION_Y]["n_dp"] * 2 >= counts[REGION_Y]["n_records"]
        for counts in people
    )


def evidence(
    classes: Classes, tools: Mapping[str, float | None], input_type: str, y_data: bool, limits: Mapping[str, float]
) -> Evidence:
    """Evidence of one person.

    classes: region class -> counters of the genotype pass (before ploidy); tools: x_depth_ratio and y_depth_ratio
    from the reads, where there are reads; y_data: `has_y_data` of the people looked at together with this one.
    """
    autosome, x, y = (classes.get(c, {}) for c in (REGION_DIPLOID, REGION_X, REGION_Y))

    def mean_depth(counts: Mapping[str, int], over: str) -> float | None:
        return counts["sum_dp"] / counts[over] if counts.get(over) and counts.get("n_dp") else None

    def het_share(counts: Mapping[str, int]) -> float | None:
        calls = counts.get("n_het", 0) + counts.get("n_hom_alt", 0)
        return counts["n_het"] / calls if calls >= limits["x_min_calls"] else None

    # Everybody has an X: where no read is on it, the file has none of it.
    x_depth, y_depth = tools.get("x_depth_ratio") or None, tools.get("y_depth_ratio")
    of_reads = x_depth is not None
    if x_depth is None:
        of_x, base = mean_depth(x, "n_dp"), mean_depth(autosome, "n_dp")
        # A few calls give no mean; there are more autosomal ones always.
        if of_x is not None and base and x["n_dp"] >= limits["x_min_calls"]:
            x_depth = of_x / base
    if y_depth is None and y_data and _says_of_y(y, input_type, limits):
        # Over all records, so that one without a call stands for no depth.
        base = mean_depth(autosome, "n_records")
        if base:
            y_depth = y["sum_dp"] / y["n_records"] / base
    of_x, base = het_share(x), het_share(autosome)
    return Evidence(x_depth, y_depth, of_x / base if of_x is not None and base else None, of_reads)


def _says_of_y(y: Mapping[str, int], input_type: str, limits: Mapping[str, float]) -> bool:
    """Whether no depth on Y means that there is no Y, by the person's own counters there.

    A joint VCF has a record for everybody or for nobody. A file of one person has to speak itself, if only of a depth
    of 0: where other people's records are all there is, the file may hold no Y, and that of a man too. A single-sample
    VCF has no record where there is no variant, so it tells nothing. Nor do calls without any depth.
    """
    if input_type == "vcf" or (y.get("n_called") and not y["n_dp"]):
        return False
    return y.get("n_records" if input_type == "joint_vcf" else "n_said", 0) >= limits["y_min_records"]


def copies_of_x(seen: Evidence, limits: Mapping[str, float]) -> int | None:
    """1, 2 or 3; 0 when the evidence lies between or contradicts itself; None without evidence.

    Depth decides where there is one, hets where not, and these tell no third copy. Hets on what by depth is a
    single X contradict it; few hets on two copies do not (runs of homozygosity). A depth of reads between one copy
    and two stays unclear, since cells with one X among cells with two look like that; one of genotypes, of variants
    alone, is too rough to say so, and hets decide.
    """

    def copies(value: float | None, one_min: float, one_max: float, two_min: float) -> int | None:
        if value is None:
            return None
        return 1 if one_min <= value <= one_max else 2 if value >= two_min else 0

    by_depth = copies(seen.x_depth, limits["x_depth_one_min"], limits["x_depth_one_max"], limits["x_depth_two_min"])
    by_het = copies(seen.x_het, 0, limits["x_het_one_max"], limits["x_het_two_min"])
    if by_depth is None:
        return by_het
    if by_depth == 2 and seen.x_depth is not None and seen.x_depth >= limits["x_depth_three_min"]:
        return 3
    if by_depth == 0 and not seen.x_of_reads and by_het is not None:
        return by_het
    return 0 if by_depth == 1 and by_het == 2 else by_depth


def copies_of_y(seen: Evidence, limits: Mapping[str, float]) -> int | None:
    """0, 1 or 2; -1 when the depth lies between; None without evidence."""
    if seen.y_depth is None:
        return None
    if seen.y_depth <= limits["y_depth_none_max"]:
        return 0
    if seen.y_depth < limits["y_depth_one_min"]:
        return -1
    return 1 if seen.y_depth < limits["y_depth_two_min"] else 2


def infer(seen: Evidence, limits: Mapping[str, float]) -> tuple[str, str]:
    """(XX, XY, X0, XXY, XYY, XXX, ambiguous or unknown; why, where it is one of the last two or rests on X alone)."""
    x, y = copies_of_x(seen, limits), copies_of_y(seen, limits)
    if x == 1 and seen.x_of_reads and seen.y_depth == 0:
        # A few reads of everybody map to Y, those of X0 too: none at all is a file without it.
        y = None
    if x is None:
        return UNKNOWN, "no X data" if y is None else "no X data, Y alone is not enough"
    copies_text = ", ".join(
        f"{name} {value:.2f}"
        for name, value in (("X depth", seen.x_depth), ("X het", seen.x_het), ("Y depth", seen.y_depth))
        if value is not None
    )
    if x == 0:
        return AMBIGUOUS, f"copies of X unclear ({copies_text})"
    if y is None:
        return {1: XY, 2: XX, 3: XXX}[x], "by X alone, no Y data"
    if y == -1 or (x, y) not in _KARYOTYPE:
        return AMBIGUOUS, f"copies of Y unclear ({copies_text})"
    return _KARYOTYPE[x, y], ""


def judge(sheet: str, inferred: str) -> tuple[str, str | None]:
    """(sex to count with: M, F or U; flag or None) from the sheet's sex and the inferred one.

    Nobody is relabelled: what the data contradicts, or finds aneuploid or ambiguous, counts as of unknown sex.
    A sheet that says unknown stays so.
    """
    if inferred in ANEUPLOID:
        return "U", "sex_aneuploid"
    if inferred == AMBIGUOUS:
        return "U", "sex_ambiguous"
    if sheet in _OF_SEX and inferred in (XX, XY) and inferred != _OF_SEX[sheet]:
        return "U", "sex_mismatch"
    return sheet, None
