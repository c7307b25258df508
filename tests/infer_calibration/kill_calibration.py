"""A calibration in a process of its own, to be killed: python kill_calibration.py FOLDER MOCKS [resume]."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from calibration_toys import Line, fit_of

from stellarcr.studies.calibrate import run_calibration

if __name__ == "__main__":
    run_calibration(
        fit_of(Line(sleep=0.02)), int(sys.argv[2]), Path(sys.argv[1]), plots=False, resume="resume" in sys.argv[3:]
    )
