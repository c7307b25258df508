"""A user's own Python objects, named in a configuration as ``file.py:Name`` or ``module:Name``.

The SHA-256 of the code are kept, so that a run can tell whether it is still the one that it began with. An `Extension`
is only names and hashes: it travels to worker processes, which import the code again.
"""

from .importing import describe_failure, failing_line
from .objects import Extension, asked_for, call_with_options, entry_points, find_extension
from .references import HOW, absolute_reference, absolute_references, is_reference

__all__ = [
    "HOW",
    "Extension",
    "absolute_reference",
    "absolute_references",
    "asked_for",
    "call_with_options",
    "describe_failure",
    "entry_points",
    "failing_line",
    "find_extension",
    "is_reference",
]
