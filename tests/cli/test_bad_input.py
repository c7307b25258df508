"""Every mistake ends in a message with the file, the key, the value and what to do; exit code 2, nothing written."""

import os
import subprocess
import sys

import pytest

GALAXY = 'preset = "plain-diffusion"'
SNR = "[populations.snr]"
PRIOR = 'gamma2 = { prior = "uniform", low = -2.8, high = -2.1, value = -2.45 }'
GAMMA1 = "gamma1 = -2.2"
AMS = '[likelihoods.ams02]\nspecies = ["H", "He"]'
SPECIES = 'species = ["H", "He"]'

# what is replaced, with what, what the message names, what it advises
CONFIGURATIONS = [
    ('name = "small"', 'nam = "small"', "'nam'", "'name'"),
    ('name = "small"', "name = 3", "name = 3", "name"),
    ('name = "small"', 'name = "a/b"', "name = 'a/b'", "name"),
    ('name = "small"', 'path = "elsewhere"', "'path'", "valid names"),
    ('name = "small"', 'seed = "one"', "seed = 'one'", "seed"),
    ('name = "small"', "seed = -1", "seed = -1", "seed"),
    ('name = "small"', "grid = { per_decade = 3 }", "3 points per decade", "8 points"),
    ('name = "small"', "grid = { lowest = 5.0 }", "5 GV", "1"),
    ('name = "small"', "name = ", "not valid TOML", "line"),
    ('name = "small"', "output = 3", "output = 3", "output"),
    (GALAXY, 'preset = "plain-difusion"', "'plain-difusion'", "'plain-diffusion'"),
    (GALAXY, "d0 = 1e28", "'d0'", "'D0'"),
    (GALAXY, 'D0 = "3.7e28 cm2/s"', "galaxy.D0 = '3.7e28 cm2/s'", "number"),
    (GALAXY, "half_height = -4", "galaxy.half_height = -4", "positive"),
    (GALAXY, "delta = nan", "galaxy.delta = nan", "number"),
    (GALAXY, "profile = 3", "galaxy.profile = 3", "quotes"),
    (GALAXY, 'profile = "trotta"', "'trotta'", "'trotta2011'"),
    (SNR, "[populations.sn]", "'sn'", "'snr'"),
    (SNR, SNR + '\nkind = "remnant"', "'remnant'", "snr"),
    (SNR, SNR + '\ncompositon = "snr"', "'populations.snr.compositon'", "'composition'"),
    (SNR, SNR + '\ncomposition = "sun"', "'sun'", "'snr'"),
    (SNR, SNR + '\nisotopes = "solar"', "isotopes = 'solar'", "'natural'"),
    (SNR, SNR + '\n[populations.ia]\nyields = "N1000"', "'N1000'", "'N100'"),
    (SNR, SNR + '\n[populations.total]\nkind = "msc"', "'total'", "letters"),
    (SNR, "", "'populations'", "add"),
    (GAMMA1, "gama1 = -2.2", "'snr.gama1'", "'snr.gamma1'"),
    (GAMMA1, 'gamma1 = "-2.2"', "'snr.gamma1' = '-2.2'", "number"),
    (GAMMA1, "gamma1 = nan", "'snr.gamma1': value = nan", "finite"),
    (GAMMA1, "R_max = -5e4", "'snr.R_max' cannot be negative", "GV"),
    (GAMMA1, "abundance.He = -1.0", "'snr.abundance.He' cannot be negative", "positive"),
    (GAMMA1, "abundance.H = 2.0", "'snr.abundance.H'", "'snr.abundance.He'"),
    (GAMMA1, "power = 1e48", "'snr.power' is given twice", "keep one"),
    (GAMMA1, 'gamma1 = { linked = "snr.gama2" }', "'snr.gama2'", "'snr.gamma2'"),
    (GAMMA1, 'gamma1 = { linked = "snr.gamma2 +" }', "'snr.gamma2 +'", "numbers"),
    (GAMMA1, 'gamma1 = { linked = "snr.gamma1" }', "snr.gamma1 -> snr.gamma1", "instead"),
    (GAMMA1, "gamma1 = { value = -2.2, source = 3 }", "source = 3", "string"),
    (GAMMA1, "gamma1 = { low = -3.0, high = -2.0 }", "'snr.gamma1.low'", "'snr.gamma1'"),
    (PRIOR, PRIOR.replace("uniform", "unifrom"), "'unifrom'", "'uniform'"),
    (PRIOR, PRIOR.replace("high = -2.1, ", ""), "high not given", "low, high"),
    (PRIOR, PRIOR.replace("high", "hihg"), "'hihg'", "'high'"),
    (PRIOR, PRIOR.replace("low = -2.8", "low = -2.0"), "low = -2", "exchange"),
    (PRIOR, PRIOR.replace("low = -2.8", 'low = "-2.8"'), "low = '-2.8'", "plain number"),
    (PRIOR, PRIOR.replace("-2.45", "-3.0"), "value -3 is outside", "widen"),
    (PRIOR, 'R_max = { prior = "normal", mean = 5e4, standard_deviation = 1e4 }', "'snr.R_max'", "log_uniform"),
    (AMS, "", "'likelihoods'", "add"),
    (AMS, "[likelihoods.ams2]", "'ams2'", "'ams02'"),
    (AMS, AMS + '\nfile = "nowhere.toml"', "'nowhere.toml'", "path"),
    (AMS, AMS + "\nrange = 20", "range = 20", "range"),
    (AMS, AMS + "\nranges = {}", "'ranges'", "'range'"),
    (AMS, AMS + "\nrange.rigidity_min = 1e9", "rigidity_min = 1000000000.0", "span"),
    (SPECIES, 'species = ["H", "Hee"]', "'Hee'", "'He'"),
    (SPECIES, 'species = ["H", "p"]', "twice", "once"),
    (SPECIES, 'species = ["H", "Ti"]', "'Ti'", "Valid names"),
    (SPECIES, SPECIES + '\nhadronic_model = "EPOS-LHC"', "'EPOS-LHC'", "leave"),
    (SPECIES, SPECIES + '\nerrors.systematic.totl = { correlation = "full" }', "totl", "'total'"),
    (SPECIES, SPECIES + '\nerrors.systematic.total = { correlation = "fully" }', "'fully'", "total"),
    (SPECIES, SPECIES + '\nerrors.systematic.total = { correlation = "length" }', "length", "total"),
    (SPECIES, SPECIES + '\nerrors.systematic.total = { correlation = "full" }', "not positive definite", "'length'"),
    (SPECIES, SPECIES + '\nerrors.systematic.total = { corelation = "full" }', "corelation'", "'correlation'"),
    (SPECIES, SPECIES + '\nerrors.difference = { totl = "p+He" }', "totl'", "'total'"),
    (SPECIES, SPECIES + '\n[[constraints]]\nordr = ["snr.gamma1"]', "ordr'", "'order'"),
    (SPECIES, SPECIES + "\nnuisances.phii = { value = 0.6 }", "'nuisances.phii'", "'phi'"),
    (SPECIES, SPECIES + '\nnuisances.phi = { prior = { kind = "norml" } }', "'norml'", "'normal'"),
    (SPECIES, SPECIES + "\n[parameters.ams02]\nfi = 0.6", "'ams02.fi'", "'ams02.phi'"),
    (SPECIES, SPECIES + '\n[[constraints]]\norder = ["snr.gamma1", "snr.gamma2"]', "fixed", "prior"),
    (SPECIES, SPECIES + '\n[[constraints]]\norder = ["snr.gamma3", "snr.gamma2"]', "'snr.gamma3'", "'snr.gamma2'"),
]


