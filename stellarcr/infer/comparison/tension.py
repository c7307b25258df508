r"""Whether experiments agree on the parameters that they share.

**Suspiciousness** compares one fit to all data with one fit to each part, all with the same model and priors. With
:math:`\ln R = \ln Z - \sum_i \ln Z_i` and the information ratio :math:`\ln I = \sum_i D_i - D`, where
:math:`D = \langle \ln L \rangle - \ln Z`,

.. math:: \ln S = \ln R - \ln I = \langle \ln L \rangle - \sum_i \langle \ln L_i \rangle ,

which hardly depends on the widths of priors, while R does. The number of dimensions that the parts share is :math:`d
= \sum_i d_i - d_{\rm all}` with :math:`d_i = 2\,{\rm Var}(\ln L_i)`: what only one part constrains, such as its own
nuisance parameters, is in two of the terms and drops out. For Gaussian posteriors :math:`d - 2 \ln S` follows
:math:`\chi^2_d` if the parts agree (Handley and Lemos 2019, arXiv:1902.04029; in this form in the package anesthetic,
``tension.py``).

**Parameter shift** compares two fits by their marginal posteriors in the parameters that both have. In units in which
the prior has mean zero and unit covariance, posterior mean `m` and covariance `C` are what a likelihood of
information :math:`F = C^{-1} - 1` with maximum at :math:`F^{-1} C^{-1} m` makes of it. The difference of two such
maxima, :math:`\Delta`, has the covariance :math:`F_1^{-1} + F_2^{-1}`, whatever the prior, whose inverse
:math:`\Sigma = F_1 (F_1 + F_2)^{-1} F_2` exists even where one of them constrains nothing. Along the eigenvectors of
:math:`\Sigma` with eigenvalues above `LEAST_INFORMATION` both fits know more together than the prior, and

.. math:: Q = \sum_k (v_k \cdot \Sigma \Delta)^2 / \lambda_k

follows :math:`\chi^2` with as many degrees of freedom; for Gaussians exactly, so that the prior is not counted twice.

**Counting** needs no Gaussian: differences of pairs of samples, one from each fit, in the same directions. Its
p-value is the share of differences that lie farther from their mean than zero does, in units of their covariance; for
one parameter, twice the smaller of the shares on the two sides of zero. It takes posteriors as they are, the prior in
both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, ndtri_exp
from scipy.stats import chi2

from stellarcr.errors import RunError
from stellarcr.infer.posterior_protocol import FloatArray

LEAST_INFORMATION = 1.0
"""Information on a difference, in units of the prior's, above which a direction is compared (project choice: below it
the difference of the two fits is less certain than the prior)."""

PAIRS = 20_000
"""Pairs of samples that are counted."""

_RESAMPLES = 100


@dataclass(frozen=True, eq=False)
class Fit:
    """What suspiciousness needs to know of a run.

    Attributes
    ----------
    log_likelihood : array, shape (n,)
        Of all of its data, at equal-weight posterior samples.
    effective_samples : float
        Independent samples that they are worth.
    log_evidence, log_evidence_error : float, optional
        ln Z and its error.
    volumes : array, shape (draws, n), optional
        Weights of the samples under other prior volumes of a nested run.
    """

    log_likelihood: FloatArray
    effective_samples: float
    log_evidence: float | None = None
    log_evidence_error: float | None = None
    volumes: FloatArray | None = None


@dataclass(frozen=True)
class Number:
    """A number with its numerical error."""

    value: float
    error: float


@dataclass(frozen=True)
class Suspiciousness:
    """Agreement of the parts of a joint fit.

    Attributes
    ----------
    log_bayes_ratio, log_information_ratio : Number or None
        ln R and ln I; None unless all fits have an evidence.
    log_suspiciousness : Number
        ln S: zero or so if the parts agree, falling with the square of their distance.
    dimensions : Number
        d, what the parts constrain in common.
    p_value : Number or None
        Probability of more tension by chance, for Gaussian posteriors; None where d is not known to be above zero.
    sigma : Number or None
        The same as a two-sided Gaussian deviation.
    """

    log_bayes_ratio: Number | None
    log_information_ratio: Number | None
    log_suspiciousness: Number
    dimensions: Number
    p_value: Number | None
    sigma: Number | None


def deviation(x: float, dimensions: float) -> float:
    """Two-sided Gaussian deviation of a chi2 `x`: 2 where a larger one has the probability 0.0455."""
    return max(0.0, -float(ndtri_exp(_log_p(x, dimensions) - np.log(2.0))))


def _log_p(x: float, dimensions: float) -> float:
    """Ln of the probability of a larger chi2, also where the probability is too small for a number."""
    p = float(chi2.sf(x, dimensions))
    if p > 1e-300:
        return float(np.log(p))
    # the incomplete gamma function far out: z^(a-1) e^-z (1 + (a-1)/z + (a-1)(a-2)/z^2 + ...) / Gamma(a)
    a, z = 0.5 * dimensions, 0.5 * x
    series = 1.0 + (a - 1.0) / z * (1.0 + (a - 2.0) / z * (1.0 + (a - 3.0) / z))
    return float((a - 1.0) * np.log(z) - z + np.log(series) - gammaln(a))


def suspiciousness(joint: Fit, parts: Sequence[Fit]) -> Suspiciousness:
    """Compare a fit to all data with fits to its parts; formulas in the module's description.

    Parameters
    ----------
    joint : Fit
        To all data.
    parts : sequence of Fit
        To each part of them; together they hold the same data once.

    Returns
    -------
    Suspiciousness
        Errors are those of means and variances over the effective samples, with what prior volumes of nested runs are
        not known to, propagated linearly.

    Raises
    ------
    RunError
        If there are fewer than two parts.
    """
    if len(parts) < 2:
        raise RunError("tension needs at least two parts", remedy="give a run for each experiment")
    fits, signs = [joint, *parts], np.array([1.0, *(-1.0 for _ in parts)])
    values = [np.asarray(fit.log_likelihood, dtype=np.float64) for fit in fits]
    moments = np.array([[np.mean(x), np.var(x, ddof=1)] for x in values])
    covariances = [
        _covariance_of_moments(x, max(fit.effective_samples, 2.0)) + _covariance_of_volumes(x, fit.volumes)
        for x, fit in zip(values, fits, strict=True)
    ]

    def log_s(m: FloatArray) -> float:
        return float(signs @ m[:, 0])

    def dimensions(m: FloatArray) -> float:
        return float(-signs @ (2.0 * m[:, 1]))

    def p_value(m: FloatArray) -> float:
        return float(chi2.sf(dimensions(m) - 2.0 * log_s(m), dimensions(m)))

    def sigma(m: FloatArray) -> float:
        return deviation(dimensions(m) - 2.0 * log_s(m), dimensions(m))

    d = _propagated(dimensions, moments, covariances)
    known = d.value > 2.0 * d.error
    p = _propagated(p_value, moments, covariances) if known else None
    return Suspiciousness(
        *_evidence_ratios(fits, signs, moments, covariances),
        log_suspiciousness=_propagated(log_s, moments, covariances),
        dimensions=d,
        p_value=p,
        sigma=None if p is None else _propagated(sigma, moments, covariances),
    )


def _covariance_of_moments(x: FloatArray, n: float) -> FloatArray:
    """Covariance of the mean and the variance of `n` independent numbers."""
    centred = x - np.mean(x)
    second, third, fourth = (float(np.mean(centred**k)) for k in (2, 3, 4))
    return np.array([[second, third], [third, fourth - second**2]]) / n


def _covariance_of_volumes(x: FloatArray, volumes: FloatArray | None) -> FloatArray:
    """Covariance of the mean and the variance by what prior volumes of a nested run are not known to."""
    if volumes is None:
        return np.zeros((2, 2))
    weights = volumes / np.sum(volumes, axis=1, keepdims=True)
    means = weights @ x
    return np.asarray(np.cov(means, weights @ x**2 - means**2))


def _propagated(
    function: Callable[[FloatArray], float], moments: FloatArray, covariances: Sequence[FloatArray]
) -> Number:
    variance = 0.0
    for k, covariance in enumerate(covariances):
        steps = 1e-3 * np.sqrt(np.maximum(np.diag(covariance), 1e-30))
        gradient = np.zeros(2)
        for j in range(2):
            change = np.zeros_like(moments)
            change[k, j] = steps[j]
            gradient[j] = (function(moments + change) - function(moments - change)) / (2.0 * steps[j])
        variance += float(gradient @ covariance @ gradient)
    return Number(function(moments), float(np.sqrt(max(variance, 0.0))))


def _evidence_ratios(
    fits: Sequence[Fit], signs: FloatArray, moments: FloatArray, covariances: Sequence[FloatArray]
) -> tuple[Number | None, Number | None]:
    evidences = [f.log_evidence for f in fits if f.log_evidence is not None]
    errors = [f.log_evidence_error for f in fits if f.log_evidence_error is not None]
    if len(evidences) < len(fits) or len(errors) < len(fits):
        return None, None
    ratio, error = float(signs @ np.array(evidences)), float(np.linalg.norm(errors))
    log_s = float(signs @ moments[:, 0])
    spread = float(np.sqrt(sum(c[0, 0] for c in covariances)))
    return Number(ratio, error), Number(ratio - log_s, float(np.hypot(error, spread)))


# ---------------------------------------------------------------------- shifts of parameters


@dataclass(frozen=True)
class MarginalShift:
    """Difference of one parameter between two fits.

    Attributes
    ----------
    difference, error : float
        Mean of the first minus that of the second, and the standard deviation of the difference, in its unit.
    p_value, p_value_error : float
        Two-sided, by counting pairs of samples, and its numerical error.
    """

    difference: float
    error: float
    p_value: float
    p_value_error: float


@dataclass(frozen=True)
class ParameterShift:
    """Difference of two fits in the parameters that they share.

    Attributes
    ----------
    chi2 : Number
        Q of the module's description.
    directions : int
        Directions that both fits constrain: the degrees of freedom.
    p_value, sigma : Number or None
        Probability of a larger Q if the fits agree, and the same as a two-sided Gaussian deviation; None without
        directions.
    p_counted : Number or None
        By counting pairs of samples; None without directions.
    marginals : tuple of MarginalShift
        One for each parameter.
    """

    chi2: Number
    directions: int
    p_value: Number | None
    sigma: Number | None
    p_counted: Number | None
    marginals: tuple[MarginalShift, ...]


def parameter_shift(
    first: FloatArray,
    second: FloatArray,
    prior: FloatArray,
    effective_samples: tuple[float, float],
    seed: int = 0,
) -> ParameterShift:
    """Compare two posteriors in the parameters that they share.

    Parameters
    ----------
    first, second : array, shape (n, n_shared)
        Equal-weight samples of each, the same parameters in the same order.
    prior : array, shape (m, n_shared)
        Draws from the prior of both.
    effective_samples : tuple of float
        Independent samples that those of each are worth.
    seed : int
        Of pairs and of the resampling that gives errors.

    Raises
    ------
    RunError
        If a run has hardly more effective samples than parameters.
    """
    n = first.shape[1]
    for samples, effective in zip((first, second), effective_samples, strict=True):
        if min(effective, len(samples)) < 2 * n + 10:
            raise RunError(
                f"{min(effective, len(samples)):.0f} effective samples give no covariance of {n} parameters",
                remedy="sample longer",
            )
    rng = np.random.default_rng(seed)
    origin, root = np.mean(prior, axis=0), np.linalg.cholesky(np.atleast_2d(np.cov(prior, rowvar=False)))
    white = [np.linalg.solve(root, (samples - origin).T).T for samples in (first, second)]
    q, directions = _shift(white[0], white[1])
    dimensions = directions.shape[1]
    sizes = [int(min(len(w), effective)) for w, effective in zip(white, effective_samples, strict=True)]
    drawn = []
    for _ in range(_RESAMPLES):
        one, two = (w[rng.integers(len(w), size=size)] for w, size in zip(white, sizes, strict=True))
        drawn.append(_shift(one, two, directions)[0])
    # Resampled means scatter around the means found, so that their Q is larger on average: only its spread is used.
    q_error = float(np.std(drawn)) if dimensions else 0.0
    pairs = [w[rng.permutation(np.resize(np.arange(len(w)), PAIRS))] for w in white]
    independent = float(min(PAIRS, *effective_samples))
    marginals = _marginals((pairs[0] - pairs[1]) @ root.T, independent)
    if dimensions == 0:
        return ParameterShift(Number(0.0, 0.0), 0, None, None, None, marginals)
    p = float(chi2.sf(q, dimensions))
    p_error = float(chi2.pdf(q, dimensions)) * q_error
    sigma, step = deviation(q, dimensions), 1e-3 * max(q, 1e-3)
    slope = (deviation(q + step, dimensions) - sigma) / step
    return ParameterShift(
        chi2=Number(q, q_error),
        directions=dimensions,
        p_value=Number(p, p_error),
        sigma=Number(sigma, slope * q_error),
        p_counted=_counted((pairs[0] - pairs[1]) @ directions, independent),
        marginals=marginals,
    )


def _shift(first: FloatArray, second: FloatArray, directions: FloatArray | None = None) -> tuple[float, FloatArray]:
    """Q of whitened samples, and the directions that it is summed over."""
    informations, gradients = [], []
    for samples in (first, second):
        precision = np.linalg.inv(np.atleast_2d(np.cov(samples, rowvar=False)))
        values, vectors = np.linalg.eigh(precision - np.eye(len(precision)))
        # A posterior that seems wider than its prior is one of few samples, or one cut by an edge: it knows nothing.
        informations.append((vectors * np.maximum(values, 0.0)) @ vectors.T)
        gradients.append(precision @ np.mean(samples, axis=0))
    one, two = informations
    inverse = np.linalg.pinv(one + two, hermitian=True)
    parallel = one @ inverse @ two
    parallel = 0.5 * (parallel + parallel.T)
    pull = two @ inverse @ gradients[0] - one @ inverse @ gradients[1]
    if directions is None:
        values, vectors = np.linalg.eigh(parallel)
        directions = vectors[:, values > LEAST_INFORMATION]
    if directions.shape[1] == 0:
        return 0.0, directions
    along = directions.T @ pull
    return float(along @ np.linalg.solve(directions.T @ parallel @ directions, along)), directions


def _counted(differences: FloatArray, independent: float) -> Number:
    mean, covariance = np.mean(differences, axis=0), np.atleast_2d(np.cov(differences, rowvar=False))
    centred = differences - mean
    distance = np.einsum("ij,ij->i", centred, np.linalg.solve(covariance, centred.T).T)
    share = float(np.mean(distance > mean @ np.linalg.solve(covariance, mean)))
    return Number(share, _binomial(share, independent))


def _marginals(differences: FloatArray, independent: float) -> tuple[MarginalShift, ...]:
    result = []
    for column in differences.T:
        below = float(np.mean(column < 0) + 0.5 * np.mean(column == 0))
        side = min(below, 1.0 - below)
        result.append(
            MarginalShift(
                float(np.mean(column)), float(np.std(column, ddof=1)), 2.0 * side, 2.0 * _binomial(side, independent)
            )
        )
    return tuple(result)


def _binomial(share: float, n: float) -> float:
    """Error of a share of `n` draws; not below that of one draw, which none may have been."""
    return float(np.sqrt(max(share * (1.0 - share), 1.0 / n) / n))
