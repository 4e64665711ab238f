"""Models of segmentation functions: each is loaded once in a worker process, and kept there."""

import gc
import json
import sys
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import BoundedSemaphore, Lock
from time import perf_counter
from typing import Any

from idr_assets.imaging.errors import ImageError, mask_all
from idr_assets.imaging.segmentation.models.devices import DeviceLostError, is_lost
from idr_assets.imaging.segmentation.models.extras import MissingExtraError
from idr_assets.imaging.segmentation.models.weights import NAME, digest_weights, open_weights, split_pin

MOST_MODELS = 2
"""Models that a process keeps: two segmentations of an image may run at the same time."""


class ModelError(ImageError):
    """A model cannot be loaded, or cannot label planes here."""


@dataclass(frozen=True)
class Model:
    """What a segmentation function declares of its model.

    Attributes
    ----------
    load : callable
        Returns the model.
    own : frozenset of str
        The names of its parameters, which are parameters of the recipe.
    concurrency : int
        How many threads of a process may use the model at the same time.
    function : callable
        The function itself, which takes planes (n, y, x), `model` and the other parameters.
    packages : tuple of str
        Distributions on whose versions labels depend.

    """

    load: Callable[..., Any]
    own: frozenset[str]
    concurrency: int
    function: Callable[..., Any]
    packages: tuple[str, ...] = ()


@dataclass
class Loaded:
    """A model in this process, and the most planes that it has memory for in one call."""

    key: str
    name: str
    model: Any
    seconds: float
    turns: BoundedSemaphore
    most: int = sys.maxsize
    planes: int = 0
    packages: tuple[str, ...] = ()

    @property
    def device(self) -> str:
        """Where the model says that it computes."""
        return str(getattr(self.model, "device", "its own device"))


_loaded: OrderedDict[str, Loaded] = OrderedDict()
_locks: defaultdict[str, Lock] = defaultdict(Lock)
_lock = Lock()


def find_model(function: Callable[..., Any]) -> Model | None:
    """Return what a segmentation function declares of its model; None if it has none."""
    found = getattr(function, "model", None)
    return found if isinstance(found, Model) else None


def load_model(model: Model, parameters: Mapping[str, Any]) -> Loaded:
    """Return a model in this process, loaded unless it is; others wait meanwhile.

    Raises
    ------
    WeightsError
        If its weights are not to be had.
    ModelError
        If it cannot be loaded from them.
    MissingExtraError
        If a package is not installed.

    """
    known = {**parameters, NAME: digest_weights(parameters[NAME])} if NAME in parameters else dict(parameters)
    key = json.dumps([model.load.__module__, model.load.__qualname__, known], sort_keys=True, default=str)
    with _lock:
        lock = _locks[key]
    with lock:
        if (found := _loaded.get(key)) is None:
            _keep(found := _load(key, model, parameters))
        return found  # others may have taken its place already


def forget_model(loaded: Loaded) -> None:
    """Load a model again the next time, for example because its device was lost."""
    with _lock:
        _loaded.pop(loaded.key, None)


def free_memory() -> None:
    """Give back memory that is no longer used, also that of a GPU which torch keeps."""
    gc.collect()
    if torch := sys.modules.get("torch"):
        torch.cuda.empty_cache()


def list_models() -> list[Loaded]:
    """Return the models of this process."""
    with _lock:
        return list(_loaded.values())


def _keep(loaded: Loaded) -> None:
    with _lock:
        _loaded[loaded.key] = loaded
        if len(_loaded) > MOST_MODELS:
            _loaded.popitem(last=False)


def _load(key: str, model: Model, parameters: Mapping[str, Any]) -> Loaded:
    started, name = perf_counter(), model.function.__qualname__
    given = {**parameters, NAME: open_weights(parameters[NAME])} if NAME in parameters else parameters
    try:
        found = model.load(**given)
    except (MissingExtraError, ModelError):
        raise
    except Exception as error:
        if is_lost(error, given.get(NAME, "")):
            raise DeviceLostError(name, "which its model needs", error) from error
        weights = f" from {mask_all(split_pin(parameters[NAME])[0])}" if NAME in parameters else ""
        message = (
            f"{name} cannot load its model{weights} ({error!r}), so it labels no planes. Name undamaged weights of the "
            "network that the function is for."
        )
        raise ModelError(message) from error
    turns = BoundedSemaphore(model.concurrency)
    return Loaded(key, name, found, perf_counter() - started, turns, packages=model.packages)
