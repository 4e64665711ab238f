"""Matplotlib, imported even if `MPLBACKEND` names a backend that it does not know.

Its import fails then, although figures need no backend.
"""
# ruff: noqa: E402
# The first import of matplotlib must come before the others.

import os
import sys
from contextlib import suppress
from importlib import import_module

__all__ = ["Axes", "Figure", "FigureCanvasAgg", "FigureCanvasSVG", "Line2D", "MaxNLocator", "Rectangle", "mpl"]


def _import_matplotlib() -> None:
    backend = os.environ.pop("MPLBACKEND", None)
    try:
        matplotlib = import_module("matplotlib")
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend
    if backend:
        with suppress(ValueError):
            matplotlib.rcParams["backend"] = backend  # as matplotlib itself does


if "matplotlib" not in sys.modules:
    _import_matplotlib()

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
