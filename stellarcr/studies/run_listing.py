"""What a person wants to know of stored runs: a list, one in full, two side by side; no model is built for it."""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..data.content import content_path
from ..errors import RunError
from ..infer.files import read_json
from ..infer.progress import duration
from ..infer.runs.checks import differing_keys
from ..infer.runs.inspection import RunRecord, inspect_run
from ..infer.runs.manifest import check_summary, read_manifest

COLUMNS = (
    "name", "status", "sampler", "free", "samples", "conv.", "ln Z", "chi2/points", "seed", "started (UTC)", "took",
    "version",
)  # fmt: skip
"""Head of the list of runs."""


def list_row(run: RunRecord) -> tuple[str, ...]:
    """One run as the texts of :data:`COLUMNS`; a dash where a number is not known."""
    evidence = "-" if run.log_evidence is None else f"{run.log_evidence:.2f} +- {run.log_evidence_error or 0.0:.2f}"
    return (
        run.name,
        run.status,
        run.sampler or "-",
        _or_dash(run.parameters),
        _or_dash(run.samples),
        "-" if run.converged is None else ("yes" if run.converged else "no"),
        evidence,
        "-" if run.chi2 is None or run.points is None else f"{run.chi2:.1f}/{run.points:.0f}",
        _or_dash(run.seed),
        (run.started or "-")[:16].replace("T", " "),
        "-" if run.seconds is None else duration(run.seconds),
        run.version or "-",
    )


