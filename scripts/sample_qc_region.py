"""Variant counts of every person, and the common SNVs, of one autosomal region."""

import json

import numpy as np
import pyarrow as pa
from goe.core import logs, seal, tables
from goe.harmonise import people as cohort
from goe.hts import parquet
from goe.hts.bcf import open_bcf
from goe.rules import sample_thresholds as sample_rules
from goe.sample_qc import metrics as sample_metrics

with logs.to(snakemake.log), seal.job(snakemake):
    params = snakemake.params
    limits = sample_rules.load(snakemake.input.guidelines, params.thresholds).parameters
    sheet = tables.read_people(snakemake.input.people)
    with open_bcf(snakemake.input.bcf, formats=("GT", "FT")) as reader:
        samples = cohort.people_of(reader, snakemake.input.people).ids
        common = sample_metrics.CommonSnvs(
            max(1, int(params.autosome_length // limits["kinship_max_candidates"])),
            limits["kinship_min_maf"],
            limits["kinship_min_call_rate"],
            np.array([sheet[s]["input_type"] == "vcf" for s in samples], np.bool_),
        )
        counts = sample_metrics.count_variants(reader, len(samples), params.accept_filters, common)
    with open_bcf(snakemake.input.joint, formats=("GT", "AD", "GQ", "DP")) as reader:
        place = {sample: i for i, sample in enumerate(reader.header.samples)}
        charr = np.zeros((len(place), counts.shape[1]), np.int64)
        alone = np.array([sheet[s]["input_type"] == "vcf" for s in place], np.bool_)
        sample_metrics.add_charr(reader, charr, limits, alone)
    counts += charr[[place[sample] for sample in samples]]
    columns = [pa.array(samples), *(pa.array(column) for column in counts.T)]
    parquet.write(pa.Table.from_arrays(columns, schema=sample_metrics.REGION_SCHEMA), snakemake.output.counts)
    contigs, positions, refs, alts = zip(*common.sites, strict=True) if common.sites else ((), (), (), ())
    table = pa.table(
        {
            "contig": pa.array(contigs, pa.string()),
            "pos": pa.array(positions, pa.int32()),
            "ref": pa.array(refs, pa.string()),
            "alt": pa.array(alts, pa.string()),
            "bed": pa.array(common.rows, pa.binary()),
        }
    ).replace_schema_metadata({"goe": json.dumps({"samples": samples, "spacing": common.spacing})})
    parquet.write(table, snakemake.output.common)