def message(result, *pieces):
    """Check what all mistakes have in common, and that the message holds the pieces."""
    assert result.code == 2, result
    assert result.out == ""
    assert result.err.startswith("stellarcr: ")
    assert "next:" in result.err
    assert "Traceback" not in result.err
    for piece in pieces:
        assert piece in result.err


@pytest.mark.parametrize(("old", "new", "culprit", "advice"), CONFIGURATIONS, ids=lambda text: text[:40])
def test_configuration(old, new, culprit, advice, stellarcr, write_config):
    path = write_config(old, new)
    result = stellarcr("spectrum", path)
    head, _, remedy = result.err.partition("next:")
    message(result)
    assert culprit in head
    assert advice in remedy
    assert os.listdir() == []


@pytest.mark.parametrize(
    ("old", "new"),
    [(GALAXY, "half_height = -4"), (SNR, SNR + '\ncomposition = "sun"'), (GAMMA1, "gama1 = 1.0"),
     (GAMMA1, "R_max = 0.0"), (PRIOR, PRIOR.replace("uniform", "unifrom")), (SPECIES, 'species = ["Hee"]'),
     (SPECIES, SPECIES + "\nnuisances.phii = { value = 0.6 }"), ('name = "emcee"', 'name = "emceee"')],
    ids=lambda text: text[:30],
)  # fmt: skip
def test_the_message_names_the_file(old, new, stellarcr, write_config):
    path = write_config(old, new, name="what I wrote.toml")
    message(stellarcr("check", path), "what I wrote.toml")


