"""What a client of tests/consumers/requirements.lock (or hail) makes of a path, as JSON: asked.py CLIENT PATH.

Run by the Python of that environment, so that nothing of goe is near.
"""

import json
import sys
from pathlib import Path


def duckdb(folder):
    """Rows of both tables."""
    import duckdb

    def rows(query):
        found = duckdb.sql(query)
        return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]

    long, wide = (rows(f"SELECT * FROM '{folder}/{name}/*.parquet'") for name in ("frequencies", "frequencies-wide"))
    return {"version": duckdb.__version__, "long": long, "wide": wide}


def duckdb_query(path):
    """Rows of the query in a file."""
    import duckdb

    found = duckdb.sql(Path(path).read_text())
    return {"columns": found.columns, "rows": found.fetchall()}


def vrs(path):
    """VRS identifiers of alleles in a file: {sequence, refget, alleles: [[pos, ref, alt], ...]}."""
    import ga4gh.vrs
    from ga4gh.core import ga4gh_identify
    from ga4gh.vrs import models
    from ga4gh.vrs.dataproxy import _DataProxy
    from ga4gh.vrs.normalize import normalize

    given = json.loads(Path(path).read_text())

    class Sequences(_DataProxy):
        def get_sequence(self, identifier, start=None, end=None):
            return given["sequence"][start:end]

        def get_metadata(self, identifier):
            return {"length": len(given["sequence"]), "aliases": [f"ga4gh:{given['refget']}"], "alphabet": "ACGT"}

    proxy, found = Sequences(), []
    where = models.SequenceReference(refgetAccession=given["refget"])
    for pos, ref, alt in given["alleles"]:
        location = models.SequenceLocation(sequenceReference=where, start=pos - 1, end=pos - 1 + len(ref))
        allele = models.Allele(location=location, state=models.LiteralSequenceExpression(sequence=alt))
        found.append(ga4gh_identify(normalize(allele, proxy)))
    return {"version": ga4gh.vrs.__version__, "ids": found}


def va_spec(folder):
    """How many lines of the files in a folder are a CohortAlleleFrequencyStudyResult; the first that is none stops."""
    import gzip

    from ga4gh.va_spec.base.core import CohortAlleleFrequencyStudyResult

    lines = 0
    for path in sorted(Path(folder).iterdir()):
        for line in gzip.decompress(path.read_bytes()).splitlines():
            CohortAlleleFrequencyStudyResult.model_validate_json(line)
            lines += 1
    return {"lines": lines}


def hail(path):
    """Rows of a VCF: {contig, pos, ref, alt, info: tag -> value of the allele}. Needs Java; hail brings PySpark."""
    import hail as hl

    hl.init(quiet=True, master="local[1]", log=f"{path}.log", tmp_dir=str(Path(path).parent))
    read = hl.import_vcf(path, force_bgz=True, reference_genome=None, array_elements_required=False)
    rows = [
        dict(zip(("contig", "pos", "ref", "alt"), (row.locus.contig, row.locus.position, *row.alleles), strict=True))
        | {"info": {name: value[0] if isinstance(value, list) else value for name, value in row.info.items()}}
        for row in read.rows().collect()
    ]
    return {"version": hl.version(), "rows": rows}


CLIENTS = {"duckdb": duckdb, "hail": hail, "duckdb_query": duckdb_query, "va_spec": va_spec, "vrs": vrs}
if __name__ == "__main__":
    print(json.dumps(CLIENTS[sys.argv[1]](sys.argv[2])))
