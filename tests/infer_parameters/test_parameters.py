"""Parameters and the space that they span."""

import math
import pickle

import numpy as np
import pytest
from scipy import stats

from stellarcr.errors import ParameterError
from stellarcr.infer.constraints import OrderConstraint
from stellarcr.infer.parameters import Parameter, ParameterSpace
from stellarcr.infer.priors import HalfNormal, LogNormal, LogUniform, Normal, ScipyPrior, TruncatedNormal, Uniform


def make_space(constraints=True):
    # Families interleaved, so that their columns do not adjoin; one order across two families.
    parameters = [
        Parameter("snr.log10_power", r"\log_{10} P", "erg/yr", prior=Uniform(47, 50), value=48.0, source="Table 1"),
        Parameter("snr.abundance.He", prior=LogNormal(1.0, 0.5)),
        Parameter("o_wind.R_max", unit="GV", prior=LogUniform(1e4, 3e5)),
        Parameter("ams02.phi", unit="GV", prior=TruncatedNormal(0.65, 0.1, 0.0)),
        Parameter("snr.gamma1", value=-2.2),
        Parameter("wr_wind.R_max", unit="GV", prior=LogUniform(2e4, 1e6)),
        Parameter("snr.abundance.C", prior=LogNormal(1.2, 0.3)),
        Parameter("wr_wind.gamma", linked="o_wind.gamma"),
        Parameter("o_wind.gamma", prior=Uniform(-2.3, -1.7)),
        Parameter("dampe.scale", prior=Normal(1.0, 0.03)),
        Parameter("scatter", prior=HalfNormal(0.1)),
        Parameter("shape", prior=ScipyPrior("beta", {"a": 2, "b": 3})),
        Parameter("msc.power", linked="10 ** (snr.log10_power - 1) * twice"),
        Parameter("twice", linked="2 * half"),
        Parameter("half", linked="0.5 + 0 * snr.gamma1"),
    ]
    order = [OrderConstraint(["o_wind.R_max", "wr_wind.R_max"])] if constraints else []
    return ParameterSpace(parameters, order)


NAMES = [
    "snr.log10_power",
    "snr.abundance.He",
    "o_wind.R_max",
    "ams02.phi",
    "wr_wind.R_max",
    "snr.abundance.C",
    "o_wind.gamma",
    "dampe.scale",
    "scatter",
    "shape",
]


def priors_of(space):
    return [parameter.prior for parameter in space.parameters if parameter.prior is not None]


def test_names_labels_and_units_are_those_of_the_free_parameters():
    space = make_space()
    assert space.names == tuple(NAMES)
    assert space.n_dim == 10
    assert space.labels[:2] == (r"\log_{10} P", r"\mathrm{snr.abundance.He}")
    assert r"o\_wind.R\_max" in space.labels[2]
    assert space.units[:4] == ("erg/yr", "", "GV", "GV")


def test_log_prior_is_the_sum_of_the_priors():
    space = make_space(constraints=False)
    theta = space.sample(np.random.default_rng(1), 300)
    expected = sum(prior.logpdf(theta[:, k]) for k, prior in enumerate(priors_of(space)))
    np.testing.assert_allclose(space.log_prior(theta), expected, rtol=1e-13)
    assert space.log_prior(theta).shape == (300,)
    np.testing.assert_array_equal(space.log_prior(theta[:1]), space.log_prior(theta)[:1])


def test_an_order_changes_the_log_prior_by_its_normalisation():
    free, ordered = make_space(constraints=False), make_space()
    theta = free.sample(np.random.default_rng(2), 2000)
    kept = theta[:, 2] < theta[:, 4]
    # P(x < y) of two log-uniform variables: above 3e5, y always exceeds x; below 2e4, x always falls short.
    low, high, bottom, top = np.log([2e4, 3e5, 1e4, 1e6])
    both = (high - low) / (high - bottom) * (high - low) / (top - low)
    probability = 1.0 - 0.5 * both
    shift = ordered.log_prior(theta) - free.log_prior(theta)
    np.testing.assert_allclose(shift[kept], -math.log(probability), rtol=1e-10)
    assert 100 < np.sum(~kept) < 1900
    np.testing.assert_array_equal(ordered.log_prior(theta)[~kept], -math.inf)


