"""What a run does where the disk is full or read-only, the folder is replaced, files are damaged, versions differ."""

import errno
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from folder_jobs import SHORT, Drifted, go
from infer_toys import Gaussian
from toy_job import job

from stellarcr.errors import RunError
from stellarcr.infer.runs import RunFolder
from stellarcr.infer.runs.lock import RunLock
from stellarcr.infer.runs.slots import CheckpointSlots
from stellarcr.infer.samplers import settings_from
from stellarcr.infer.samplers.emcee_settings import EmceeSettings


@contextmanager
def full_disk(largest):
    """Let no file grow beyond so many bytes: a limit that holds for this process stands for a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def checkpoint(folder, slot):
    """Bytes of the files of a slot's checkpoint by name, and its journal as it is."""
    journal = folder / "state" / f"{slot}.json"
    if not journal.exists():
        return {}
    CheckpointSlots(folder / "state").load(slot)  # refused unless each file is what was committed
    names = [entry["name"] for entry in json.loads(journal.read_text())["files"].values()]
    return {path.name: path.read_bytes() for path in [journal, *(folder / "state" / name for name in names)]}


LONGER = {"max_steps": 500, "learn": False}


@pytest.mark.parametrize(
    ("sampler", "options", "largest", "victim"),
    [
        ("emcee", {**LONGER, "checkpoint_every": 0.0}, 8_000, "state/emcee.json"),
        ("emcee", {**LONGER, "checkpoint_every": 60.0}, 60_000, "state/emcee-"),
        ("emcee", {"max_steps": 60, "checkpoint_every": 60.0}, 70_000, "posterior.nc"),
        ("dynesty", {"checkpoint_every": 0.1}, 100_000, "state/dynesty-"),
    ],
)
def test_full_disk_keeps_the_last_checkpoint(tmp_path, monkeypatch, sampler, options, largest, victim):
    folder, good, options = tmp_path / "run", {}, dict(options)
    commit = CheckpointSlots.commit

    def remembered(slots, slot, state, **files):
        commit(slots, slot, state, **files)
        good[slot] = checkpoint(folder, slot)

    monkeypatch.setattr(CheckpointSlots, "commit", remembered)
    with full_disk(largest), pytest.raises(RunError, match="cannot write: File too large") as caught:
        job(folder, sampler, **options)
    assert victim in caught.value.where
    assert "--resume" in caught.value.remedy
    assert "map" in good
    for slot, content in good.items():
        assert checkpoint(folder, slot) == content
    assert checkpoint(folder, sampler) == good.get(sampler, {})
    assert not (folder / "posterior.nc").exists()
    options["checkpoint_every"] = 60.0
    resumed = job(folder, sampler, resume=True, **options)
    whole = job(tmp_path / "whole", sampler, **options)
    np.testing.assert_array_equal(resumed.samples, whole.samples)
    assert resumed.summary["calls"] == whole.summary["calls"]
    assert resumed.log_evidence == whole.log_evidence


READ_ONLY = """
import os, sys
sys.path.insert(0, sys.argv[1])
from stellarcr.errors import RunError
from stellarcr.infer.runs import read_run
from toy_job import job
if os.getuid() == 0:  # who may write everywhere
    os.setgid(65534)
    os.setuid(65534)
for resume in (False, True):
    try:
        job(sys.argv[2] + ("" if resume else "/new"), "emcee", resume=resume, max_steps=1000)
    except RunError as error:
        print(error)
print(len(read_run(sys.argv[2]).samples))
"""


