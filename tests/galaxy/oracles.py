"""Slow and simple solutions of the diffusion of a network of nuclides, to judge the package's own solver by.

Nothing here imports the package: arrays in, arrays out, NumPy and SciPy only. All of it is at one energy per nucleon.
Nuclides are numbered parents first: a nucleus is made only by nuclei, and decays only into nuclei, with a known place
in that order. The cylinder has radius ``radius`` and half-height ``half_height`` [kpc], the density vanishes on its
surface, and sources and gas lie in the infinitely thin plane z = 0:

    -D_j laplacian(N_j) + N_j / tau_j = sum_p N_p / tau_p  [p decays into j]                        in the halo,
    -2 D_j dN_j/dz + destruction_j N_j = q_j(r) + sum_p production[j, p] N_p                          at z = 0.

Common arguments
----------------
production : array (n, n)
    production[j, p] = n_gas v sigma(p -> j) times the disc's thickness 2h [kpc/s].
destruction : array (n,)
    n_gas v sigma_inelastic times 2h [kpc/s].
decay : array (n,)
    1 / (gamma tau) [1/s]; 0 for a stable nucleus.
daughter : array (n,) of int
    Index of the nucleus that the decay makes; -1 where it is not followed.
diffusion : array (n,)
    Diffusion coefficient [kpc^2/s] at this energy per nucleon: not the same for parent and daughter.
source : array (n,)
    Particles per second in the whole disc.
profile : callable
    Relative surface density of sources against radius [kpc].
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_matrix, diags, eye, kron
from scipy.sparse.linalg import splu
from scipy.special import j0, j1, jn_zeros


def gauss_panels(edges, order):
    """Nodes and weights of Gauss-Legendre quadrature of this order in each panel."""
    x, w = np.polynomial.legendre.leggauss(order)
    half = 0.5 * np.diff(edges)[:, None]
    middle = 0.5 * (edges[1:] + edges[:-1])[:, None]
    return (middle + half * x).ravel(), (half * w).ravel()


@dataclass(frozen=True)
class BesselSolution:
    """Amplitudes of all orders.

    Attributes
    ----------
    k : array (orders,)
        zeta_i / radius [1/kpc].
    kappa : array (orders, n)
        Vertical wave numbers, kappa^2 = k^2 + 1 / (gamma tau D) [1/kpc].
    modes : array (orders, n, n)
        modes[i, j, m]: part of nuclide j with the vertical profile of m, sinh(kappa_m (L - z)) / sinh(kappa_m L); a
        nucleus takes over the profiles of what decays into it.
    injected : array (orders, n)
        2 h q_i [1/(kpc^2 s)].
    plane : array (orders, n)
        Density in the plane, N_i [1/kpc^3].
    sun : array (n,)
        Density at the Sun, sum over the orders [1/kpc^3].
    """

    k: np.ndarray
    kappa: np.ndarray
    modes: np.ndarray
    injected: np.ndarray
    plane: np.ndarray
    sun: np.ndarray


def bessel_network(
    production,
    destruction,
    decay,
    daughter,
    diffusion,
    source,
    profile,
    half_height=4.0,
    radius=20.0,
    sun=8.5,
    terms=500,
):
    """Bessel series of the whole network, exact in the vertical direction.

    Order i of nuclide j obeys N'' - kappa_j^2 N + (1/D_j) sum_p N_p(z) / tau_p = 0. If a parent's profile has a part
    c sinh(kappa_m (L - z)), the daughter gets A of it with A D_j (kappa_j^2 - kappa_m^2) = c / tau_p, and a part of its
    own that makes the plane right. From the flux into the plane, with C(kappa) = kappa coth(kappa L),

        (2 D_j C(kappa_j) + destruction_j) N_j = q_j + production + 2 D_j sum_m A_m [C(kappa_j) - C(kappa_m)].

    For a parent with the profile sinh(kappa_p (L - z)) and a stable daughter that is
    2 D_p [C(kappa_p) - C(k)] N_p, whatever the diffusion coefficient of the daughter.
    """
    n = len(destruction)
    zeros = jn_zeros(0, terms)
    k = zeros / radius
    r, weights = gauss_panels(np.linspace(0.0, radius, 201), 20)
    surface = profile(r) / np.sum(weights * 2 * np.pi * r * profile(r))
    moments = np.array([np.sum(weights * r * surface * j0(x * r)) for x in k])
    injected = (2.0 * moments / (radius * j1(zeros)) ** 2)[:, None] * np.asarray(source, dtype=float)

    excess = np.asarray(decay, dtype=float) / diffusion
    kappa = np.sqrt(k[:, None] ** 2 + excess)
    coth = kappa / np.tanh(kappa * half_height)
    modes = np.zeros((terms, n, n))
    plane = np.zeros((terms, n))
    for j in range(n):
        taken = np.zeros((terms, n))
        for parent in range(n):
            if daughter[parent] == j and decay[parent] > 0:
                feeding = np.any(modes[:, parent] != 0, axis=0)
                # kappa_j^2 - kappa_m^2 without the k^2 in both
                taken[:, feeding] += (
                    decay[parent] * modes[:, parent, feeding] / (diffusion[j] * (excess[j] - excess[feeding]))
                )
        gain = 2.0 * diffusion[j] * np.sum(taken * (coth[:, j : j + 1] - coth), axis=1)
        right = injected[:, j] + plane @ production[j] + gain
        plane[:, j] = right / (2.0 * diffusion[j] * coth[:, j] + destruction[j])
        modes[:, j] = taken
        modes[:, j, j] += plane[:, j] - np.sum(taken, axis=1)
    return BesselSolution(k, kappa, modes, injected, plane, j0(k * sun) @ plane)


@dataclass(frozen=True)
class Balance:
    """What every nuclide gains and loses in the whole cylinder [1/s], by order (orders, n).

    Gains: source, production, decay_gain. Losses: destruction, decay_loss, top (both ends), side.
    """

    source: np.ndarray
    production: np.ndarray
    decay_gain: np.ndarray
    destruction: np.ndarray
    decay_loss: np.ndarray
    top: np.ndarray
    side: np.ndarray

    @property
    def by_order(self):
        """(gains - losses) / gains of each order and nuclide."""
        return self._closure(lambda x: x)

    @property
    def total(self):
        """(gains - losses) / gains of the sum over the orders, by nuclide."""
        return self._closure(lambda x: np.sum(x, axis=0))

    def _closure(self, over):
        gains = over(self.source) + over(self.production) + over(self.decay_gain)
        losses = over(self.destruction) + over(self.decay_loss) + over(self.top) + over(self.side)
        return (gains - losses) / gains


def balance(solution, production, destruction, decay, daughter, diffusion, half_height=4.0, radius=20.0):
    """Bookkeeping of a `BesselSolution` over the cylinder.

    Column densities come from a quadrature of the vertical profile, not from the relations that made it; escape through
    the ends from its slope at z = L, through the side from D k times the column. Integrals over r are
    2 pi R^2 J1(zeta_i) / zeta_i (disc) and 2 pi R J1(zeta_i) (side).
    """
    zeros = solution.k * radius
    disc = (2 * np.pi * radius**2 * j1(zeros) / zeros)[:, None]
    z, weights = gauss_panels(np.concatenate([[0.0], half_height * np.geomspace(1e-4, 1.0, 40)]), 12)
    # sinh(kappa (L - z)) / sinh(kappa L), without large exponentials
    kappa = solution.kappa[:, :, None]
    shape = np.exp(-kappa * z) * -np.expm1(-2 * kappa * (half_height - z)) / -np.expm1(-2 * kappa * half_height)
    mode_column = 2.0 * np.sum(shape * weights, axis=2)
    mode_slope = 2.0 * solution.kappa * np.exp(-solution.kappa * half_height)
    mode_slope /= -np.expm1(-2 * solution.kappa * half_height)
    column = np.einsum("ijm,im->ij", solution.modes, mode_column)
    slope = np.einsum("ijm,im->ij", solution.modes, mode_slope)
    decayed = disc * column * decay
    gain = np.zeros_like(decayed)
    for parent, child in enumerate(daughter):
        if child >= 0:
            gain[:, child] += decayed[:, parent]
    return Balance(
        source=disc * solution.injected,
        production=disc * (solution.plane @ np.asarray(production).T),
        decay_gain=gain,
        destruction=disc * solution.plane * destruction,
        decay_loss=decayed,
        top=disc * 2.0 * diffusion * slope,
        side=2 * np.pi * radius * j1(zeros)[:, None] * solution.k[:, None] * diffusion * column,
    )


def finite_difference(
    production,
    destruction,
    decay,
    daughter,
    diffusion,
    source,
    profile,
    half_height=4.0,
    radius=20.0,
    sun=8.5,
    n_r=120,
    n_z=40,
    stretch=3.0,
):
    """The same network on a grid of finite volumes, one nuclide after the other, with sparse LU; second order.

    Cells in r are equal; nodes in z lie at L sinh(stretch x) / sinh(stretch), x even from 0 to 1, and so are dense at
    the plane; N = 0 at z = L and on the outer face of the last ring. The volume of the nodes in the plane is half a
    cell: its lower face carries half of what the disc releases less half of what it destroys.

    Returns the density at the Sun [1/kpc^3] of shape (n,).
    """
    dr = radius / n_r
    r, faces = (np.arange(n_r) + 0.5) * dr, np.arange(n_r + 1) * dr
    outer, inner = faces[1:] / (r * dr**2), faces[:-1] / (r * dr**2)
    diagonal = -(outer + inner)
    diagonal[-1] -= outer[-1]  # N = 0 on the face: the ghost cell is minus the last one
    radial = diags([inner[1:], diagonal, outer[:-1]], [-1, 0, 1])

    z = half_height * np.sinh(stretch * np.linspace(0.0, 1.0, n_z + 1)) / np.sinh(stretch)
    step = np.diff(z)
    height = 0.5 * (np.concatenate([[0.0], step[:-1]]) + step)  # of the volume around each node
    up = 1.0 / (step * height)
    down = np.concatenate([[0.0], 1.0 / (step[:-1] * height[1:])])
    vertical = diags([down[1:], -(up + down), up[:-1]], [-1, 0, 1])
    laplacian = kron(radial, eye(n_z)) + kron(eye(n_r), vertical)
    in_plane = kron(eye(n_r), diags([np.concatenate([[0.5 / height[0]], np.zeros(n_z - 1)])], [0]))

    # what each ring releases, from a quadrature inside it
    nodes, weights = gauss_panels(faces, 4)
    ring = np.sum((weights * 2 * np.pi * nodes * profile(nodes)).reshape(n_r, 4), axis=1)
    surface = ring / np.sum(ring) / (2 * np.pi * r * dr)

    n = len(destruction)
    density = np.zeros((n, n_r, n_z))
    for j in range(n):
        matrix = diffusion[j] * laplacian - decay[j] * eye(n_r * n_z) - destruction[j] * in_plane
        right = np.zeros((n_r, n_z))
        for parent in range(n):
            if daughter[parent] == j:
                right -= decay[parent] * density[parent]
        right[:, 0] -= (surface * source[j] + production[j] @ density[:, :, 0]) * 0.5 / height[0]
        density[j] = splu(csc_matrix(matrix)).solve(right.ravel()).reshape(n_r, n_z)
    first = int(np.searchsorted(r, sun)) - 2
    near = slice(first, first + 4)
    # through four points: the error of the interpolation is of fourth order
    return np.array([np.polyval(np.polyfit(r[near] - sun, d[near, 0], 3), 0.0) for d in density])
