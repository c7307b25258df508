"""Synthetic runs, chains and spectra, and what a reader's eye would check."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import matplotlib.text
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.transforms import Affine2D

PARAMETERS = [
    ("snr.log10_power", r"\log_{10}(P_{\rm SNR}/{\rm erg\,yr^{-1}})", "", 48.4, 0.006),
    ("snr.gamma2", r"\gamma_2^{\rm SNR}", "", -2.44, 0.005),
    ("snr.R_max", r"R_{\rm max}^{\rm SNR}", "GV", 5.2e4, 9e3),
    *((f"snr.abundance.{e}", rf"f_{{\rm {e}}}", "", 1.1, 0.02) for e in ("He", "C", "O", "Ne", "Mg", "Si", "S", "Fe")),
    ("o_wind.gamma", r"\gamma^{\rm O}", "", -1.97, 0.05),
    ("o_wind.log10_R_max", r"\log_{10}(R_{\rm max}^{\rm O}/{\rm GV})", "", 4.3, 0.1),
    ("wr_wind.log10_power", r"\log_{10}(P_{\rm WR}/{\rm erg\,yr^{-1}})", "", 46.9, 0.06),
    ("wr_wind.log10_R_max", r"\log_{10}(R_{\rm max}^{\rm WR}/{\rm GV})", "", 5.3, 0.08),
    ("msc.log10_power", r"\log_{10}(P_{\rm MSC}/{\rm erg\,yr^{-1}})", "", 47.1, 0.12),
    ("msc.gamma", r"\gamma^{\rm MSC}", "", -2.04, 0.04),
    ("msc.R_max", r"R_{\rm max}^{\rm MSC}", "GV", 4.4e6, 4e5),
    ("ia.energy", r"E_{\rm Ia}", "erg", 4e50, 5e49),
    ("ams02.phi", r"\phi_{\rm AMS02}", "GV", 0.54, 0.05),
    ("dampe.phi", r"\phi_{\rm DAMPE}", "GV", 0.65, 0.1),
]


@dataclass(frozen=True)
class SyntheticRun:
    """Correlated Gaussian samples with the attributes that a corner plot needs."""

    name: str
    names: tuple
    labels: tuple
    units: tuple
    samples: np.ndarray
    summary: dict
    prior: np.ndarray | None = None
    priors: dict = field(default_factory=dict)
    groups: dict = field(default_factory=dict)
    manifest: dict = field(default_factory=dict)
    derived: dict = field(default_factory=dict)
    derived_index: np.ndarray | None = None


def make_run(n, name="reference", seed=0, shift=0.0, n_samples=3000):
    rng = np.random.default_rng(seed)
    names, labels, units, centre, width = zip(*PARAMETERS[:n], strict=True)
    mixing = np.eye(n) + 0.4 * rng.normal(size=(n, n)) / np.sqrt(n)
    normal = rng.normal(size=(n_samples, n)) @ mixing.T
    samples = np.array(centre) + np.array(width) * (normal / np.linalg.norm(mixing, axis=1) + shift)
    maximum = {k: {"map": c + shift * w} for k, c, w in zip(names, centre, width, strict=True)}
    return SyntheticRun(name, names, labels, units, samples, {"parameters": maximum})


@pytest.fixture
def make():
    """Return the maker of synthetic runs."""
    return make_run


def drawn_texts(figure):
    """Every text that is drawn."""
    beyond = {label for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for label in _labels_beyond(axis)}
    return [
        text
        for text in figure.findobj(matplotlib.text.Text)
        if text.get_visible() and text.get_text().strip() and text not in beyond
    ]


def _labels_beyond(axis):
    """Labels of ticks beyond the end of an axis, or left from an earlier choice: they exist but are not drawn."""
    low, high = sorted(axis.get_view_interval())
    used = axis.get_major_ticks() + axis.get_minor_ticks()
    for tick in [*axis.majorTicks, *axis.minorTicks]:
        if tick not in used or not low <= tick.get_loc() <= high:
            yield from (tick.label1, tick.label2)


def outline(text):
    """Corners of a text in pixels, turned as the text is; three quarters of a pixel smaller for rounding."""
    box = text.get_window_extent()
    angle = text.get_rotation() % 360
    if angle % 90 == 0:
        return box.padded(-0.75).corners()[[0, 1, 3, 2]]
    # Labels at 45 degrees lie side by side although the upright boxes around them overlap.
    text.set_rotation(0.0)
    flat = text.get_window_extent().padded(-0.75)
    text.set_rotation(angle)
    turn = Affine2D().rotate_deg(angle).translate(*(0.5 * (box.p0 + box.p1)))
    return turn.transform(flat.corners()[[0, 1, 3, 2]] - 0.5 * (flat.p0 + flat.p1))


def polygons_meet(first, second):
    """Separating-axis test for two convex polygons."""
    for polygon in (first, second):
        edges = np.roll(polygon, -1, axis=0) - polygon
        for normal in np.stack([-edges[:, 1], edges[:, 0]], axis=1):
            a, b = first @ normal, second @ normal
            if a.max() <= b.min() or b.max() <= a.min():
                return False
    return True


def faults(figure):
    """Texts that lie on each other, and texts of legends that lie on axes."""
    FigureCanvasAgg(figure).draw()
    outlines = [(text.get_text(), outline(text)) for text in drawn_texts(figure)]
    found = [
        (first, second)
        for index, (first, a) in enumerate(outlines)
        for second, b in outlines[index + 1 :]
        if polygons_meet(a, b)
    ]
    boxes = [axes.get_window_extent() for axes in figure.axes]
    legend_texts = [text for legend in figure.legends for text in legend.get_texts()]
    on_axes = [t.get_text() for t in legend_texts if any(t.get_window_extent().overlaps(box) for box in boxes)]
    return found + on_axes


def ink(picture):
    """Fraction of the pixels that are not white, of a file or of a figure that `faults` has drawn."""
    pixels = np.asarray(picture.canvas.buffer_rgba()) / 255.0 if isinstance(picture, Figure) else imread(picture)
    return float(np.mean(np.any(pixels[..., :3] < 0.98, axis=-1)))


@pytest.fixture
def look():
    """Return what a reader's eye would check: ``faults(figure)`` and ``ink(picture)``."""
    return SimpleNamespace(faults=faults, ink=ink)
