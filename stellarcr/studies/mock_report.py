"""What `stellarcr mock` prints."""

from __future__ import annotations

import json
from collections.abc import Sequence

from .mock import Mock


def print_mocks(mocks: Sequence[Mock], as_json: bool) -> None:
    """Say what was drawn, and how to fit it.

    Parameters
    ----------
    mocks : sequence of Mock
        From `stellarcr.studies.mock.make_mocks`.
    as_json : bool
        Print JSON, and nothing else.
    """
    if as_json:
        print(json.dumps([{"folder": str(mock.path), **mock.record} for mock in mocks], ensure_ascii=False))
        return
    for mock in mocks:
        record = mock.record
        print(f"MOCK DATA in {mock.path}: seed {record['seed']}, number {record['number']}")
        print(f"truth ({record['truth_from']}):")
        width = max(map(len, mock.truth))
        for name, value in mock.truth.items():
            print(f"  {name:<{width}}  {value:.6g}")
        print("chi2 of the drawn data at the truth, and points:")
        width = max(map(len, record["chi2_and_points"]))
        for name, (chi2, points) in record["chi2_and_points"].items():
            print(f"  {name:<{width}}  {chi2:8.1f}  {points:5d}")
        for key, words in (
            ("negative_values", "negative values, where errors are large (kept)"),
            ("limits_that_became_measurements", "upper limits that became measurements"),
        ):
            if record[key]:
                print(f"{words}: " + ", ".join(f"{count} of {name}" for name, count in record[key].items()))
        print()
    example = mocks[0].path / "config.toml"
    print(f"next: fit it, and compare\n  stellarcr run {example}")
    where = mocks[0].path if len(mocks) == 1 else mocks[0].path.parent
    print(f"  stellarcr recover chains/{mocks[0].record['name']} --mock {where}")
