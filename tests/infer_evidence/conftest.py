"""Models of known evidence, shared by the tests of this folder, and the toys of the runs' tests."""

import sys
from pathlib import Path

for folder in ("infer_evidence", "infer_runs"):
    sys.path.insert(0, str(Path(__file__).parents[1] / folder))