@pytest.mark.parametrize(
    ("old", "new", "culprit"),
    [
        ('name = "emcee"', 'name = "emceee"', "'emceee'"),
        ('name = "emcee"', 'name = "emcee"\nwalkerss = 64', "'walkerss'"),
        ('name = "emcee"', 'name = "emcee"\nwalkers = "many"', "walkers = 'many'"),
        ('name = "emcee"', 'name = "emcee"\nmax_time = "1 h"', "max_time = '1 h'"),
        ('name = "emcee"', 'name = "dynesty"\nnlive = -5', "nlive = -5"),
        ('name = "emcee"', 'name = "emcee"\nmap = 3', "sampler.map = 3"),
        ('name = "emcee"', 'name = "emcee"\nmap = { start = 3 }', "'start'"),
    ],
)
@pytest.mark.parametrize("command", ["check", "run"])
def test_the_sampler_is_checked_before_anything_is_done(command, old, new, culprit, stellarcr, write_config):
    message(stellarcr(command, write_config(old, new)), culprit, "[sampler")
    assert os.listdir() == []


@pytest.mark.parametrize(
    ("arguments", "culprit", "advice"),
    [
        (["--set", "snr.gamma2"], "'snr.gamma2' has no '='", "snr.gamma2=-2.4"),
        (["--set", "snr.gamma2=steep"], "'snr.gamma2=steep'", "number"),
        (["--set", "snr.gama2=-2"], "'snr.gama2'", "'snr.gamma2'"),
        (["--set", "snr.gamma2=nan"], "'snr.gamma2' = nan", "finite"),
        (["--set", "snr.R_max=-3"], "'snr.R_max' cannot be negative", "GV"),
        (["--set", "snr.power=0"], "'snr.power' cannot be negative or zero", "erg/yr"),
        (["--set", "snr.gamma2=-2", "--set", "snr.gamma2=-3"], "'snr.gamma2' twice", "keep one"),
        (["--set", "snr.power=1e48", "--set", "snr.log10_power=47"], "'snr.power' is given twice", "keep one"),
        (["--set", "ams02.phi=0.5"], "ams02.phi", "--phi"),
        (["--axis", "EKIN"], "'EKIN'", "'EK'"),
        (["--axis", "r"], "'r'", "R"),
        (["--at", "ten"], "--at 'ten'", "--at 10"),
        (["--at", ""], "--at []", "10,100"),
        (["--at", "10,-1"], "-1.0", "10,100"),
        (["--at", "nan"], "nan", "10,100"),
        (["--species", "Hee"], "'Hee'", "'He'"),
        (["--species", ","], "--species is empty", "H,He"),
        (["--species", "B"], "'B'", "valid names"),
        (["--species", "lnA"], "total energy", "--axis ETOT"),
        (["--species", "lnA", "--axis", "ETOT", "--at", "0.5,1e5"], "0.5", "rest energy"),
        (["--phi", "-1"], "--phi -1.0", "0.6"),
        (["--phi", "nan"], "--phi nan", "0.6"),
    ],
    ids=" ".join,
)
def test_arguments_of_spectrum(arguments, culprit, advice, stellarcr, write_config):
    message(stellarcr("spectrum", write_config(), *arguments), culprit, advice)


@pytest.mark.parametrize("command", ["check", "run", "spectrum", "bench"])
def test_files_that_cannot_be_read(command, stellarcr, tmp_path):
    (tmp_path / "reference.toml").write_text("")
    message(stellarcr(command, tmp_path / "refrence.toml"), "refrence.toml", "'reference.toml'")
    message(stellarcr(command, tmp_path), str(tmp_path))
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    message(stellarcr(command, tmp_path / "bytes.toml"), "bytes.toml")


@pytest.mark.parametrize(
    "arguments", [["spectrm"], ["spectrum"], ["spectrum", "x.toml", "--phi", "half"], ["plot", "pie"]]
)
def test_wrong_usage_is_explained(arguments, stellarcr):
    result = stellarcr(*arguments)
    assert (result.code, result.out) == (2, "")
    assert "Usage: stellarcr" in result.err


def test_a_plot_that_cannot_be_written(stellarcr, write_config, tmp_path):
    (tmp_path / "file").write_text("")
    result = stellarcr("check", write_config(), "--plot", tmp_path / "file" / "plot", "--draws", "10", "--quiet")
    assert result.code == 2
    assert str(tmp_path / "file") in result.err
    assert "Traceback" not in result.err


def test_from_a_shell(write_config):
    """One mistake through the installed entry point, to see the real exit code and stream."""
    path = write_config(GAMMA1, "gama1 = -2.2")
    result = subprocess.run(
        [sys.executable, "-m", "stellarcr.cli", "spectrum", str(path)], capture_output=True, text=True, timeout=60
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert "'snr.gama1'" in result.stderr
    assert "Traceback" not in result.stderr


def test_fragments_that_are_not_followed_name_the_key_that_follows_them(stellarcr, tmp_path):
    path = tmp_path / "alone.toml"
    path.write_text('name = "alone"\n[galaxy]\nproduction = "none"\n[populations.snr]\n[likelihoods.dampe]\n')
    result = stellarcr("spectrum", path, "--species", "B/C", "--at", "100")
    assert result.code == 2
    assert "no population injects 'B'" in result.err
    assert "galaxy.production" in result.err
