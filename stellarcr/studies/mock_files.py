"""Mock data as the files of an experiment: tables, likelihood files and a configuration that fits them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
from astropy.table import Column, Table

from .._version import __version__
from ..config import RunConfig, resolved_toml
from ..data import load_spectrum
from ..data.schema import MOCK, SCHEMA, TRUTHS, systematic_columns
from ..data.spectrum import Spectrum
from ..errors import DataError
from ..infer.files import write_text
from ..infer.posterior import Posterior
from ..infer.runs.slots import sha256_of
from ..likelihood.experiment import ExperimentData
from ..likelihood.groups import with_assumed_errors
from ..likelihood.mixture import MixtureErrors
from ..likelihood.schema import LikelihoodFile, load_likelihood_file
from ..species import canonical_species

MARK = "-mock"
"""Ends the names of experiments and tables: nobody shall take mock data for a measurement."""


def write_mock(
    path: Path, config: RunConfig, posterior: Posterior, drawn: Posterior, name: str, record: Mapping[str, Any]
) -> dict[str, str]:
    """Write the data of a posterior so that a configuration beside them fits them.

    Parameters
    ----------
    path : Path
        The folder; it is made.
    config : RunConfig
        The problem.
    posterior, drawn : Posterior
        With the published data, and with the drawn ones.
    name : str
        Of the new run.
    record : mapping
        Truth, seed and number, kept in every table.

    Returns
    -------
    dict of str
        SHA-256 of every table by its name.

    Raises
    ------
    DataError
        If a file cannot hold the drawn data.
    """
    hashes = {}
    for before, after in zip(posterior.likelihoods, drawn.likelihoods, strict=True):
        data = after.data
        _check_positive(data)
        folder = path / "tables" / data.key
        folder.mkdir(parents=True, exist_ok=True)
        for table, published in zip(data.tables, before.data.tables, strict=True):
            file = folder / f"{table.name}{MARK}.ecsv"
            mock_table(table, published, record).write(file, format="ascii.ecsv")
            hashes[table.name + MARK] = sha256_of(file)
        for total, published in _totals(data, before.data, config):
            mock_table(total, published, record).write(folder / f"{total.name}{MARK}.ecsv", format="ascii.ecsv")
        (path / "likelihoods").mkdir(exist_ok=True)
        write_text(path / "likelihoods" / f"{data.key}.toml", tomli_w.dumps(likelihood_content(data, published)))
    content = tomllib.loads(resolved_toml(config, posterior.model, [k.data for k in posterior.likelihoods]))
    content["name"] = name
    content["description"] = f"MOCK DATA (seed {record['seed']}, number {record['number']}): {config.description}"
    content["likelihoods"] = {k.data.key: {"file": f"likelihoods/{k.data.key}.toml"} for k in drawn.likelihoods}
    write_text(path / "config.toml", tomli_w.dumps(content))
    return hashes


def likelihood_content(data: ExperimentData, published: Spectrum) -> dict[str, Any]:
    """The likelihood file of mock data: that of the published ones, with its assumed errors, which the tables now hold.

    Parameters
    ----------
    data : ExperimentData
        Drawn data.
    published : Spectrum
        One of the published tables.
    """
    content = data.file.model_dump(mode="json", exclude_none=True)
    content["range"]["rigidity_max"] = data.file.range.rigidity_max
    content["experiment"] = published.experiment + MARK
    content["description"] = f"MOCK DATA at the points of {published.experiment}"
    content["folder"] = f"../tables/{data.key}"
    content["reference_fit"] = False
    content["errors"].pop("statistical_floor", None)
    for section in content["errors"].get("systematic", {}).values():
        for key in ("relative", "every_table"):
            section.pop(key, None)
    return content


def mock_table(table: Spectrum, published: Spectrum, record: Mapping[str, Any]) -> Table:
    """Write drawn values as a table of the schema, marked as mock in name, experiment, reference and header.

    Parameters
    ----------
    table : Spectrum
        Drawn values.
    published : Spectrum
        The measurement whose points and errors they have.
    record : mapping
        With ``seed``, ``number`` and ``truth``.
    """
    result = Table(
        meta={
            "schema": SCHEMA,
            "name": table.name + MARK,
            "experiment": table.experiment + MARK,
            "species": table.species,
            "quantity": table.quantity,
            "axis": table.axis,
            "hadronic_model": table.hadronic_model or "",
            "status": "recommended",
            "reference": {
                "text": f"MOCK DATA drawn by stellarcr {__version__}, with points and errors of {published.reference}",
                "doi": "",
                "arxiv": "",
                "table": "",
            },
            "systematics": {
                name: str(table.metadata.get("systematics", {}).get(name, "assumed by the likelihood file"))
                for name in table.systematics
            },
            **{key: True for key in TRUTHS if table.metadata.get(key)},
            MOCK: True,
            "mock_of": f"{published.name} (SHA-256 {published.sha256})",
            "mock_seed": record["seed"],
            "mock_number": record["number"],
            "mock_truth": dict(record["truth"]),
        }
    )
    for name in ("x_low", "x_high", "x"):
        result[name] = _column(getattr(table, name))
    for name in ("value", "stat_low", "stat_high"):
        result[name] = _column(getattr(table, name))
    for name, pair in table.systematics.items():
        for column, error in zip(systematic_columns(name), pair, strict=True):
            result[column] = _column(error)
    result["upper_limit"] = Column(table.upper_limit)
    result["flag"] = Column(list(table.flags), dtype=str)
    return result


def _column(quantity: Any) -> Column:
    unit = quantity.unit
    return Column(np.array(quantity.value), unit=None if str(unit) == "" else unit)


def _totals(data: ExperimentData, published: ExperimentData, config: RunConfig) -> list[tuple[Spectrum, Spectrum]]:
    """Tables of the sums from which a species was published as a difference: their errors make its covariance."""
    choice = data.file.errors.difference
    if choice is False:
        return []
    names = [canonical_species(s) for s in (choice.total, choice.minuend, choice.subtrahend)]
    by_model = {(t.species, t.hadronic_model): t for t in data.tables}
    found = []
    for model in dict.fromkeys(t.hadronic_model for t in data.tables):
        parts = [by_model.get((name, model)) for name in names]
        if parts[0] is not None or parts[1] is None or parts[2] is None:
            continue
        total = _published(data, names[0], model, config)
        inside = np.any(np.isclose(total.x.value[:, None], parts[2].x.value, rtol=1e-6, atol=0.0), axis=1)
        total = with_assumed_errors(total.select(inside), data.file)
        found.append((_replaced(total, parts[1].value + parts[2].value), total))
    return found


def _published(data: ExperimentData, species: str, model: str | None, config: RunConfig) -> Spectrum:
    section: Mapping[str, Any] = config.likelihoods[data.key]
    file, path = _file_of(data, section, config)
    folder = None if file.folder is None else path.parent / file.folder
    return load_spectrum(file.experiment, species, model, file.axis, folder)


def _file_of(data: ExperimentData, section: Mapping[str, Any], config: RunConfig) -> tuple[LikelihoodFile, Path]:
    changes = {key: value for key, value in section.items() if key != "file"}
    return load_likelihood_file(str(section.get("file", data.key)), changes, config.where, config.base)


def _replaced(table: Spectrum, value: Any) -> Spectrum:
    from dataclasses import replace

    return replace(table, value=value, sha256="")


def _check_positive(data: ExperimentData) -> None:
    """Refuse what cannot be read back: fluxes for several hadronic models are factors apart only if positive."""
    for group in data.groups:
        fluxes = isinstance(group.errors, MixtureErrors) and not np.any(group.errors.shift)
        if fluxes and np.any(data.values[group.points] <= 0):
            raise DataError(
                f"a drawn flux of {group.name} is not positive, and a likelihood of several hadronic models needs "
                "positive ones",
                where=f"likelihood {data.key!r}",
                remedy="draw another --seed, choose one hadronic model, or fit a smaller range of rigidity",
            )
