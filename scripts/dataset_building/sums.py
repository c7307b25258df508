"""The list of hashes that comes with ``datasets/``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def update_sums(written: Iterable[Path], output: Path) -> None:
    """Write ``SHA256SUMS``: new lines for the folders of the written files, those of other folders kept.

    Parameters
    ----------
    written : iterable of pathlib.Path
        All files of their top folders (``spectra``, ``tracks``, ...).
    output : pathlib.Path
        The datasets folder.
    """
    sums = output / "SHA256SUMS"
    files = {path.relative_to(output).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in written}
    made = {name.partition("/")[0] for name in files}
    old = sums.read_text(encoding="utf-8").splitlines() if sums.is_file() else []
    kept = dict(reversed(line.split("  ", 1)) for line in old if line.strip())
    files |= {name: digest for name, digest in kept.items() if name.partition("/")[0] not in made}
    lines = [f"{files[name]}  {name}\n" for name in sorted(files, key=lambda name: Path(name).parts)]
    sums.write_text("".join(lines), encoding="utf-8")
