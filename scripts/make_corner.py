"""Corner plot of one run or several: python scripts/make_corner.py RUN... [--parameters NAMES] [--output FILE].

Reads run folders only; neither model nor data are needed. `stellarcr plot corner` has more options.
"""

import argparse
from pathlib import Path

from stellarcr.studies.pictures import draw_corner

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("runs", nargs="+", type=Path, help="run folders, such as chains/quickstart")
parser.add_argument("--parameters", help="names, prefixes (snr) or patterns (*.gamma), separated by commas")
parser.add_argument("--output", type=Path, help="file without suffix; default: a name of its own in <first run>/plots")
arguments = parser.parse_args()

chosen = arguments.parameters.split(",") if arguments.parameters else None
for path in draw_corner(arguments.runs, arguments.output, parameters=chosen):
    print(path)