def test_order_against_the_order_of_the_parameters():
    # b < a, where theta holds a first.
    a, b = Parameter("a", prior=Uniform(0.0, 3.0)), Parameter("b", prior=Uniform(0.0, 4.0))
    space = ParameterSpace([a, b], [OrderConstraint(["b", "a"])])
    # b below 3 with probability 3/4, and then below a with 1/2
    np.testing.assert_allclose(space.log_prior(np.array([[2.0, 1.0]])), -math.log(12.0 * 3.0 / 8.0), rtol=1e-12)
    assert space.log_prior(np.array([[1.0, 2.0]]))[0] == -math.inf
    theta = space.sample(np.random.default_rng(11), 1000)
    assert np.all(theta[:, 1] < theta[:, 0])
    np.testing.assert_array_equal(space.resolve(theta)["a"], theta[:, 0])


def test_log_prior_is_the_density_of_the_transform():
    # The Jacobian of the transform, by central differences: its determinant is one over the density.
    space = make_space()
    u = np.random.default_rng(3).uniform(0.05, 0.95, (100, space.n_dim))
    jacobian = np.empty((100, space.n_dim, space.n_dim))
    for k in range(space.n_dim):
        step = 1e-5 * (np.arange(space.n_dim) == k)
        jacobian[:, :, k] = (space.prior_transform(u + step) - space.prior_transform(u - step)) / 2e-5
    log_density = -np.linalg.slogdet(jacobian)[1]
    np.testing.assert_allclose(space.log_prior(space.prior_transform(u)), log_density, atol=1e-5)


def test_density_integrates_to_one_by_importance():
    # Draws from heavier-tailed densities of the test's own: the mean weight is the integral of exp(log_prior).
    space = make_space()
    rng = np.random.default_rng(4)
    proposals = [
        stats.uniform(46.9, 3.2),
        stats.lognorm(0.7),
        stats.loguniform(9e3, 3.2e5),
        stats.uniform(0.0, 1.4),
        stats.loguniform(1.9e4, 1.1e6),
        stats.lognorm(0.5, scale=1.2),
        stats.uniform(-2.35, 0.7),
        stats.t(5, 1.0, 0.03),
        stats.expon(scale=0.1),
        stats.uniform(0.0, 1.0),
    ]
    n = 200_000
    theta = np.stack([proposal.rvs(n, random_state=rng) for proposal in proposals], axis=1)
    log_proposal = sum(proposal.logpdf(theta[:, k]) for k, proposal in enumerate(proposals))
    weights = np.exp(space.log_prior(theta) - log_proposal)
    error = np.std(weights) / math.sqrt(n)
    assert error < 0.01
    assert abs(np.mean(weights) - 1.0) < 4.0 * error


def test_draws_follow_each_prior():
    space = make_space()
    theta = space.sample(np.random.default_rng(5), 5000)
    assert theta.shape == (5000, 10)
    assert np.all(np.isfinite(space.log_prior(theta)))
    assert np.all(theta[:, 2] < theta[:, 4])
    for k, prior in enumerate(priors_of(space)):
        if k not in (2, 4):
            assert stats.kstest(theta[:, k], prior.cdf).pvalue > 1e-3
    free = make_space(constraints=False).sample(np.random.default_rng(6), 20_000)
    free = free[free[:, 2] < free[:, 4]]
    for k in (2, 4):
        assert stats.ks_2samp(theta[:, k], free[:, k]).pvalue > 1e-3


def test_transform_is_that_of_each_prior():
    space = make_space()
    u = np.random.default_rng(7).random((50, space.n_dim))
    u[0], u[1] = 0.0, 1.0
    theta = space.prior_transform(u)
    for k, prior in enumerate(priors_of(space)):
        if k not in (2, 4):
            np.testing.assert_allclose(theta[:, k], prior.ppf(u[:, k]), rtol=1e-14)
            np.testing.assert_array_equal(theta[:2, k], prior.support)
    u[0, 0] = 1.1
    assert np.isnan(space.prior_transform(u)[0, 0])


def test_outside_and_nan():
    space = make_space()
    inside = space.reference()
    assert np.isfinite(space.log_prior(inside[None]))[0]
    for k, prior in enumerate(priors_of(space)):
        for value in (math.nan, prior.support[0] - 1e-3, prior.support[1] * (1 + 1e-9) + 1e-9, -math.inf, math.inf):
            theta = inside.copy()
            theta[k] = value
            if not (math.isfinite(value) and math.isfinite(prior.logpdf(value))):
                assert space.log_prior(theta[None])[0] == -math.inf


