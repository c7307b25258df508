"""What the documentation needs of MkDocs: generated pages, and equations that are made when the site is built.

Equations become MathML, which browsers draw without scripts or fonts from elsewhere: the site works without a network.
"""

from __future__ import annotations

import html
import re
import sys
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert
from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).parent))
from _generate import PAGES

_MATH = re.compile(r'<(span|div) class="arithmatex">\\([\[(])(.*?)\\[\])]</\1>', re.S)


def on_files(files: Files, config: Any) -> Files:
    """Add the generated pages."""
    for place, make in PAGES.items():
        files.append(File.generated(config, place, content=make()))
    return files


def on_page_content(content: str, **_: Any) -> str:
    """Replace equations by MathML."""
    return _MATH.sub(_equation, content)


def _equation(match: re.Match[str]) -> str:
    display = "block" if match[2] == "[" else "inline"
    return convert(html.unescape(match[3]).strip(), display=display)
