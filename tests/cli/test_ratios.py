"""Ratios of fluxes in commands: spectrum, check, run, predict, plots, export of a table of one's own."""

import json

import numpy as np
import pytest

from stellarcr import run as fit
from stellarcr.config import build_model, config_from_mapping
from stellarcr.infer.runs import read_run

pytestmark = pytest.mark.usefixtures("one_thread")

MIXED = """
[likelihoods.ams02_ratios]
species = ["C/O", "He/O"]
[likelihoods.calet_ratios]
species = ["C/O"]
"""
GROUPS = {"AMS-02 H", "AMS-02 He", "AMS-02 C/O", "AMS-02 He/O", "CALET C/O"}


@pytest.fixture(scope="module")
def folder(small_content, tmp_path_factory):
    """Return the folder of a short fit of fluxes and ratios."""
    root = tmp_path_factory.mktemp("ratios")
    content = {**small_content(), "output": {"folder": str(root)}}
    content["likelihoods"] |= {
        "ams02_ratios": {"species": ["C/O", "He/O"]},
        "calet_ratios": {"species": ["C/O"]},
    }
    content["sampler"] = {"name": "emcee", "max_steps": 40, "walkers": 24, "ensembles": 2}
    fit(config_from_mapping(content), quiet=True)
    return root / "small"


@pytest.fixture
def spectra(stellarcr, write_config):
    """Return a function that gives what `spectrum --json` prints."""
    path = write_config()

    def run(*arguments, config=path):
        result = stellarcr("spectrum", config, "--json", *arguments)
        assert (result.code, result.err) == (0, "")
        return json.loads(result.out)["flux"]

    return run


def test_a_ratio_is_the_quotient_of_its_fluxes(spectra):
    names = "C,O,p+He,H,C/O,p/He,H/p+He,He"
    flux = spectra("--species", names, "--at", "20,1000", "--axis", "EKN", "--phi", "0.6")
    for ratio in ("C/O", "H/He", "H/p+He"):
        above, below = ratio.split("/")
        assert flux[ratio]["total"] == pytest.approx(np.divide(flux[above]["total"], flux[below]["total"]), rel=1e-12)


def test_populations_of_a_ratio_add_up(spectra, write_config):
    config = write_config(add="[populations.o_wind]\n", name="two.toml")
    flux = spectra("--species", "He,O,He/O", "--at", "30,3000", config=config)
    ratio = flux["He/O"]
    assert set(ratio) == {"total", "snr", "o_wind"}
    assert np.add(ratio["snr"], ratio["o_wind"]) == pytest.approx(ratio["total"], rel=1e-12)
    assert ratio["snr"] == pytest.approx(np.divide(flux["He"]["snr"], flux["O"]["total"]), rel=1e-12)


def test_nuclides(spectra, write_config, small_content):
    config = write_config(
        '"slab"\n[populations.snr]', '"slab"\n[populations.snr]\nisotopes = "natural"', name="nat.toml"
    )
    flux = spectra("--species", "Ne,Ne20,Ne21,Ne22,Ne22/Ne20,He4/He", "--at", "30,3000", "--phi", "0.4", config=config)
    parts = [flux[name]["total"] for name in ("Ne20", "Ne21", "Ne22")]
    assert np.sum(parts, axis=0) == pytest.approx(flux["Ne"]["total"], rel=1e-12)
    assert flux["Ne22/Ne20"]["total"] == pytest.approx(np.divide(parts[2], parts[0]), rel=1e-12)
    content = small_content()
    content["populations"]["snr"]["isotopes"] = "natural"
    model = build_model(config_from_mapping(content))
    parameters = {"snr.log10_power": 48.0, "snr.gamma1": -2.2, "snr.gamma2": -2.45}
    exact = model.flux_by_nuclide(parameters, "Ne", np.array([30.0, 3000.0]), "R", 0.4)["snr"]
    assert [list(v) for n, v in exact.items() if n.mass_number == 22] == [pytest.approx(parts[2], rel=1e-12)]


def test_tables_of_ratios_have_no_unit(stellarcr, write_config):
    result = stellarcr("spectrum", write_config(), "--species", "C/O,O", "--at", "100")
    titles = [line.strip() for line in result.out.splitlines() if line.startswith(("C/O", "O "))]
    assert titles == ["C/O", "O [1 / (m2 s sr GV)]"]


@pytest.mark.parametrize(
    ("species", "problem", "remedy"),
    [
        ("B/X", "unknown species 'X' in 'B/X'", "valid names"),
        ("He/Ox", "unknown species 'Ox' in 'He/Ox'", "did you mean 'O'"),
        ("H/He/C", "'H/He/C' is no ratio of two", "B/C"),
        ("He7", "unknown nuclide 'He7'", "'He4' or 'He3'"),
        ("Co/O", "'Co'", "C"),
        ("lnA/O", "'lnA' in 'lnA/O'", ""),
    ],
)
def test_unknown_names(stellarcr, write_config, species, problem, remedy):
    result = stellarcr("spectrum", write_config(), "--species", species)
    assert result.code == 2
    assert problem in result.err
    assert remedy in result.err


def test_check_counts_ratios_and_draws_them_on_their_axes(stellarcr, write_config, tmp_path):
    config = write_config(add=MIXED)
    result = stellarcr("check", config, "--plot", tmp_path / "prior", "--draws", "30")
    assert result.code == 0
    assert "193 points" in result.out
    for row in ("AMS-02_C_over_O_R", "CALET_C_over_O_EKN"):
        assert row in result.out
    for name in ("prior", "prior-ratios-R", "prior-ratios-EKN"):
        assert (tmp_path / f"{name}.png").is_file()
        assert f"{name}.pdf" in result.out