def test_resolve_gives_every_parameter():
    space = make_space()
    theta = space.sample(np.random.default_rng(8), 6)
    values = space.resolve(theta)
    assert list(values) == [parameter.name for parameter in space.parameters]
    for k, name in enumerate(NAMES):
        np.testing.assert_array_equal(values[name], theta[:, k])
    assert values["snr.gamma1"] == -2.2
    assert isinstance(values["snr.gamma1"], float)
    assert isinstance(values["twice"], float)
    assert (values["half"], values["twice"]) == (0.5, 1.0)
    np.testing.assert_array_equal(values["wr_wind.gamma"], values["o_wind.gamma"])
    np.testing.assert_allclose(values["msc.power"], 10 ** (theta[:, 0] - 1), rtol=1e-14)
    assert space.resolve(theta[:1])["snr.gamma1"] == -2.2


def test_reference_values():
    space = make_space()
    reference = dict(zip(space.names, space.reference(), strict=True))
    assert reference["snr.log10_power"] == 48.0
    assert reference["ams02.phi"] == pytest.approx(0.65, abs=1e-6)
    assert reference["o_wind.R_max"] < reference["wr_wind.R_max"]
    changed = space.reference()
    changed[:] = 0.0
    assert space.reference()[0] == 48.0


def test_reference_of_an_order_with_values():
    order = [OrderConstraint(["a", "b"])]
    space = ParameterSpace([Parameter("a", prior=Uniform(0, 1), value=0.3), Parameter("b", prior=Uniform(0, 1))], order)
    np.testing.assert_array_equal(space.reference(), [0.3, 0.5])


def test_widths():
    space = make_space()
    widths = dict(zip(space.names, space.widths(), strict=True))
    assert widths["snr.log10_power"] == pytest.approx(3 / math.sqrt(12))
    assert widths["dampe.scale"] == pytest.approx(0.03)
    draws = space.sample(np.random.default_rng(9), 20_000)
    np.testing.assert_allclose(space.widths(), np.std(draws, axis=0), rtol=0.05)
    cauchy = ParameterSpace([Parameter("a", prior=ScipyPrior("cauchy", {"scale": 2.0}))])
    assert cauchy.widths()[0] == pytest.approx(2.0 * math.tan(math.pi * (0.5 - 0.15865525393145705)))


def test_table():
    rows = {row.name: row for row in make_space().table()}
    assert len(rows) == 15
    assert tuple(rows["snr.log10_power"]) == (
        "snr.log10_power",
        "free",
        "uniform 47 .. 50",
        "erg/yr",
        48.0,
        "Table 1",
    )
    assert rows["snr.gamma1"][1:3] == ("fixed", "-2.2")
    assert rows["msc.power"].kind == "linked"
    assert rows["msc.power"].description == "= 10 ** (snr.log10_power - 1) * twice"
    assert rows["msc.power"].reference == pytest.approx(1e47)
    assert "o_wind.R_max < wr_wind.R_max" in rows["o_wind.R_max"].description
    assert all(isinstance(row.reference, float) for row in rows.values())


def test_pickling_and_immutability():
    space = make_space()
    theta = space.sample(np.random.default_rng(10), 20)
    copy = pickle.loads(pickle.dumps(space))
    assert copy == space
    np.testing.assert_array_equal(copy.log_prior(theta), space.log_prior(theta))
    np.testing.assert_array_equal(copy.sample(np.random.default_rng(10), 20), theta)
    with pytest.raises(AttributeError):
        space.parameters = ()
    with pytest.raises(AttributeError):
        space.parameters[0].value = 3.0
    before = theta.copy()
    space.log_prior(theta)
    space.resolve(theta)
    np.testing.assert_array_equal(theta, before)


def test_equal_parameters_compare_equal():
    assert make_space() == make_space()
    assert make_space() != make_space(constraints=False)


U = Uniform(0, 1)

