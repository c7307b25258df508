"""Every command and every piece of code of the pages on how to do something; see `test_documentation.py`."""

import pytest
from documents import with_blocks


@pytest.mark.parametrize("page", [page for page in with_blocks() if page.startswith("docs/how-to/")])
def test_blocks_of_a_page(page, execute):
    execute(page)
