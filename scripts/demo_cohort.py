"""Write the demo cohort: python scripts/demo_cohort.py OUTDIR [--seed N] [--no-reads]."""

import argparse
import os
import sys
from pathlib import Path

from goe.demo import cohort
from goe.errors import GoeError


def main() -> int:
    parser = argparse.ArgumentParser(description="Write a simulated cohort with its truth into a folder.")
    parser.add_argument("outdir", type=Path)
    parser.add_argument("--seed", type=int, default=cohort.SEED)
    parser.add_argument("--no-reads", action="store_true", help="leave out the five people who come as reads")
    args = parser.parse_args()
    os.umask(0o077)
    try:
        counts = cohort.build(args.outdir, args.seed, not args.no_reads)
    except GoeError as error:
        print(f"demo_cohort: {error}", file=sys.stderr)
        return 1
    places = ", ".join(f"{n} on {c}" for c, n in counts["loci"].items())
    print(f"{counts['people']} people, loci: {places}; {args.outdir}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
