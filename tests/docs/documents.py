"""Reads the documentation: pages, fenced blocks, code in the text."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
FENCE = re.compile(r"^( *)```(?P<info>[^\n`]*)\n(?P<text>.*?)^\1```[ \t]*$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: str
    line: int
    language: str
    title: str
    text: str

    @property
    def where(self) -> str:
        return f"{self.page}:{self.line}"


@cache
def pages() -> dict[str, str]:
    """Every page of the documentation, generated ones included, and the README; name to text."""
    from _generate import PAGES

    written = {f"docs/{path.relative_to(DOCS)}": path.read_text() for path in sorted(DOCS.rglob("*.md"))}
    generated = {f"docs/{name}": make() for name, make in PAGES.items()}
    return {"README.md": (ROOT / "README.md").read_text(), **written, **generated}


@cache
def blocks(page: str) -> tuple[Block, ...]:
    """Fenced blocks of a page in order."""
    found = []
    text = pages()[page]
    for match in FENCE.finditer(text):
        info = match["info"].strip()
        title = re.search(r'title="([^"]*)"', info)
        language = re.match(r"[\w+-]*", info.lstrip("{ ."))[0]
        indent = match[1]
        body = "\n".join(line.removeprefix(indent) for line in match["text"].splitlines()) + "\n"
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(page, line, language, title[1] if title else "", body))
    return tuple(found)


def with_blocks() -> list[str]:
    """Names of the pages that hold fenced blocks."""
    return [page for page in sorted(pages()) if blocks(page)]


def inline_code(page: str) -> list[tuple[int, str]]:
    """Line and content of every piece of code in the text of a page, fenced blocks left out."""
    text = FENCE.sub(lambda match: "\n" * match[0].count("\n"), pages()[page])
    found = re.finditer(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", text, re.S)
    return [(text.count("\n", 0, m.start()) + 1, " ".join(m[2].split())) for m in found]


@dataclass(frozen=True)
class Command:
    """A command line of a block, with the output that the page shows."""

    line: str
    expected: str


def commands(block: Block) -> list[Command]:
    """Command lines of a ``console`` block (after ``$``) or a ``bash`` block (every line), backslashes joined."""
    found: list[list[str]] = []
    open_line = False
    for line in block.text.splitlines():
        starts = line.startswith("$ ") if block.language == "console" else line.strip() and not line.startswith("#")
        if open_line:
            found[-1][0] = found[-1][0][:-1].rstrip() + " " + line.strip().removeprefix("> ")
        elif starts:
            found.append([line.removeprefix("$ ").strip() if block.language == "console" else line.strip(), ""])
        elif found and block.language == "console":
            found[-1][1] += line + "\n"
        elif line.strip() and block.language == "console":
            raise ValueError(f"{block.where}: output before the first '$ ' line")
        open_line = bool(found) and found[-1][0].endswith("\\")
    return [Command(_without_remark(line), expected) for line, expected in found]


def _without_remark(line: str) -> str:
    return re.sub(r"\s+# .*$", "", line)
