"""Trace plots of chains and of nested sampling."""

from types import SimpleNamespace

import numpy as np
import pytest

from stellarcr.errors import ParameterError
from stellarcr.plots import ChainTrace, NestedTrace, save, trace_of, trace_plot


def chain_trace(make, n, ensembles=4, walkers=8, n_steps=200, burn_in=500):
    """Walkers that start away from the posterior and forget it."""
    run, rng = make(n), np.random.default_rng(2)
    noise = rng.normal(size=(ensembles * walkers, n_steps, n)) + 4.0 * np.exp(-np.arange(n_steps) / 10)[:, None]
    samples = run.samples.mean(axis=0) + run.samples.std(axis=0) * noise
    return ChainTrace(
        run.name, run.names, run.labels, run.units, samples, -0.5 * np.sum(noise**2, axis=-1),
        ensemble=np.repeat(np.arange(ensembles), walkers).tolist(), steps=10 * np.arange(1, n_steps + 1),
        burn_in=burn_in, r_hat=dict.fromkeys(run.names, 1.003), autocorrelation_time=dict.fromkeys(run.names, 713.0),
    )  # fmt: skip


def nested_trace(make, n, n_points=3000):
    """Dead points of an isotropic Gaussian whose prior volume shrinks by the hundredth."""
    run, rng = make(n), np.random.default_rng(2)
    log_volume = -np.arange(1, n_points + 1) / 100.0
    radius = 12.0 * np.exp(log_volume / n)
    direction = rng.normal(size=(n_points, n))
    unit = direction / np.linalg.norm(direction, axis=1)[:, None]
    samples = run.samples.mean(axis=0) + run.samples.std(axis=0) * radius[:, None] * unit
    log_likelihood = -0.5 * radius**2
    return NestedTrace(
        run.name, run.names, run.labels, run.units, samples, log_likelihood, log_volume, log_likelihood + log_volume,
        log_evidence=-12.34, log_evidence_error=0.06,
    )  # fmt: skip


@pytest.mark.parametrize(("n", "build"), [(3, chain_trace), (21, chain_trace), (3, nested_trace), (9, nested_trace)])
def test_no_text_overlaps(make, look, n, build):
    figure = trace_plot(build(make, n))
    assert len(figure.axes) == 2 * (n + 1)
    assert look.faults(figure) == []


@pytest.mark.parametrize("build", [chain_trace, nested_trace])
def test_written_as_pdf_and_png(make, look, tmp_path, build):
    pdf, png = save(trace_plot(build(make, 2)), tmp_path / "trace", dpi=100)
    assert pdf.read_bytes().startswith(b"%PDF")
    assert 0.03 < look.ink(png) < 0.8


def test_chain_panels_say_label_diagnostics_and_burn_in(make):
    figure = trace_plot(chain_trace(make, 2))
    trace = figure.axes[4]
    assert trace.get_ylabel() == r"$\gamma_2^{\rm SNR}$"
    assert trace.get_title(loc="right") == r"$\hat{R}=1.003$   $\tau=713$"
    assert trace.get_xlabel() == "Step"
    shaded = trace.patches[0].get_extents().transformed(trace.transData.inverted())
    assert (shaded.x0, shaded.x1) == pytest.approx((0.0, 500.0))
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["Ensemble 1", "Ensemble 2", "Ensemble 3", "Ensemble 4", "Burn-in"]


def test_marginals_leave_burn_in_out(make):
    trace = chain_trace(make, 1)
    low, high = trace_plot(trace).axes[2].get_ylim()
    used = trace.samples[:, 50:, 0]
    # The walkers start four standard deviations away: the axis follows what is used.
    assert high < trace.samples[:, 0, 0].mean()
    assert low < np.quantile(used, 0.01) < np.quantile(used, 0.99) < high


def test_single_chains_without_diagnostics(make):
    run = make(2)
    samples = run.samples[:300].reshape(3, 100, 2)
    trace = ChainTrace("r", run.names, run.labels, run.units, samples, np.zeros((3, 100)) + samples[..., 0])
    figure = trace_plot(trace)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Chain 1", "Chain 2", "Chain 3"]
    np.testing.assert_allclose(figure.axes[2].lines[1].get_ydata(), samples[1, :, 0])
    assert figure.axes[2].get_title(loc="right") == ""


def test_nested_panels_say_evidence_and_weigh_the_marginal(make):
    trace = nested_trace(make, 2)
    figure = trace_plot(trace, "snr.gamma2")
    assert len(figure.axes) == 4
    assert figure.axes[0].get_title(loc="right") == r"$\ln Z=-12.34\pm0.06$"
    values, edges, _ = figure.axes[3].patches[-1].get_data()
    centres = 0.5 * (edges[1:] + edges[:-1])
    weight = np.exp(trace.log_weight - trace.log_weight.max())
    mean = np.sum(values * centres) / np.sum(values)
    assert mean == pytest.approx(np.average(trace.samples[:, 1], weights=weight), abs=np.diff(edges)[0])


def test_traces_are_taken_from_runs(make):
    run = make(2)
    theta = run.samples[: 2 * 50 * 4].reshape(2, 50, 4, 2)
    stored = SimpleNamespace(steps=5 * np.arange(1, 51), theta=theta, log_posterior=theta[..., 0])
    summary = {
        "sampler": "emcee",
        "burn_in": 100,
        "parameters": {"snr.log10_power": {"rhat": 1.01, "tau": 20.0}, "snr.gamma2": {"rhat": None, "tau": None}},
    }
    common = {"name": "r", "names": run.names, "labels": run.labels, "units": run.units, "summary": summary}
    trace = trace_of(SimpleNamespace(**common, trace=stored, nested=None))
    np.testing.assert_array_equal(trace.samples[4:8], np.moveaxis(theta[1], 1, 0))
    assert list(trace.ensemble) == [0, 0, 0, 0, 1, 1, 1, 1]
    assert trace.used.sum() == 30
    assert trace.r_hat == {"snr.log10_power": 1.01}
    with pytest.raises(ParameterError, match="has no trace: its sampler is 'emcee'"):
        trace_of(SimpleNamespace(**common, trace=None, nested=None, manifest={}))
    with pytest.raises(ParameterError, match="merged"):
        trace_of(SimpleNamespace(**common, trace=None, nested=None, manifest={"merged": []}))
    weighted = SimpleNamespace(
        theta=run.samples,
        log_likelihood=run.samples[:, 0],
        log_prior_volume=-run.samples[:, 0],
        log_weight=run.samples[:, 1],
    )
    nested = trace_of(SimpleNamespace(**common, nested=weighted, log_evidence=-3.0, log_evidence_error=0.1))
    assert (nested.log_evidence, nested.samples.shape) == (-3.0, run.samples.shape)


def test_wrong_shapes_and_empty_chains_are_refused(make):
    run = make(2)
    good = run.samples[:100].reshape(2, 50, 2)
    with pytest.raises(ParameterError, match=r"samples has shape \(2, 50, 2\), expected \(2, 49, 2\)"):
        ChainTrace("r", run.names, run.labels, run.units, good, np.zeros((2, 49)))
    with pytest.raises(ParameterError, match="burn_in = 50 of 50 steps"):
        ChainTrace("r", run.names, run.labels, run.units, good, np.zeros((2, 50)), burn_in=50)
    with pytest.raises(ParameterError, match="log_volume has shape"):
        NestedTrace("r", run.names, run.labels, run.units, run.samples[:9], np.zeros(9), np.zeros(8), np.zeros(9))
