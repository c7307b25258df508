"""The parameters of every population and of propagation, with defaults, units and sources."""

from __future__ import annotations

from dataclasses import replace

from stellarcr.data import load_composition, load_type_ia
from stellarcr.data.galaxy_presets import load_galaxy
from stellarcr.populations import POPULATION_KINDS, build_population
from stellarcr.populations.base import ParameterInfo, Population
from stellarcr.populations.nearby import NEARBY_KINDS

from .markdown import code, from_docstring, number, summary, table

_INTRODUCTION = """# Parameters of the model

Full names have two parts: the population's name in the configuration (its kind, if nothing else is said) and the name
below, such as `snr.gamma2`; propagation is `galaxy`. Every parameter may also be given by its decimal logarithm,
`snr.log10_R_max`. `abundance.X` multiplies the number fraction of element X at equal rigidity; the power stays what it
is and is shared anew.
"""

_STELLAR = """## Stellar spectra

With `spectrum = "stellar"`, `o_wind`, `wr_wind` and `msc` have other parameters, and compositions and budgets that are
computed: [how to use stellar evolution in a fit](../how-to/stellar_populations.md#parameters).
"""


def populations() -> tuple[Population, ...]:
    """Build every population that the package knows, with its own composition."""
    return tuple(
        build_population(kind, load_type_ia() if kind == "ia" else load_composition(kind)) for kind in POPULATION_KINDS
    )


def page() -> str:
    """Make the page."""
    parts = [_INTRODUCTION]
    for population in populations():
        builder = POPULATION_KINDS[population.name]
        place = "spread over the Galactic disc" if population.place == "disc" else "one burst near the Sun"
        parts.append(f"## `{population.name}`\n\n{summary(builder)} It is {place}.\n")
        named = [p for p in population.parameters if not p.name.startswith("abundance.")]
        parts.append(_table(population.name, named))
        if population.free_abundances:
            free = ", ".join(code(p.name) for p in population.parameters if p not in named)
            parts.append(f"Multipliers of the composition, 1 by default: {free}.\n")
        if population.budget is not None:
            unit = named[0].unit
            parts.append(f"Mechanical budget: {number(population.budget)} {unit} ({population.budget_source}).\n")
        parts.append("### Composition\n\nNumber fractions at equal rigidity.\n")
        source = population.composition.source
        rows = [
            (e, number(float(f"{x:.4g}")), from_docstring(source.get(e, "")))
            for e, x in population.composition.elements.items()
        ]
        parts.append(table(("element", "fraction", "source"), rows))
    for kind, builder in NEARBY_KINDS.items():
        parts.append(
            f"## `{kind}`\n\n{summary(builder)} Options add "
            "`duration` and `gas_density`: [how to use nearby sources](../how-to/nearby_sources.md).\n"
        )
        named = [p for p in builder(load_composition("snr"), "dominant").parameters if "." not in p.name]
        parts.append(_table(kind, named))
    parts.append(_STELLAR)
    propagation = load_galaxy().parameters
    made = [p for p in propagation if p.name.startswith("production.")]
    elements = ", ".join(p.name.partition(".")[2] for p in made)
    parts.append(
        "## `galaxy`\n\nPropagation; defaults are those of the preset. `galaxy.destruction` multiplies all inelastic "
        f"cross sections, `galaxy.production.X` all for the production of element X ({elements}). See [propagation]"
        "(../physics/propagation.md#parameters-and-their-limits) for limits.\n"
    )
    shown = [p for p in propagation if p not in made]
    return "\n".join([*parts, _table("galaxy", [*shown, replace(made[0], name="production.X", label=r"f_{\to X}")])])


def _table(component: str, parameters: list[ParameterInfo]) -> str:
    rows = [
        (code(f"{component}.{p.name}"), rf"\({p.label}\)", code(number(p.default)), p.unit, from_docstring(p.source))
        for p in parameters
    ]
    return table(("name", "symbol", "default", "unit", "source"), rows)