BAD_PARAMETERS = {
    "nothing": ({"name": "a"}, ["'a'", "no prior"]),
    "prior and link": ({"name": "a", "prior": U, "linked": "b"}, ["'a'", "'b'", "a prior"]),
    "value and link": ({"name": "a", "value": 1.0, "linked": "b"}, ["'a'", "'b'", "a value"]),
    "prior of wrong type": ({"name": "a", "prior": 3.0}, ["'a'", "float"]),
    "value text": ({"name": "a", "value": "3"}, ["'a'", "'3'", "str"]),
    "value bool": ({"name": "a", "value": True}, ["'a'", "bool"]),
    "value nan": ({"name": "a", "value": math.nan}, ["'a'", "nan"]),
    "value infinite": ({"name": "a", "prior": Normal(0, 1), "value": math.inf}, ["'a'", "inf"]),
    "value outside": ({"name": "a", "prior": U, "value": 1.5}, ["'a'", "1.5", "uniform 0 .. 1"]),
    "value at an edge without density": ({"name": "a", "prior": LogNormal(1, 1), "value": 0.0}, ["'a'", "0"]),
    "name empty": ({"name": "", "value": 1.0}, ["''"]),
    "name with a space": ({"name": "a b", "value": 1.0}, ["'a b'"]),
    "name with a dot at the end": ({"name": "a.", "value": 1.0}, ["'a.'"]),
    "name that starts with a digit": ({"name": "1a", "value": 1.0}, ["'1a'"]),
    "name with an operator": ({"name": "a-b", "value": 1.0}, ["'a-b'"]),
    "name with a keyword": ({"name": "snr.lambda", "value": 1.0}, ["'snr.lambda'", "'lambda'"]),
    "name of wrong type": ({"name": 3, "value": 1.0}, ["3"]),
    "link unreadable": ({"name": "a", "linked": "2 *"}, ["'a'", "'2 *'"]),
}


@pytest.mark.parametrize(("arguments", "words"), BAD_PARAMETERS.values(), ids=BAD_PARAMETERS)
def test_bad_parameters_are_refused(arguments, words):
    with pytest.raises(ParameterError) as caught:
        Parameter(**arguments)
    assert caught.value.remedy
    for word in words:
        assert word in str(caught.value)


A, B = Parameter("a", prior=U), Parameter("b", prior=U)

BAD_SPACES = {
    "empty": ([], [], ["free"]),
    "none free": ([Parameter("a", value=1.0)], [], ["free"]),
    "duplicate": ([A, B, Parameter("a", value=1.0)], [], ["'a'", "2 times"]),
    "link to unknown": ([A, Parameter("c", linked="2 * aa")], [], ["'c'", "'aa'", "'a'"]),
    "link to itself": ([A, Parameter("c", linked="c + a")], [], ["circle", "c -> c"]),
    "circle": (
        [A, Parameter("c", linked="d"), Parameter("d", linked="e"), Parameter("e", linked="c + a")],
        [],
        ["circle", "c", "d", "e"],
    ),
    "link not finite": ([A, Parameter("c", linked="log(a - 1)")], [], ["'c'", "nan", "a"]),
    "link of fixed not finite": ([A, Parameter("c", linked="1 / 0")], [], ["'c'", "inf"]),
    "order of unknown": ([A, B], [["a", "bb"]], ["'bb'", "'b'", "a < bb"]),
    "order of fixed": ([A, Parameter("c", value=1.0)], [["a", "c"]], ["'c'", "fixed"]),
    "order of linked": ([A, Parameter("c", linked="a")], [["a", "c"]], ["'c'", "linked"]),
    "two orders": ([A, B, Parameter("c", prior=U)], [["a", "b"], ["b", "c"]], ["'b'", "a < b", "b < c"]),
    "impossible order": ([A, Parameter("c", prior=Uniform(2, 3))], [["c", "a"]], ["c < a", "impossible"]),
    "values against the order": (
        [Parameter("c", prior=U, value=0.8), Parameter("d", prior=U, value=0.2)],
        [["c", "d"]],
        ["c = 0.8", "d = 0.2", "c < d"],
    ),
}


@pytest.mark.parametrize(("parameters", "orders", "words"), BAD_SPACES.values(), ids=BAD_SPACES)
def test_bad_spaces_are_refused(parameters, orders, words):
    with pytest.raises(ParameterError) as caught:
        ParameterSpace(parameters, [OrderConstraint(names) for names in orders])
    assert caught.value.remedy
    for word in words:
        assert word in str(caught.value)


def test_points_of_wrong_shape_are_refused():
    space = make_space()
    for wrong in (np.zeros(10), np.zeros((3, 9)), np.zeros((2, 3, 10))):
        for function in (space.log_prior, space.resolve, space.prior_transform):
            with pytest.raises(ParameterError, match=r"not \(n, 10\)"):
                function(wrong)
