"""What gdi-mini-node 0.9.1 makes of a VCF, written anew from GenomicDataInfrastructure/gdi-mini-node,
parquet-writer/_vcf_af_reader.py and _vcf_base_reader.py, its faults included."""

from cyvcf2 import VCF

STANDARD = ("AF", "AC", "AC_Het", "AC_Hom", "AC_Hemi", "AN")


def populations(info, label=None):
    """population -> {INFO id: standard name}, in the order of the header. info: (id, Number) of its INFO lines."""
    bare, found = {}, {}
    scalar = []

    def validate(name, number):
        if name.split("_")[0] == "AN":
            is_scalar = number in (None, "1")
            if scalar and scalar[-1] != is_scalar:
                raise RuntimeError(f"{name} has a different Number value")
            scalar.append(is_scalar)
            if is_scalar:
                return
        if number != "A":
            raise RuntimeError(f"{name} must have Number=A")

    for name, number in info:
        if name in STANDARD:
            validate(name, number)
            bare[name] = name
            continue
        if name[:3] not in ("AF_", "AC_", "AN_"):
            continue
        parts = name.split("_")
        # The reader asks for parts[2] of any id with more than one part.
        first, second = parts[1], parts[2]
        if first in ("M", "F"):
            population, standard = first, [parts[0], *parts[2:]]
        elif len(first) == 2 and first == first.upper():
            if second in ("M", "F"):
                population, standard = f"{first}_{second}", [parts[0], *parts[3:]]
            else:
                population, standard = first, [parts[0], *parts[2:]]
        else:
            continue
        if "_".join(standard) not in STANDARD:
            continue
        validate(name, number)
        found.setdefault(population, {})[name] = "_".join(standard)
    if not found:
        if label is None:
            raise RuntimeError("The VCF does not contain GDI populations")
        found[label] = bare
    for population, ids in found.items():
        assert "AF" in ids.values(), population
    return found


def header(vcf):
    out = []
    for line in vcf.header_iter():
        if line.type == "INFO":
            about = line.info()
            out.append((about.get("ID", ""), about.get("Number")))
    return out


def rows(path, label=None):
    """(rows of every population, rows that reach the Parquet file), each (contig, pos, ref, alt, population,
    {standard name: value})."""
    vcf = VCF(str(path))
    found = populations(header(vcf), label)
    asked, written = [], []
    before = None
    for variant in vcf:
        place = (variant.CHROM, variant.POS)
        if before and before[0] == place[0] and before[1] > place[1]:
            raise RuntimeError("Variants not in order")
        before = place
        assert len(variant.ALT) == 1
        for population, ids in found.items():
            values = {}
            for name, standard in ids.items():
                value = variant.INFO.get(name)
                if isinstance(value, tuple):
                    (value,) = value
                if value is not None and (not isinstance(value, int | float) or value < 0):
                    raise RuntimeError(f"{name} value {value}")
                values[standard] = value
            asked.append((variant.CHROM, variant.POS - 1, variant.REF, variant.ALT[0], population, values))
        # One dict is filled in turn and added to the file after the last population.
        written.append(asked[-1])
    vcf.close()
    return asked, written
