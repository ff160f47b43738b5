"""`python -m guardian`: the command line."""

import sys

from guardian.cli import main

if __name__ == "__main__":  # workers that a command spawns import this file again
    sys.exit(main())
