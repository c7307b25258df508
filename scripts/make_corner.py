"""Corner plot of one run or several: python scripts/make_corner.py RUN... [--parameters NAMES] [--output FILE].

Reads run folders only; neither model nor data are needed.
"""

import argparse
from pathlib import Path

import stellarcr
from stellarcr.plots.corner import corner_plot
from stellarcr.plots.style import save

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("runs", nargs="+", help="run folders, such as chains/quickstart")
parser.add_argument("--parameters", help="names, groups (snr) or patterns (*.gamma), separated by commas")
parser.add_argument("--output", type=Path, help="file without suffix; default: corner in the first run's plots folder")
arguments = parser.parse_args()

runs = [stellarcr.load_run(path) for path in arguments.runs]
chosen = arguments.parameters.split(",") if arguments.parameters else None
target = arguments.output or runs[0].path / "plots" / "corner"
target.parent.mkdir(parents=True, exist_ok=True)
for path in save(corner_plot(runs, chosen), target):
    print(path)