@pytest.fixture
def open_path():
    """Return a folder that another user can reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        yield Path(place)


def test_read_only_folder(open_path):
    """A run in it is not touched and can be read; none is begun."""
    folder = open_path / "run"
    run = go(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    places = [folder, *folder.rglob("*")]
    try:
        for path in places:
            path.chmod(0o555 if path.is_dir() else 0o444)
        script = [sys.executable, "-c", READ_ONLY, str(Path(__file__).parent), str(folder)]
        done = subprocess.run(script, capture_output=True, text=True, timeout=120, check=False)
    finally:
        for path in places:
            path.chmod(0o755 if path.is_dir() else 0o644)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("cannot write: Permission denied") == 2
    assert done.stdout.count("you may not write here: choose another output folder") == 2
    assert f"where: {folder / 'new'}" in done.stdout
    assert f"where: {folder / '.lock'}" in done.stdout
    assert done.stdout.endswith(f"{len(run.samples)}\n")
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_folder_that_was_replaced_is_not_written(tmp_path):
    settings, folder = settings_from(EmceeSettings, SHORT), tmp_path / "run"
    with RunFolder.create(folder, Gaussian(2), "emcee", settings, quiet=True) as first:
        folder.rename(tmp_path / "elsewhere")
        with pytest.raises(RunError, match="moved or removed while this process wrote it"):
            first.commit("emcee", {}, add={})
        with RunFolder.create(folder, Gaussian(2), "emcee", settings, quiet=True) as second:
            second.commit("emcee", {"step": 1}, add={})
            for write in (lambda: first.commit("emcee", {}, add={}), lambda: first.note("x"), first.begin_session):
                with pytest.raises(RunError, match="replaced by another one") as caught:
                    write()
                assert str(folder) in caught.value.where
            assert second.slots.fields("emcee") == {"step": 1}
        # Moved back it can be written again.
        shutil.rmtree(folder)
        (tmp_path / "elsewhere").rename(folder)
        first.commit("emcee", {"step": 2}, add={})
        assert first.slots.fields("emcee") == {"step": 2}


def test_lock_that_cannot_be_written_is_given_back(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", lambda *a: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left on device")))
        with pytest.raises(RunError, match="No space left"):
            RunLock(tmp_path)
    RunLock(tmp_path).release()


def edit_manifest(folder, change):
    content = json.loads((folder / "manifest.json").read_text())
    change(content)
    (folder / "manifest.json").write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: m["packages"].update(numpy="1.26.0"), "numpy was 1.26.0, is "),
        (lambda m: m["packages"].update(emcee="2.2.1"), "emcee was 2.2.1, is "),
        (lambda m: m["packages"].update(theano="1.0"), "theano was 1.0, is not installed"),
        (lambda m: m.update(version="0.0.1"), "stellarcr was 0.0.1, is "),
        (lambda m: m.update(python="3.10.1"), "Python was 3.10.1, is "),
    ],
)
def test_other_versions_are_noted_and_the_stored_points_decide(tmp_path, change, said):
    go(tmp_path)
    edit_manifest(tmp_path, change)
    run = go(tmp_path, settings={**SHORT, "max_steps": 80}, resume=True)
    assert run.summary["diagnostics"]["steps"] == 80
    log = (tmp_path / "log.txt").read_text()
    assert f"versions changed since the run began: {said}" in log
    assert "Stored points were computed again and agree" in log
    # Where they do not agree, the versions are part of the message.
    with pytest.raises(RunError, match=f"of a stored point was .* and is now .*; {said}"):
        go(tmp_path, Drifted(2), settings={**SHORT, "max_steps": 100}, resume=True)
    with pytest.raises(RunError, match=f"its fingerprint differs, .*: {said}"):
        go(tmp_path, Gaussian(2, width=0.05), resume=True)


def test_same_versions_are_not_noted(tmp_path):
    go(tmp_path)
    go(tmp_path, settings={**SHORT, "max_steps": 80}, resume=True)
    assert "versions changed" not in (tmp_path / "log.txt").read_text()


def test_other_dynesty_is_refused_and_the_checkpoint_stays(tmp_path):
    """Its checkpoint is a pickle of its own objects."""
    settings = {"nlive": 50, "max_calls": 3000}
    go(tmp_path, sampler="dynesty", settings=settings)
    journal = tmp_path / "state" / "dynesty.json"
    content = json.loads(journal.read_text())
    content["state"]["dynesty"] = "1.9"
    journal.write_text(json.dumps(content))
    before = checkpoint(tmp_path, "dynesty")
    with pytest.raises(RunError, match=r"written by dynesty 1\.9, this is") as caught:
        go(tmp_path, sampler="dynesty", settings={**settings, "max_calls": 4000}, resume=True)
    assert "install dynesty==1.9" in caught.value.remedy
    assert checkpoint(tmp_path, "dynesty") == before


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_damaged_checkpoint_is_refused_with_its_file(tmp_path, damage):
    go(tmp_path)
    walkers = next((tmp_path / "state").glob("emcee-*-walkers.npz"))
    walkers.write_bytes(b"nothing") if damage == "changed" else walkers.unlink()
    with pytest.raises(RunError, match=f"checkpoint file {walkers.name} (was changed|cannot be read)") as caught:
        go(tmp_path, settings={**SHORT, "max_steps": 80}, resume=True)
    assert str(tmp_path / "state") in caught.value.where
    assert "--overwrite" in caught.value.remedy


def test_changed_likelihood_is_found_before_anything_was_sampled(tmp_path):
    """A run that was killed after the search for the maximum has only that to compare."""
    go(tmp_path)
    for path in (tmp_path / "state").glob("emcee*"):
        path.unlink()
    edit_manifest(tmp_path, lambda m: m.update(status="running"))
    with pytest.raises(RunError, match=r"log_posterior of a stored point was .* and is now"):
        go(tmp_path, Drifted(2), resume=True)
    assert go(tmp_path, resume=True).manifest["status"] == "finished"
