"""`python -m goe` is the command `goe`."""

import sys

from goe.cli import main

if __name__ == "__main__":
    sys.exit(main())
