"""Shapes of users' populations beyond their default parameters, and those that are written with NumPy."""

import re

import numpy as np
import pytest

from stellarcr.config import build_posterior, load_config
from stellarcr.errors import ConfigError, ModelError, ParameterError
from stellarcr.infer.priors import prior_from_mapping
from stellarcr.studies.report import check_report

XP = "xp = namespace(rigidity, *parameters.values())"
RETURN = "        return xp.exp("


def built(folder):
    return build_posterior(load_config(folder / "run.toml"))


def test_a_shape_of_numpy_functions_is_taken(own, replace_in, capsys):
    expected = built(own)
    assert expected.model.populations[0].shape.numpy_only == ""
    theta = expected.sample_prior(np.random.default_rng(2), 5)
    replace_in(own / "my_sources.py", XP, "import numpy as xp")
    posterior = built(own)
    assert posterior.model.populations[0].shape.numpy_only == f"line 10 of {own}/my_sources.py"
    np.testing.assert_array_equal(posterior.log_posterior(theta), expected.log_posterior(theta))
    check_report(own / "run.toml", own / "prior", 20, quiet=True)
    said = capsys.readouterr().err
    assert "note: the shape of 'wind' works with NumPy's arrays only, which every fit uses" in said
    assert "my_sources.py" in said


OUTSIDE = {
    "nan": "        return xp.sqrt(column(parameters['gamma']) + 2.5) * xp.exp(",
    "negative": "        return (column(parameters['gamma']) + 2.5) * xp.exp(",
    "zero": "        return xp.where(column(parameters['gamma']) < -2.5, 0.0, 1.0) * xp.exp(",
    "infinite": "        return xp.where(column(parameters['gamma']) < -2.5, xp.inf, 1.0) * xp.exp(",
}


@pytest.mark.parametrize("line", OUTSIDE.values(), ids=OUTSIDE)
@pytest.mark.filterwarnings("error")
def test_a_prior_that_reaches_where_the_shape_is_no_spectrum(own, replace_in, line):
    replace_in(own / "my_sources.py", RETURN, line)  # fine at the default, gamma = -2
    with pytest.raises(ConfigError, match="'wind' is negative, not finite or zero") as caught:
        built(own)
    assert float(re.search(r"wind\.gamma = (\S+),", caught.value.problem)[1]) <= -2.5
    assert "exclude such parameters" in caught.value.remedy
    replace_in(own / "run.toml", "low = -2.8", "low = -2.4")
    built(own)


def test_a_shape_that_fails_away_from_its_defaults(own, replace_in):
    # NumPy's assertion: a shape may refuse parameters, and the message says where
    check = "        assert np.all(np.asarray(parameters['gamma']) > -2.5), 'too steep'\n"
    replace_in(own / "my_sources.py", RETURN, check + RETURN)
    replace_in(own / "my_sources.py", "from my_numbers", "import numpy as np\nfrom my_numbers")
    with pytest.raises(ParameterError, match=r"AssertionError: too steep \(line 11 of .*my_sources.py\)") as caught:
        built(own)
    assert caught.value.where == str(own / "my_sources.py")


def test_names_that_clash(own, replace_in):
    replace_in(own / "run.toml", "[likelihoods.ams02]", '[likelihoods.wind]\nfile = "ams02"')
    with pytest.raises(ConfigError) as caught:
        load_config(own / "run.toml")
    assert caught.value.problem == (
        "a population and a likelihood have the same name, 'wind': parameters would be ambiguous"
    )
    replace_in(own / "run.toml", "[likelihoods.wind]", "[likelihoods.ams02]")
    replace_in(own / "run.toml", "s.wind]", "s.total]")
    with pytest.raises(ModelError, match="cannot be named 'total'") as caught:
        built(own)
    assert caught.value.where == str(own / "run.toml")


def test_a_relative_import_without_a_package(own, replace_in):
    replace_in(own / "my_sources.py", "from my_numbers", "from .my_numbers")
    with pytest.raises(ConfigError, match="relative import") as caught:
        built(own)
    assert "leave out the dot" in caught.value.remedy
    (own / "__init__.py").write_text("")
    assert built(own).names


def test_a_function_that_gives_a_distribution_of_scipy(own):
    (own / "theirs.py").write_text(
        "import scipy.stats\ndef bounded(low, width):\n    return scipy.stats.uniform(low, width)\n"
    )
    prior = prior_from_mapping({"kind": f"{own}/theirs.py:bounded", "low": 2.0, "width": 4.0})
    assert prior.support == (2.0, 6.0)
    assert prior.logpdf(np.array(3.0)) == pytest.approx(np.log(0.25))
