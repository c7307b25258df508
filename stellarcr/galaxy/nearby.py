"""Nearby sources: densities of particles that a source near the Sun released, and their gradients.

Source and Sun lie in the plane z = 0; particles diffuse equally in all directions. In infinite space a burst is the
heat kernel (arXiv:2605.31362). A halo that particles leave for good at z = +-L multiplies it by a function of D t / L^2
alone (`stellarcr.galaxy.nearby_halo`), since diffusion along the plane and across it are independent. A source that
released particles for some time is the sum over its releases, and gas along the way destroys a part exp(-Gamma t).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..backend import Array, log_ndtr, namespace
from ..constants import KILOPARSEC, SPEED_OF_LIGHT, YEAR
from ..errors import ParameterError, StellarcrError
from ..populations.release import Release
from .nearby_halo import halo_factor

LIGHT_SPEED = SPEED_OF_LIGHT * YEAR / KILOPARSEC
"""Speed of light [kpc/yr]."""

RELEASES = 48
"""Gauss-Legendre nodes in the logarithm of the time since release; `tests/galaxy` measures the error, below 1e-8."""


def _quadrature(count: int) -> tuple[np.ndarray, np.ndarray]:
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return 0.5 * (nodes + 1.0), 0.5 * weights


_LONG, _SHORT = _quadrature(RELEASES), _quadrature(10)

_EXPONENT = 40.0
"""Releases whose exponent d^2 / (4 D t) is larger than that of the oldest by this add less than e^-40: left out."""


def burst_density(diffusion: Array, distance: Array, age: Array) -> Array:
    """Density per released particle at a distance from a burst.

    (4 pi D t)^(-3/2) exp(-d^2 / (4 D t)), no losses. Source: arXiv:2605.31362; the heat kernel.

    Parameters
    ----------
    diffusion : array
        D [kpc^2/yr].
    distance : array or float
        d [kpc].
    age : array or float
        t [yr].

    Returns
    -------
    array
        Density [1/kpc^3].
    """
    xp = namespace(diffusion, distance, age)
    spread = 4.0 * diffusion * age
    return xp.exp(-(distance**2) / spread) / (math.pi * spread) ** 1.5


def source_density(
    diffusion: Array,
    distance: Array,
    age: Array,
    duration: Array | None = None,
    half_height: Array | None = None,
    loss_rate: Array | None = None,
) -> Array:
    """Density per released particle at a distance from a nearby source.

    Zero where light has not arrived yet, d >= c t: diffusion knows no largest speed. Of a source that released
    particles for some time, those that would have had to be faster than light are left out.

    Parameters
    ----------
    diffusion : array
        D [kpc^2/yr].
    distance : array or float
        d [kpc], positive.
    age : array or float
        Time t since the source was born [yr]: that of a burst, or the begin of its releases.
    duration : array or float, optional
        How long it released particles at a constant rate [yr]; until now if that is longer than the age, of which only
        the particles released so far arrive. A burst if not given.
    half_height : array or float, optional
        Half-height L of the halo, beyond which there are no particles [kpc]; infinite space if not given.
    loss_rate : array or float, optional
        Rate Gamma of destruction on the way [1/yr]; none if not given.

    Returns
    -------
    array
        Density [1/kpc^3] per particle that the source releases in all, of the shape that the arguments broadcast to.
    """
    if duration is None:
        xp = namespace(diffusion, distance, age)
        density = _after(diffusion, distance, age, half_height, loss_rate)
        return xp.where(_arrived(distance, age, xp), density, xp.zeros_like(density))
    if half_height is None and loss_rate is None:
        return _free_continuous(diffusion, distance, age, duration)
    return _over_releases(
        lambda elapsed: _after(diffusion, distance, elapsed, half_height, loss_rate), diffusion, distance, age, duration
    )


def source_gradient(
    diffusion: Array,
    distance: Array,
    age: Array,
    duration: Array | None = None,
    half_height: Array | None = None,
    loss_rate: Array | None = None,
) -> Array:
    """How fast `source_density` falls with the distance from the source: -dN/dd.

    Each release contributes d / (2 D t) times its density; that the front of light moves with the distance is left
    out: what happens there is not diffusion.

    Parameters
    ----------
    diffusion, distance, age, duration, half_height, loss_rate
        See `source_density`.

    Returns
    -------
    array
        Gradient [1/kpc^4] per particle that the source releases in all.
    """
    if duration is None:
        density = source_density(diffusion, distance, age, None, half_height, loss_rate)
        return density * distance / (2.0 * diffusion * age)

    def slope(elapsed: Array) -> Array:
        return _after(diffusion, distance, elapsed, half_height, loss_rate) * distance / (2.0 * diffusion * elapsed)

    return _over_releases(slope, diffusion, distance, age, duration)


def nearby_transfer(
    release: Release | None,
    diffusion: Array,
    source: Mapping[str, Array],
    half_height: Array,
    destruction: Array | None = None,
    where: str = "",
) -> Array:
    """Density at the Sun per particle that a nearby population releases.

    Parameters
    ----------
    release : Release, optional
        How particles are released and what they meet; a burst in infinite space without gas if not given.
    diffusion : array
        D [kpc^2/yr].
    source : mapping
        ``age`` [yr], ``distance`` [kpc] and, where the release needs them, ``duration`` [yr] and ``gas_density``
        [1/cm^3]; numbers, or arrays that broadcast with the diffusion coefficient.
    half_height : array or float
        Half-height of the halo [kpc]; seen if the release ends there.
    destruction : array, optional
        Rate of destruction in gas of one hydrogen atom per cm^3 [1/yr]; needed if the release meets gas.
    where : str
        Name of the population, for messages.

    Returns
    -------
    array
        Density [1/kpc^3].

    Raises
    ------
    ParameterError
        If age and distance are plain numbers and not even light has arrived; where one is an array, as in a fit, the
        density of such sources is zero.
    """
    age, distance = source["age"], source["distance"]
    if not (getattr(age, "ndim", 0) or getattr(distance, "ndim", 0)):
        check_light_travel(float(distance), float(age), f"population {where!r}" if where else "the source")
    return source_density(diffusion, *_arguments(release, source, half_height, destruction))


def nearby_gradient(
    release: Release | None,
    diffusion: Array,
    source: Mapping[str, Array],
    half_height: Array,
    destruction: Array | None = None,
) -> Array:
    """How fast `nearby_transfer` falls with the distance [1/kpc^4]; same parameters."""
    return source_gradient(diffusion, *_arguments(release, source, half_height, destruction))


def _arguments(
    release: Release | None, source: Mapping[str, Array], half_height: Array, destruction: Array | None
) -> tuple[Array, Array, Array | None, Array | None, Array | None]:
    """Arguments of `source_density` after the diffusion coefficient."""
    release = release or Release()
    return (
        source["distance"],
        source["age"],
        source["duration"] if release.kind == "continuous" else None,
        half_height if release.boundary == "halo" else None,
        source["gas_density"] * destruction if release.gas and destruction is not None else None,
    )


def check_light_travel(
    distance: float, age: float, name: str = "the source", where: str = "", error: type[StellarcrError] = ParameterError
) -> None:
    """Refuse a source from which not even light has arrived.

    Parameters
    ----------
    distance : float
        Distance [kpc].
    age : float
        Age [yr].
    name, where : str
        Source and place, for the message.
    error : type
        Which error is raised.

    Raises
    ------
    ParameterError
        If distance >= c age; names both. Another type if ``error`` says so.
    """
    travel = distance / LIGHT_SPEED
    if travel >= age:
        raise error(
            f"{name}: its age of {age:g} yr is less than light needs from its distance of {distance:g} kpc, "
            f"{travel:.4g} yr",
            where=where,
            remedy=f"give an age above {travel:.4g} yr, or a distance below {age * LIGHT_SPEED:.4g} kpc",
        )


def disc_averaged_density(hydrogen_column: Array, diffusion: Array, elapsed: Array) -> Array:
    """Mean density of gas that particles met between a source and a Sun in the plane of a thin disc of gas.

    A particle that starts in the plane and is there again after a time t has spent on average ``sqrt(pi t / (4 D))``
    per unit of height at z = 0 (integral of G(s) G(t-s) / G(t) over s, with the heat kernel G in one dimension). Times
    the disc's column, over t: N_H sqrt(pi / (4 D t)).

    It falls with rigidity and time, which one number for the density does not: take it at the rigidities that matter.
    It holds for h << sqrt(4 D t) << L: closer in time the density is the disc's own, N_H / (2 h), and later a nucleus
    that has filled the halo met N_H / (2 L).

    Parameters
    ----------
    hydrogen_column : array or float
        Hydrogen atoms through the whole disc, N_H [1/cm^2].
    diffusion : array or float
        D [kpc^2/yr].
    elapsed : array or float
        Time since release, t [yr].

    Returns
    -------
    array
        Hydrogen atoms per cm^3.
    """
    return hydrogen_column / (KILOPARSEC * 100.0) * (math.pi / (4.0 * diffusion * elapsed)) ** 0.5


def _arrived(distance: Array, age: Array, xp: Any) -> Array:
    return xp.asarray(distance, dtype=xp.float64) < LIGHT_SPEED * xp.asarray(age, dtype=xp.float64)


def _after(
    diffusion: Array, distance: Array, elapsed: Array, half_height: Array | None, loss_rate: Array | None
) -> Array:
    """Density of one release that is ``elapsed`` years ago."""
    density = burst_density(diffusion, distance, elapsed)
    if half_height is not None:
        density = density * halo_factor(diffusion * elapsed / half_height**2)
    if loss_rate is not None:
        xp = namespace(diffusion, distance, elapsed, loss_rate)
        density = density * xp.exp(-loss_rate * elapsed)
    return density


def _free_continuous(diffusion: Array, distance: Array, age: Array, duration: Array) -> Array:
    """Sum over releases in infinite space: [erfc(d / sqrt(4 D t_old)) - erfc(d / sqrt(4 D t_young))] / (4 pi D d)."""
    xp = namespace(diffusion, distance, age, duration)
    oldest, lasted = _releases(xp, distance, age, duration)
    youngest = oldest - lasted
    low = distance / (4.0 * diffusion * oldest) ** 0.5
    high = distance / (4.0 * diffusion * youngest) ** 0.5
    width = low * lasted / (youngest**0.5 * (oldest**0.5 + youngest**0.5))  # high - low without its cancellation
    difference = _erfc(low) - _erfc(high)
    # where the releases are close in time the difference cancels as well; a mean of exp(-x^2) between does not
    mean = 0.0
    for node, weight in zip(*_SHORT, strict=True):
        mean = mean + float(weight) * xp.exp(-((low + float(node) * width) ** 2))
    difference = xp.where(width < 1.0, 2.0 / math.sqrt(math.pi) * width * mean, difference)
    return difference / (4.0 * math.pi * diffusion * distance * duration)


def _erfc(x: Array) -> Array:
    xp = namespace(x)
    return 2.0 * xp.exp(log_ndtr(-math.sqrt(2.0) * x))


def _releases(xp: Any, distance: Array, age: Array, duration: Array) -> tuple[Array, Array]:
    """Time since the first release, and how long there were releases that can have arrived [yr]."""
    oldest, lasted, travel = (xp.asarray(value, dtype=xp.float64) for value in (age, duration, distance / LIGHT_SPEED))
    return oldest, xp.minimum(lasted, xp.maximum(oldest - travel, xp.zeros_like(oldest - travel)))


def _over_releases(
    density: Callable[[Array], Array], diffusion: Array, distance: Array, age: Array, duration: Array
) -> Array:
    """Mean of a density over the releases of a source, by Gauss-Legendre nodes in the logarithm of their time."""
    xp = namespace(diffusion, distance, age, duration)
    oldest, lasted = _releases(xp, distance, age, duration)
    exponent = distance**2 / (4.0 * diffusion * oldest)
    span = xp.minimum(-xp.log1p(-lasted / oldest), xp.log1p(_EXPONENT / exponent))
    total = 0.0
    for node, weight in zip(*_LONG, strict=True):
        elapsed = oldest * xp.exp(-float(node) * span)
        total = total + float(weight) * elapsed * density(elapsed)
    return total * span / duration
