"""Every command and every piece of code of the pages on how to do something; see `test_documentation.py`."""

import pytest
from documents import DOCS, blocks, with_blocks
from runner import EXECUTED_ELSEWHERE


@pytest.mark.parametrize("page", [page for page in with_blocks() if page.startswith("docs/how-to/")])
def test_blocks_of_a_page(page, execute):
    execute(page)


def test_pages_show_the_example_files_as_they_are():
    shown = {
        block.title: block.text for page in with_blocks() for block in blocks(page) if block.title.startswith("docs/")
    }
    elsewhere = {page.removeprefix("docs/how-to/").removesuffix(".md") for page in EXECUTED_ELSEWHERE}
    folders = [folder for folder in (DOCS / "examples").iterdir() if folder.name not in elsewhere]
    files = [path for folder in folders for path in folder.rglob("*.*") if "__pycache__" not in path.parts]
    assert shown == {str(path.relative_to(DOCS.parent)): path.read_text() for path in files}
    assert len(shown) >= 2
