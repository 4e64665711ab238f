"""The demo image: a synthetic mouse embryo as a light-sheet microscope sees it, in the IDR's OME-Zarr layout.

Points are (z, y, x) in µm from the middle of the embryo. Light is 1 in a nucleus. To the rest of the package this is an
image like any other.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy  # loads each submodule at its first use
import zarr
from numpy.linalg import norm

from idr_assets.imaging.output.store_faults import explain_writes
from idr_assets.imaging.stores.by_address import open_store

type Floats = npt.NDArray[np.float64]

SHAPE = (12, 2, 16, 128, 135)  # TCZYX
FRAME_SECONDS, VOXEL_UM = 1800.0, np.array([2.03125, 0.8125, 0.8125])
CHANNELS = (("H2B-miRFP720", "00FFFF", 2000), ("membrane-mScarlet", "FF3D9A", 1200))  # colour, display maximum
SEED = 4007801

EMBRYO_UM, CAVITY_UM = np.array([[18.5, 47.5, 44.0], [6.5, 19.0, 9.0]])  # semi-axes
CAVITY_CENTRE_UM = np.array([1.0, -9.0, 3.0])
BEND_PER_UM, TAPER_PER_UM = 0.003, 0.005  # of the width, along y
GROWTH_PER_FRAME, DRIFT_UM_PER_FRAME = 0.004, np.array([0.05, 0.3, -0.2])
FOUNDERS, WANDERING_UM = 35, 0.8
MITOSIS_FRAMES, SEPARATION_FRAMES = 0.6, 2.0
NUCLEUS_UM, RIM_UM = 4.3, 0.4  # radius, softness
MEMBRANE_UM, FURROW_UM = 0.9, 1.5

SHARP_PSF_UM, WIDE_PSF_UM = np.array([[1.6, 0.5, 0.5], [6.0, 4.0, 4.0]])  # standard deviations
WIDE_PSF_SHARE = 0.3
FALL_OFF_UM = np.array([150.0, np.inf, 250.0])  # the sheet enters at x = 0, the camera looks along z
PEAK_PHOTONS = (420.0, 300.0)
COUNTS_PER_PHOTON, CAMERA_OFFSET, READ_NOISE = 6.0, 100.0, 9.0


@dataclass(frozen=True)
class Nuclei:
    """The n nuclei of one timepoint."""

    centre: Floats  # (n, 3)
    axis: Floats  # (n, 3), unit vectors along which a nucleus is long and divides
    radius: Floats  # (n,), micrometres
    mitosis: Floats  # (n,), 0 in interphase to 1 in the middle of a division
    chromatin: Floats  # (n, 4, 3), wave vectors of the texture


def _depth_in_ellipsoid(points: Floats, semi_axes: Floats) -> Floats:
    """Return the distance to the surface to first order (Taubin, ACM Trans. Graph. 13, 1994), positive inside."""
    radius = norm(points / semi_axes, axis=-1)
    return np.asarray(radius * (1 - radius) / norm(points / semi_axes**2, axis=-1))


def _tissue_depth(points: Floats) -> Floats:
    """Return the depth below the nearest surface, outer or cavity, of a bent and tapered egg cylinder."""
    z, y, x = points.T
    straight = np.stack([z, y, (x - BEND_PER_UM * y**2) / (1 - TAPER_PER_UM * y)], axis=-1)
    outside_cavity = -_depth_in_ellipsoid(straight - CAVITY_CENTRE_UM, CAVITY_UM)
    return np.minimum(_depth_in_ellipsoid(straight, EMBRYO_UM), outside_cavity)


@cache
def _daughters() -> Floats:
    """Spread the daughters of all founders evenly over the tissue, siblings side by side: (FOUNDERS, 2, 3)."""
    rng = np.random.default_rng(SEED)
    points = rng.uniform(-60, 60, (50_000, 3))
    points = points[_tissue_depth(points) > NUCLEUS_UM]
    founders, _ = scipy.cluster.vq.kmeans2(points, points[:FOUNDERS], minit="matrix")
    pairs, _ = scipy.cluster.vq.kmeans2(
        points, founders.repeat(2, axis=0) + rng.normal(size=(2 * FOUNDERS, 3)), minit="matrix"
    )
    return np.reshape(pairs, (FOUNDERS, 2, 3))


def nuclei_at(t: int) -> Nuclei:
    """Return the nuclei of timepoint `t`: 35 founders at 0, each replaced by two daughters until there are 70 at 11."""
    rng = np.random.default_rng(SEED)
    age = t - rng.permutation(np.linspace(0.4, SHAPE[0] - 1.4, FOUNDERS))[:, None]
    present = age >= np.array([-np.inf, 0])  # the second daughter comes with the division
    founders = _daughters().mean(axis=1, keepdims=True)
    apart = _daughters() - founders
    separation = np.where(age < 0, 0, 1 - 0.55 * np.exp(-age.clip(0) / SEPARATION_FRAMES))
    wandering = WANDERING_UM * np.sin(0.4 * t + rng.uniform(0, 2 * np.pi, founders.shape))
    return Nuclei(
        centre=(founders + separation[..., None] * apart + wandering)[present],
        axis=(apart / norm(apart, axis=-1, keepdims=True))[present],
        radius=(NUCLEUS_UM * np.where(age < 0, 1, 0.9) * rng.normal(1, 0.05, present.shape))[present],
        mitosis=np.exp(-((age / MITOSIS_FRAMES) ** 2)).repeat(2, axis=1)[present],
        chromatin=rng.normal(0, 1.1, (*present.shape, 4, 3))[present],
    )


def _nuclear_light(offset: Floats, mitosis: Floats, axis: Floats, radius: Floats, chromatin: Floats) -> Floats:
    """Return the light at `offset` (m, 3) from a nucleus' centre: a textured spheroid, a bright plate in mitosis."""
    along = np.vecdot(offset, axis)
    across = np.sqrt((np.vecdot(offset, offset) - along**2).clip(0))
    distance = np.hypot(along / (1.15 - 0.6 * mitosis), across / (1 - 0.15 * mitosis))
    texture = 1 + 0.5 * np.cos(np.vecdot(offset[:, None], chromatin)).mean(axis=-1)
    return np.asarray(scipy.special.expit((radius - distance) / RIM_UM) * texture * (1 + 0.5 * mitosis))