def text_table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Lay out rows in columns as wide as their texts."""
    widths = [max(len(row[k]) for row in (head, *rows)) for k in range(len(head))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in (head, *rows)
    ]


def describe_run(folder: str | Path) -> dict[str, Any]:
    """Everything about one run that its JSON files tell, and whether shipped tables have changed since.

    Parameters
    ----------
    folder : str or Path
        Run folder.

    Returns
    -------
    dict
        ``run`` (as in the list), ``verdict``, ``parameters``, ``derived``, ``chi2`` by data set, ``map``, ``sessions``,
        ``extensions``, ``data`` (table to hash and what became of it), ``packages``, ``settings``, ``python``,
        ``host``, ``description``. Without results, those that need them are empty.

    Raises
    ------
    RunError
        If it is no folder of a run, or is damaged.
    """
    path = _run_folder(folder)
    record = inspect_run(path)
    if record.status in ("not a run", "damaged", "other version", "half-written"):
        raise RunError(
            f"{record.status}: {record.problem}",
            where=str(path),
            remedy="see 'stellarcr runs list'; restore the folder from a copy, or run again with --overwrite",
        )
    manifest = read_manifest(path)
    summary = read_json(path / "summary.json") if record.has_results else {}
    maximum = summary.get("map", {})
    hashes = manifest.get("data_hashes") or {}
    now = shipped_hashes(hashes)
    return {
        "run": record.as_dict(),
        "description": manifest.get("description", ""),
        "verdict": summary.get("verdict", ""),
        "parameters": summary.get("parameters", {}),
        "derived": summary.get("derived", {}),
        "chi2": maximum.get("chi2", {}),
        "map": {k: maximum.get(k) for k in ("log_posterior", "log_likelihood", "fraction_of_starts", "at_edge")},
        "ess": summary.get("ess"),
        "rhat": summary.get("rhat"),
        "sessions": manifest.get("sessions", []),
        "extensions": manifest.get("extensions", []),
        "data": {name: {"sha256": value, "today": _state(value, now.get(name))} for name, value in hashes.items()},
        "settings": manifest.get("settings", {}),
        "packages": manifest.get("packages", {}),
        "python": manifest.get("python"),
        "host": manifest.get("host"),
        "git_commit": manifest.get("git_commit"),
    }


def _end_of(extension: dict[str, Any]) -> str:
    """How an extension ended; a limit may have stopped it on the way."""
    reached = extension.get("reached")
    cut_short = reached is not None and reached < extension["to"]
    return f"stopped at {reached:,}" if cut_short else str(extension["status"])


def shipped_hashes(tables: dict[str, str]) -> dict[str, str]:
    """SHA-256 of today's shipped tables of these names; a user's own tables are not among them."""
    files = {path.stem: path for path in content_path("datasets", "spectra").rglob("*.ecsv") if path.stem in tables}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}


def _state(then: str, now: str | None) -> str:
    if now is None:
        return "not shipped"
    return "same" if now == then else "changed"


def describe_text(found: dict[str, Any]) -> str:
    """Lay out what :func:`describe_run` gives."""
    run = found["run"]
    rows: list[tuple[str, ...]]
    lines = [f"{run['name']}: {run['status']}" + (f" ({run['problem']})" if run["problem"] else "")]
    lines += [line for line in (found["description"], found["verdict"]) if line]
    if run["log_evidence"] is not None:
        lines.append(f"ln Z = {run['log_evidence']:.3f} +- {run['log_evidence_error']:.3f} (statistical)")
    if found["parameters"]:
        head = ("parameter", "median", "68% interval", "maximum", "unit")
        rows = [
            (
                name,
                f"{row['median']:.5g}",
                f"{row['interval_68'][0]:.5g} to {row['interval_68'][1]:.5g}",
                f"{row['map']:.5g}",
                row["unit"] or "-",
            )
            for name, row in found["parameters"].items()
        ]
        lines += ["", *text_table(head, rows)]
    if found["chi2"]:
        rows = [(name, f"{term['chi2']:.2f}", str(term["points"])) for name, term in found["chi2"].items()]
        rows.append(("all", f"{run['chi2']:.2f}", str(run["points"])))
        lines += ["", *text_table(("data set", "chi2 at the maximum", "points"), rows)]
    rows = [
        (s.get("started") or "-", s.get("ended") or "-", s.get("status") or "-", s.get("host") or "-")
        for s in found["sessions"]
    ]
    lines += ["", *text_table(("session started", "ended", "status", "host"), rows)]
    lines += [f"extended from {e['from']:,} to {e['to']:,} {e['quantity']} ({_end_of(e)})" for e in found["extensions"]]
    if found["data"]:
        rows = [(name, entry["sha256"][:12], entry["today"]) for name, entry in found["data"].items()]
        lines += ["", *text_table(("table", "sha256", "today's shipped table"), rows)]
    packages = ", ".join(f"{name} {version}" for name, version in found["packages"].items())
    lines += ["", f"stellarcr {run['version']}, Python {found['python']}, {packages}"]
    return "\n".join(lines)


def compare_settings(first: str | Path, second: str | Path) -> dict[str, Any]:
    """What differs between two runs: configuration, data, versions, and results.

    Parameters
    ----------
    first, second : str or Path
        Run folders; they need not have finished.

    Returns
    -------
    dict
        ``configuration``, ``data``, ``versions``: key to the two values. ``shifts``: common parameter to its two
        medians and standard deviations, and the difference of the medians in units of the root mean square of the
        two standard deviations. ``only``: parameters that only one has.

    Raises
    ------
    RunError
        If a folder is no run, or damaged.
    """
    paths = [_run_folder(folder) for folder in (first, second)]
    one, two = (read_manifest(path) for path in paths)
    texts = [_config_text(path) for path in paths]
    try:
        configuration = differing_keys(*texts)
    except tomllib.TOMLDecodeError as error:
        raise RunError(f"a config.toml is not valid TOML: {error}", where=" or ".join(map(str, paths))) from error
    versions = {key: (one.get(key), two.get(key)) for key in ("version", "python", "git_commit", "sampler", "seed")}
    packages = [manifest.get("packages") or {} for manifest in (one, two)]
    versions |= {name: (packages[0].get(name), packages[1].get(name)) for name in sorted({*packages[0], *packages[1]})}
    results = [_parameters(path) for path in paths]
    hashes = [manifest.get("data_hashes") or {} for manifest in (one, two)]
    names = [list(manifest.get("names", [])) for manifest in (one, two)]
    return {
        "runs": [str(path) for path in paths],
        "configuration": {k: [_json_value(v) for v in pair] for k, pair in configuration.items()},
        "data": {
            name: [hashes[0].get(name), hashes[1].get(name)]
            for name in sorted({*hashes[0], *hashes[1]})
            if hashes[0].get(name) != hashes[1].get(name)
        },
        "versions": {key: list(pair) for key, pair in versions.items() if pair[0] != pair[1]},
        "only": [[n for n in names[0] if n not in names[1]], [n for n in names[1] if n not in names[0]]],
        "shifts": {name: _shift(row, results[1][name]) for name, row in results[0].items() if name in results[1]},
    }


def _parameters(path: Path) -> dict[str, Any]:
    """Numbers of the parameters; empty for a run without results."""
    if not (path / "summary.json").exists():
        return {}
    summary = read_json(path / "summary.json")
    check_summary(summary, path)
    rows: dict[str, Any] = summary.get("parameters", {})
    return rows


def compare_text(found: dict[str, Any]) -> str:
    """Lay out what :func:`compare_settings` gives."""
    lines = [f"1: {found['runs'][0]}", f"2: {found['runs'][1]}"]
    for key, title in (("configuration", "configuration"), ("data", "data (sha256)"), ("versions", "versions")):
        pairs = found[key]
        lines += ["", f"{title}:" if pairs else f"{title}: the same"]
        lines += [f"  {name}: {_short(a)} | {_short(b)}" for name, (a, b) in pairs.items()]
    for number, names in enumerate(found["only"], start=1):
        if names:
            lines += ["", f"free only in {number}: {', '.join(names)}"]
    if found["shifts"]:
        head = ("parameter", "median 1", "std 1", "median 2", "std 2", "shift [sigma]")
        rows = [
            (name, *(f"{row[k]:.5g}" for k in ("median_1", "std_1", "median_2", "std_2")),
             "-" if row["sigma"] is None else f"{row['sigma']:+.2f}")
            for name, row in found["shifts"].items()
        ]  # fmt: skip
        lines += ["", *text_table(head, rows), "sigma: root mean square of the two standard deviations"]
    return "\n".join(lines)


def _json_value(value: Any) -> Any:
    """Write as text what JSON does not know: infinities and dates."""
    known = value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value))
    if isinstance(value, list):
        return [_json_value(item) for item in value]
    return value if known else str(value)


def _shift(one: dict[str, Any], two: dict[str, Any]) -> dict[str, Any]:
    sigma = ((one["std"] ** 2 + two["std"] ** 2) / 2) ** 0.5
    return {
        "median_1": one["median"],
        "std_1": one["std"],
        "median_2": two["median"],
        "std_2": two["std"],
        "sigma": (two["median"] - one["median"]) / sigma if sigma > 0 else None,
    }


def _config_text(path: Path) -> str:
    try:
        return (path / "config.toml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(
            f"config.toml cannot be read: {error}", where=str(path), remedy="restore the folder from a copy"
        ) from error


def _run_folder(folder: str | Path) -> Path:
    path = Path(folder)
    if path.name in ("posterior.nc", "manifest.json"):
        path = path.parent
    if not path.is_dir():
        raise RunError(f"there is no folder {path}", remedy="give the folder of a run, such as chains/<name>")
    return path


def _or_dash(value: Any) -> str:
    return "-" if value is None else f"{value:.0f}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
