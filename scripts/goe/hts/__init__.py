"""File formats of sequencing data, and Parquet between the stages: read, written, held against what they promise."""