def test_check_of_ratios_alone(stellarcr, write_config, tmp_path):
    config = write_config('[likelihoods.ams02]\nspecies = ["H", "He"]', '[likelihoods.calet_ratios]\nspecies = ["C/O"]')
    result = stellarcr("check", config, "--plot", tmp_path / "prior", "--draws", "30")
    assert result.code == 0
    assert "22 points" in result.out
    assert sorted(p.name for p in tmp_path.glob("prior*")) == ["prior.pdf", "prior.png"]


@pytest.mark.parametrize(("name", "drawn"), [("lhaaso_all", True), ("lhaaso_phe", True), ("lhaaso_lna", False)])
def test_check_of_sums_and_masses_alone(name, drawn, stellarcr, write_config, tmp_path):
    data = f'[likelihoods.{name}]\nhadronic_model = "EPOS-LHC"'
    config = write_config('[likelihoods.ams02]\nspecies = ["H", "He"]', data)
    result = stellarcr("check", config, "--plot", tmp_path / "prior", "--draws", "30")
    assert result.code == 0
    assert (tmp_path / "prior.png").is_file() == drawn
    assert ("<ln A> is no spectrum" in result.out) != drawn


def test_no_spectra_of_a_fit_to_masses_alone(stellarcr, write_config):
    data = '[likelihoods.lhaaso_lna]\nhadronic_model = "EPOS-LHC"'
    config = write_config('[likelihoods.ams02]\nspecies = ["H", "He"]', data)
    assert stellarcr("run", config, "--max-calls", "500", "--quiet", "--output", ".", "--name", "masses").code == 0
    result = stellarcr("plot", "spectra", "masses")
    assert (result.code, result.out) == (2, "")
    assert "the fit holds <ln A> alone" in result.err
    assert "--species lnA --axis ETOT" in result.err


def test_a_run_keeps_data_sets_with_a_slash(folder):
    stored = read_run(folder)
    assert set(stored.log_likelihood) == GROUPS
    assert set(stored.summary["map"]["chi2"]) == GROUPS
    assert stored.summary["map"]["chi2"]["CALET C/O"]["points"] == 22


def test_stored_likelihoods_are_verified(stellarcr, folder):
    result = stellarcr("verify", folder)
    assert (result.code, result.err) == (0, "")
    assert "equal" in result.out


def test_data_are_predicted_as_in_the_fit(stellarcr, folder, tmp_path):
    path = tmp_path / "ams02_ratios.toml"
    path.write_text(
        'experiment = "AMS-02"\nspecies = ["C/O", "Mg/O"]\naxis = "R"\n'
        '[errors.systematic.total]\ncorrelation = "uncorrelated"\n'
    )
    target = tmp_path / "picture"
    result = stellarcr("predict", folder, "--data", path, "--draws", "40", "--plot", target, "--json")
    assert result.code == 0
    (experiment,) = json.loads(result.out)["runs"][0]["experiments"]
    fitted = {check["data"]: check["fitted"] for check in experiment["checks"]}
    assert fitted == {"AMS-02 C/O": "yes", "AMS-02 Mg/O": "partly", "AMS-02, all": "partly"}
    medians = {t["species"]: np.array(t["median"]) for t in experiment["tables"]}
    assert np.all((medians["C/O"] > 0.5) & (medians["C/O"] < 1.5))
    assert target.with_suffix(".png").is_file()


def test_bands_of_ratios(stellarcr, folder, tmp_path):
    result = stellarcr("predict", folder, "--species", "C/O,He", "--at", "100,1000", "--draws", "30", "--json",
                       "--csv", tmp_path / "bands.csv", "--plot", tmp_path / "bands")  # fmt: skip
    assert result.code == 0
    curves = {c["species"]: c for c in json.loads(result.out)["runs"][0]["curves"]}
    assert 0.5 < curves["C/O"]["median"][0] < 1.5
    rows = [line.split(",") for line in (tmp_path / "bands.csv").read_text().splitlines()]
    units = {row[1]: row[-1] for row in rows[1:]}
    assert units == {"C/O": "", "He": "1 / (m2 s sr GV)"}
    assert (tmp_path / "bands.png").is_file()
    assert (tmp_path / "bands-ratios.png").is_file()


def test_plots_of_a_run(stellarcr, folder, tmp_path):
    result = stellarcr("plot", "spectra", folder, "--output", tmp_path / "all")
    assert result.code == 0
    names = [line.rpartition("/")[2] for line in result.out.splitlines()]
    assert names == [f"{name}.{kind}" for name in ("all", "all-ratios-R", "all-ratios-EKN") for kind in ("pdf", "png")]
    assert stellarcr("plot", "spectra", folder, "--species", "He/O", "--output", tmp_path / "one").code == 0
    assert (tmp_path / "one.png").is_file()
    assert stellarcr("plot", "pulls", folder, "--output", tmp_path / "pulls").code == 0
    result = stellarcr("plot", "spectra", folder, "--species", "Ne/O", "--output", tmp_path / "none")
    assert result.code == 2
    assert "no fitted table measures 'Ne/O'" in result.err


def test_a_ratio_of_ones_own_gets_a_likelihood_file(write_table):
    from stellarcr.data.tables import load_table
    from stellarcr.studies.own_data import likelihood_stanza

    edges = np.array([20.0, 40.0, 80.0])
    stanza = likelihood_stanza(load_table(write_table("mine", "C/O", edges[:-1], edges[1:], [1.0, 0.9], 0.1)))
    assert 'species = ["C/O"]' in stanza
