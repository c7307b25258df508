"""The house's rules on imports: `import stellarcr` is lazy, every module loads, matplotlib stays in plots."""

import ast
import importlib
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import stellarcr

PACKAGE = Path(stellarcr.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
MODULES = sorted(module.name for module in pkgutil.walk_packages(stellarcr.__path__, "stellarcr."))
HEAVY = ("astropy", "scipy", "matplotlib", "arviz", "jax", "pandas", "xarray", "emcee", "dynesty")


def loaded_after(statement: str) -> set[str]:
    """Names of the top-level modules that a fresh interpreter holds after a statement."""
    program = f"{statement}\nimport json, sys\nprint(json.dumps(sorted({{n.split('.')[0] for n in sys.modules}})))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(result.stdout))


def imported_by(path: Path) -> set[str]:
    """Top-level names of the packages that a source file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_import_is_lazy():
    loaded = loaded_after("import stellarcr")
    assert "stellarcr" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_listing_the_names_loads_nothing():
    assert loaded_after("import stellarcr; dir(stellarcr)").isdisjoint(HEAVY)


def test_plots_package_loads_matplotlib_only_on_use():
    assert "matplotlib" not in loaded_after("import stellarcr.plots; dir(stellarcr.plots)")
    assert "matplotlib" in loaded_after("import stellarcr.plots; stellarcr.plots.corner_plot")


@pytest.mark.parametrize("name", MODULES)
def test_every_module_loads(name):
    assert importlib.import_module(name).__doc__


@pytest.mark.parametrize("name", stellarcr.__all__)
def test_every_exported_name_exists(name):
    assert getattr(stellarcr, name) is not None


def test_wrong_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = stellarcr.no_such_name


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_matplotlib_only_in_plots(path):
    drawing = imported_by(path) & {"matplotlib", "corner", "pylab"}
    assert not drawing or path.is_relative_to(PACKAGE / "plots")
