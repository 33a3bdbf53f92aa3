"""Compare a run on the demo cohort with its truth: python scripts/demo_compare.py DEMODIR RUNDIR [--names]."""

import argparse
import os
import sys
from pathlib import Path

from goe.demo import compare
from goe.errors import GoeError


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare a run on the demo cohort with the truth of the cohort.")
    parser.add_argument("demo", type=Path, help="folder that demo_cohort.py wrote")
    parser.add_argument("run", type=Path, help="folder with work/ and release/ of the run")
    parser.add_argument("--names", action="store_true", help="also name wrong calls, on the terminal alone")
    args = parser.parse_args()
    os.umask(0o077)
    try:
        report = compare.compare(args.demo, args.run)
    except (GoeError, FileNotFoundError) as error:
        print(f"demo_compare: {error}", file=sys.stderr)
        return 1
    text = "\n".join(report.lines) + "\n"
    (args.run / "work" / "demo_comparison.txt").write_text(text)
    print(text, end="")
    if args.names:
        truth = compare.Truth.read(args.demo / "truth")
        seen, _ = compare.read_harmonised(args.run / "work" / "harmonise", [p["sample_id"] for p in truth.people])
        print("\n".join(compare.wrong_calls(truth, seen)))
    return 1 if report.wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