def _fluorescence(points: Floats, depth: Floats, nuclei: Nuclei) -> Floats:
    """Return the light of both channels (2, m): nuclei, and membranes midway between two cells."""
    distance, nearest = scipy.spatial.KDTree(nuclei.centre).query(points, k=2)
    own = nearest[:, 0]
    offset = points - nuclei.centre[own]
    nuclear = _nuclear_light(offset, nuclei.mitosis[own], nuclei.axis[own], nuclei.radius[own], nuclei.chromatin[own])
    to_border = distance[:, 1] - distance[:, 0]
    depth = depth - FURROW_UM * np.exp(-to_border / (2 * FURROW_UM))  # cells bulge out between furrows
    tissue = scipy.special.expit(depth / RIM_UM)
    membrane = np.maximum(np.exp(-((to_border / MEMBRANE_UM) ** 2)) * tissue, np.exp(-((depth / MEMBRANE_UM) ** 2)))
    return np.stack([nuclear + 0.04 * tissue, membrane + 0.08 * tissue])


def _blur(light: Floats) -> Floats:
    sharp, wide = (
        scipy.ndimage.gaussian_filter(light, psf / VOXEL_UM, mode="constant") for psf in (SHARP_PSF_UM, WIDE_PSF_UM)
    )
    return np.asarray((1 - WIDE_PSF_SHARE) * sharp + WIDE_PSF_SHARE * wide)


def _expose(photons: Floats, t: int, c: int, z: int) -> npt.NDArray[np.uint16]:
    rng = np.random.default_rng(np.random.SeedSequence((SEED, t, c, z)))
    counts = CAMERA_OFFSET + COUNTS_PER_PHOTON * rng.poisson(photons) + rng.normal(0, READ_NOISE, photons.shape)
    return counts.clip(0, np.iinfo(np.uint16).max).round().astype(np.uint16)


def embryo_volume(t: int) -> npt.NDArray[np.uint16]:
    """Return the pixels of timepoint `t` >= 0 as (c, z, y, x) uint16 camera counts, always the same."""
    grid = np.moveaxis(np.indices(SHAPE[2:]), 0, -1).reshape(-1, 3) * VOXEL_UM
    points = (grid - grid[-1] / 2 - (t - SHAPE[0] / 2) * DRIFT_UM_PER_FRAME) / (1 + t * GROWTH_PER_FRAME)
    depth = _tissue_depth(points)
    lit = depth > -3 * MEMBRANE_UM
    light = np.zeros((SHAPE[1], len(grid)))
    light[:, lit] = _fluorescence(points[lit], depth[lit], nuclei_at(t))
    light *= np.outer(PEAK_PHOTONS, np.exp(-(grid / FALL_OFF_UM).sum(axis=-1)))
    photons = [_blur(channel) for channel in light.reshape(SHAPE[1:])]
    return np.array([[_expose(plane, t, c, z) for z, plane in enumerate(stack)] for c, stack in enumerate(photons)])


def _image_metadata() -> dict[str, Any]:
    """Return the root attributes of OME-NGFF 0.4, with an `omero` block, which gives viewers the colours."""
    space = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "zyx"]
    axes = [{"name": "t", "type": "time", "unit": "second"}, {"name": "c", "type": "channel"}, *space]
    scale = {"type": "scale", "scale": [FRAME_SECONDS, 1.0, *VOXEL_UM.tolist()]}
    window = {"min": 0, "max": np.iinfo(np.uint16).max, "start": int(CAMERA_OFFSET)}
    channels = [{"label": n, "color": rgb, "active": True, "window": window | {"end": end}} for n, rgb, end in CHANNELS]
    levels = [{"path": "0", "coordinateTransformations": [scale]}]
    multiscale = {"version": "0.4", "name": "synthetic_embryo", "axes": axes, "datasets": levels}
    return {"multiscales": [multiscale], "omero": {"version": "0.4", "channels": channels}}


def write_embryo(url: str) -> None:
    """Write the image at `url`, a local path or any fsspec URL: level "0", TCZYX `>u2`, blosc lz4, one plane per chunk.

    The attributes that make it an image come last, so that nothing takes an interrupted one for an image. Writing again
    completes it to the same bytes. A complete image is left alone, since other runs may be reading it.

    Raises
    ------
    TypeError
        If level "0" is an array of another shape or dtype.
    ImageError
        If the disk is full, or the place cannot be written.

    """
    with explain_writes(url):
        _write(url)


def _write(url: str) -> None:
    image = zarr.open_group(open_store(url), mode="a", zarr_format=2)
    blosc = {"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1}
    layout: dict[str, Any] = {"chunks": (1, 1, 1, *SHAPE[3:]), "chunk_key_encoding": {"name": "v2", "separator": "/"}}
    level = image.require_array("0", shape=SHAPE, dtype=">u2", exact=True, compressors=blosc, fill_value=0, **layout)
    if image.attrs.asdict() == _image_metadata() and level.nchunks_initialized == level.nchunks:
        return
    image.attrs.put({})
    for t in range(SHAPE[0]):
        level[t] = embryo_volume(t)
    image.attrs.put(_image_metadata())
