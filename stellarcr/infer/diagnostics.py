"""How far a chain can be trusted: autocorrelation time, effective sample size, R-hat over ensembles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.stats import norm, rankdata

from stellarcr.infer.posterior_protocol import FloatArray


def autocorrelation(series: FloatArray) -> FloatArray:
    """Normalised autocorrelation function, averaged over series that share one distribution.

    The mean and variance are those of all series together. A series that is stuck away from the others
    therefore shows as correlation; with a mean per series it would not.

    Parameters
    ----------
    series : array, shape (n_steps,) or (n_steps, n_series)
        For example the walkers of an ensemble.

    Returns
    -------
    array, shape (n_steps,)
        Autocorrelation at lag 0, 1, ...; NaN if the series are constant.
    """
    x = np.asarray(series, dtype=np.float64)
    if x.ndim == 1:
        x = x[:, np.newaxis]
    n_steps = len(x)
    deviation = x - x.mean()
    variance = np.mean(deviation**2)
    if variance == 0.0:
        return np.full(n_steps, np.nan)
    length = next_fast_len(2 * n_steps, real=True)
    spectrum = rfft(deviation, n=length, axis=0)
    power = np.mean(spectrum.real**2 + spectrum.imag**2, axis=1)
    # Divided by n_steps, not n_steps - lag: the usual choice, biased but of small variance at large lags.
    return irfft(power, n=length)[:n_steps] / (n_steps * variance)


def autocorrelation_time(series: FloatArray, window: float = 5.0) -> float:
    """Integrated autocorrelation time in steps, 1 + 2 sum rho(t).

    The sum ends at the first lag M with M >= `window` tau(M): the self-consistent window that emcee uses
    (``emcee.autocorr``, after Sokal's notes).

    Parameters
    ----------
    series : array, shape (n_steps,) or (n_steps, n_series)
        Chain of one quantity.
    window : float
        Size of the window in autocorrelation times.

    Returns
    -------
    float
        tau, at least 1 (an antithetic chain counts as an independent one); infinite if the series are constant.
    """
    rho = autocorrelation(series)
    if np.isnan(rho[0]):
        return float("inf")
    tau = 2.0 * np.cumsum(rho) - 1.0
    outside = np.arange(len(tau)) >= window * tau
    last = int(np.argmax(outside)) if outside.any() else len(tau) - 1
    return float(max(tau[last], 1.0))


def split_rhat(groups: FloatArray, *, rank_normalised: bool = False) -> float:
    """Split R-hat of independent chains: sqrt((W (n-1)/n + B/n) / W).

    Parameters
    ----------
    groups : array, shape (n_steps, n_chains) or (n_steps, n_chains, n_walkers)
        One quantity. Walkers of one ensemble are not independent: all walkers of an ensemble make up one chain
        together, and each chain is split in time into halves.
    rank_normalised : bool
        Replace values by normal scores of their ranks first, for heavy tails.

    Returns
    -------
    float
        R-hat; 1 for perfect agreement, infinite if chains are constant at different values.
    """
    x = np.asarray(groups, dtype=np.float64)
    if x.ndim == 2:
        x = x[:, :, np.newaxis]
    half = len(x) // 2
    if half < 2:
        return float("inf")
    if rank_normalised:
        ranks = rankdata(x).reshape(x.shape)
        x = norm.ppf((ranks - 0.375) / (x.size + 0.25))
    halves = np.concatenate([x[:half], x[-half:]], axis=1)
    samples = halves.transpose(1, 0, 2).reshape(halves.shape[1], -1)
    n = samples.shape[1]
    within = np.mean(np.var(samples, axis=1, ddof=1))
    between = np.var(samples.mean(axis=1), ddof=1)
    if within == 0.0:
        return 1.0 if between == 0.0 else float("inf")
    return float(np.sqrt((within * (n - 1) / n + between) / within))


def kish_sample_size(log_weight: FloatArray) -> float:
    """Effective number of weighted samples, (sum w)^2 / sum w^2."""
    weight = np.exp(log_weight - np.max(log_weight))
    return float(weight.sum() ** 2 / np.sum(weight**2))


@dataclass(frozen=True)
class ChainAssessment:
    """State of an ensemble chain.

    Attributes
    ----------
    burn_in : int
        Steps discarded.
    tau : array, shape (n_dim,)
        Autocorrelation time in steps.
    rhat : array, shape (n_dim,)
        Split R-hat over ensembles.
    length_in_tau : float
        Steps after burn-in over the largest tau.
    effective_samples : float
        Walkers times `length_in_tau`.
    """

    burn_in: int
    tau: FloatArray
    rhat: FloatArray
    length_in_tau: float
    effective_samples: float

    def converged(self, target_tau: float, target_rhat: float) -> bool:
        """Whether both targets are met."""
        return bool(self.length_in_tau > target_tau and np.all(self.rhat < target_rhat))

    def verdict(self, target_tau: float, target_rhat: float) -> str:
        """Say it in one line, with the numbers."""
        word = "converged" if self.converged(target_tau, target_rhat) else "not converged"
        return (
            f"{word}: the chain is {self.length_in_tau:.1f} autocorrelation times long "
            f"(target {target_tau:g}; tau = {np.max(self.tau):.0f} steps), largest R-hat over ensembles "
            f"{np.max(self.rhat):.4f} (target {target_rhat:g}), burn-in {self.burn_in} steps"
        )


def assess_chain(
    chain: FloatArray, log_posterior: FloatArray, stride: int, n_steps: int, least_burn_in: int = 0
) -> ChainAssessment:
    """Choose the burn-in of an ensemble chain, then measure what is left.

    Burn-in ends when every ensemble's median log posterior has come within one standard deviation of that of
    the second half of the run, and is at least 5 tau of that half (project choice: emcee's documentation
    discards a few tau; the first condition catches ensembles that climbed late).

    Parameters
    ----------
    chain : array, shape (n_stored, n_ensembles, n_walkers, n_dim)
        Stored steps: every `stride`-th one.
    log_posterior : array, shape (n_stored, n_ensembles, n_walkers)
        Log posterior of each.
    stride : int
        Steps between stored ones.
    n_steps : int
        Steps made.
    least_burn_in : int
        Steps that are discarded in any case: while a sampler still learns, its steps do not count.
    """
    n_stored, n_ensembles, n_walkers, n_dim = chain.shape
    least = -(-least_burn_in // stride)
    if n_stored - least < 8:
        unknown = np.full(n_dim, np.inf)
        burn = max(0, min(least, n_stored - 1))
        return ChainAssessment(burn * stride, unknown, unknown, 0.0, 0.0)
    second_half = n_stored // 2
    settled = log_posterior[second_half:]
    medians = np.median(log_posterior, axis=2)
    arrived = np.all(medians >= np.median(settled) - np.std(settled), axis=1)
    climb = int(np.argmax(arrived)) if arrived.any() else second_half
    burn = max(climb, int(np.ceil(5.0 * np.max(_times(chain[second_half:])))))
    burn = max(min(burn, second_half), least)
    rest = chain[burn:]
    tau = stride * _times(rest)
    rhat = np.array([split_rhat(rest[..., i]) for i in range(n_dim)])
    length = (n_steps - burn * stride) / float(np.max(tau))
    return ChainAssessment(burn * stride, tau, rhat, length, length * n_ensembles * n_walkers)


def _times(chain: FloatArray, largest: int = 128) -> FloatArray:
    """Autocorrelation time per parameter in stored steps, from at most `largest` walkers for speed."""
    n_stored, n_ensembles, n_walkers, n_dim = chain.shape
    every = -(-n_ensembles * n_walkers // largest)
    walkers = chain[:, :, ::every].reshape(n_stored, -1, n_dim)
    return np.array([autocorrelation_time(walkers[..., i]) for i in range(n_dim)])
