"""`python -m guardian`: the command line."""

import sys

from guardian.cli import main

sys.exit(main())
