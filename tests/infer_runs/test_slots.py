"""A checkpoint is the old one or the new one, whatever happens in between."""

import errno
import os
import shutil
from contextlib import suppress

import numpy as np
import pytest

from stellarcr.errors import RunError
from stellarcr.infer.files import json_ready, read_json, write_atomically, write_json
from stellarcr.infer.runs.slots import CheckpointSlots
from stellarcr.infer.samplers.base import array_writer, read_arrays


class Crash(BaseException):
    """Stands for SIGKILL: nothing handles it."""


def commit(slots, value):
    """Keep the last chunk, add a new one, replace the walkers: what emcee does."""
    old = slots.load("toy")
    chunks = [] if old is None else old.fields["chunks"]
    new = f"chunk-{value}.npz"
    slots.commit(
        "toy",
        {"value": value, "chunks": [*chunks, new]},
        add={new: array_writer(x=np.full(3, value)), "walkers.npz": array_writer(x=np.arange(value))},
        keep=tuple(chunks),
    )


def check(slots, value):
    saved = slots.load("toy")
    assert saved.fields["value"] == value
    assert saved.fields["chunks"] == [f"chunk-{k}.npz" for k in range(1, value + 1)]
    for k in range(1, value + 1):
        np.testing.assert_array_equal(read_arrays(saved.files[f"chunk-{k}.npz"])["x"], np.full(3, k))
    np.testing.assert_array_equal(read_arrays(saved.files["walkers.npz"])["x"], np.arange(value))


def test_commit_and_load(tmp_path):
    slots = CheckpointSlots(tmp_path / "state")
    assert slots.load("toy") is None
    for value in (1, 2, 3):
        commit(slots, value)
        check(CheckpointSlots(tmp_path / "state"), value)
    names = {p.name for p in (tmp_path / "state").iterdir()}
    assert len(names) == 5  # journal, three chunks, walkers: earlier walkers are gone
    assert slots.load("other") is None


@pytest.mark.parametrize("error", [Crash, OSError])
def test_crash_at_every_system_call_leaves_a_whole_checkpoint(tmp_path, monkeypatch, error):
    """Count the calls that a commit makes, then repeat it and stop it at each of them."""
    base = tmp_path / "base"
    base.mkdir()
    commit(CheckpointSlots(base / "state"), 1)
    commit(CheckpointSlots(base / "state"), 2)

    def run_until(stop, folder):
        """Make the third commit and fail at call number `stop`; say how many calls there were."""
        count = 0

        def failing(original):
            def call(*args, **kwargs):
                nonlocal count
                count += 1
                if count == stop:
                    raise error if error is Crash else OSError(errno.ENOSPC, "No space left on device")
                return original(*args, **kwargs)

            return call

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", failing(os.replace))
            patch.setattr(os, "fsync", failing(os.fsync))
            patch.setattr(os, "unlink", failing(os.unlink))
            patch.setattr("stellarcr.infer.files.open", failing(open), raising=False)
            with suppress(Crash, RunError):
                commit(CheckpointSlots(folder / "state"), 3)
        return count

    total = run_until(-1, shutil.copytree(base, tmp_path / "count"))
    assert total > 12
    seen = set()
    for stop in range(1, total + 1):
        folder = shutil.copytree(base, tmp_path / f"stop{stop}")
        run_until(stop, folder)
        slots = CheckpointSlots(folder / "state")
        value = slots.load("toy").fields["value"]
        check(slots, value)
        seen.add(value)
        # And it can go on from there.
        commit(slots, value + 1)
        check(slots, value + 1)
        assert not [p for p in (folder / "state").iterdir() if p.name.endswith(".tmp")]
    assert seen == {2, 3}


def test_changed_and_missing_files_are_refused(tmp_path):
    slots = CheckpointSlots(tmp_path / "state")
    commit(slots, 1)
    chunk = next((tmp_path / "state").glob("*chunk*"))
    content = bytearray(chunk.read_bytes())
    content[-30] ^= 1
    chunk.write_bytes(content)
    with pytest.raises(RunError, match=r"chunk-1\.npz was changed"):
        slots.load("toy")
    chunk.unlink()
    with pytest.raises(RunError, match="cannot be read"):
        slots.load("toy")


def test_damaged_journal_is_refused(tmp_path):
    slots = CheckpointSlots(tmp_path / "state")
    commit(slots, 1)
    (tmp_path / "state" / "toy.json").write_text("{")
    with pytest.raises(RunError, match=r"toy\.json cannot be read"):
        slots.load("toy")
    write_json(tmp_path / "state" / "toy.json", {"format": 99})
    with pytest.raises(RunError, match="format 99"):
        slots.load("toy")


def test_checkpoints_hold_no_pickled_arrays(tmp_path):
    slots = CheckpointSlots(tmp_path / "state")
    with pytest.raises((RunError, ValueError)):
        slots.commit("toy", {}, add={"x.npz": array_writer(x=np.array([object()]))})
    assert slots.load("toy") is None


def test_full_disk_keeps_the_old_file(tmp_path):
    path = tmp_path / "file.json"
    write_json(path, {"a": 1})

    def full(file):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(RunError, match="No space left") as caught:
        write_atomically(path, full)
    assert "--resume" in caught.value.remedy
    assert read_json(path) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["file.json"]


def test_json_has_no_nan():
    content = {"a": np.float64("nan"), "b": [np.inf, 1.5], "c": np.arange(2), "d": (True, np.bool_(False)), 3: None}
    assert json_ready(content) == {"a": None, "b": [None, 1.5], "c": [0, 1], "d": [True, False], "3": None}
