"""Pages of the documentation that are made from the package, so that they cannot be out of date.

They are built when the documentation is built (`docs/hooks.py`) and are never written to the repository. Each module
turns one thing into Markdown: the configuration's keys, the commands, the tables of measured spectra, files of the
checkout. To add a page, write a function without arguments that returns Markdown, and name it here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from . import command_line, configuration, data, included, parameters

PAGES: Mapping[str, Callable[[], str]] = {
    "reference/configuration.md": configuration.page,
    "reference/parameters.md": parameters.page,
    "reference/command_line.md": command_line.page,
    "reference/data.md": data.page,
    "reference/run_folder.md": included.run_folder,
    "benchmarks.md": included.benchmarks,
    "changelog.md": included.changelog,
    "contributing.md": included.contributing,
}
"""Generated pages by their place in the documentation."""

__all__ = ["PAGES"]
