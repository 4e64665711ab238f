"""Functions of batches of planes and a model: the decorator, and the calls."""

from __future__ import annotations

import inspect
from functools import partial, wraps
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from annotated_types import Ge

from idr_assets.imaging.segmentation.label_numbers import Labels, Pixels, check_labels, number
from idr_assets.imaging.segmentation.models.faults import explain_fault
from idr_assets.imaging.segmentation.models.loading import Loaded, Model, free_memory, load_model
from idr_assets.imaging.segmentation.works_on import declare

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import dask.array as da

    from idr_assets.imaging.segmentation.lifting import SegmentationFunction


def per_batch(
    *, model: Callable[..., Any], batch: int = 8, concurrency: int = 1, packages: tuple[str, ...] = ()
) -> Callable[[Callable[..., Pixels]], SegmentationFunction]:
    """Turn a function of a batch of planes and a model into a segmentation function.

    Parameters
    ----------
    model
        Returns the model. Each worker process calls it once, whatever number of threads it has. Its parameters become
        parameters of the recipe. `weights` among them is a path or, with its SHA-256, an address; `model` gets the path
        on the worker's machine, and planes by other weights are stale.
    batch
        The most planes of a call, the default of the parameter `batch`. When memory runs out, it is halved.
    concurrency
        How many threads of a process may use the model at the same time; 1 for one that is not thread-safe.
    packages
        Distributions whose versions are noted in the provenance of planes and in the log, such as `torch`.

    Returns
    -------
    Callable
        A decorator of `(planes (n, y, x), *, model, **parameters) -> labels (n, y, x)`. The planes are numpy arrays in
        native byte order, any planes of the image; each must get the labels that it would get alone. With `inputs` in
        the YAML, the function has an array for each. Labels have any integer dtype.
    """

    def declare_batches(function: Callable[..., Pixels]) -> SegmentationFunction:
        own = inspect.signature(model).parameters
        most = inspect.Parameter(
            "batch", inspect.Parameter.KEYWORD_ONLY, default=batch, annotation=Annotated[int, Ge(1)]
        )

        @wraps(function)
        def segment(*planes: da.Array, **given: Any) -> da.Array:  # noqa: ANN401  parameters of the function
            return _label_lazily(segment, signature.bind(*planes, **given).arguments)

        vars(segment)["model"] = Model(model, frozenset(own), concurrency, function, packages)
        each = [it for name, it in inspect.signature(function).parameters.items() if name != "model"]
        arrays, others = ([it for it in each if (it.kind is it.KEYWORD_ONLY) == named] for named in (False, True))
        loads = [it.replace(kind=it.KEYWORD_ONLY) for it in own.values()]
        signature = inspect.Signature([*arrays, *loads, most, *others], return_annotation="da.Array")
        vars(segment)["__signature__"] = signature
        return declare(segment, "stack")

    return declare_batches


def label_stack(function: SegmentationFunction, *planes: Pixels, **given: Any) -> Labels:  # noqa: ANN401
    """Label planes (n, y, x) by a function with a model, a batch after the other; return int32, with any gaps.

    Raises
    ------
    ImageError
        If the model cannot be loaded, memory runs out for one plane, or a GPU fails.
    """
    model = vars(function)["model"]
    bound = inspect.signature(function).bind(*planes, **given)
    bound.apply_defaults()
    arrays = {name: it for name, it in bound.arguments.items() if isinstance(it, np.ndarray)}
    loaded = load_model(model, {name: bound.arguments[name] for name in model.own})
    others = {name: it for name, it in bound.arguments.items() if name not in {*arrays, *model.own, "batch"}}
    label = partial(model.function, model=loaded.model, **others)
    count = len(next(iter(arrays.values())))
    found: list[Labels] = []
    while (start := sum(map(len, found))) < count:
        size = min(bound.arguments["batch"], loaded.most)
        part = {name: it[start : start + size] for name, it in arrays.items()}
        if (labels := _label_batch(loaded, label, part)) is not None:
            found.append(labels)
    return np.concatenate(found)


def _label_batch(loaded: Loaded, label: Callable[..., Any], arrays: Mapping[str, Pixels]) -> Labels | None:
    """Label a batch of planes, copies of which the function gets; None if memory ran out, for it to be smaller."""
    shape = next(iter(arrays.values())).shape
    own = {name: it.astype(it.dtype.newbyteorder("=")) for name, it in arrays.items()}
    try:
        with loaded.turns:
            labels = label(**own)
    except Exception as error:  # noqa: BLE001  it is raised again unless memory ran out
        explain_fault(error, loaded, shape[0])
    else:
        loaded.planes += shape[0]
        return check_labels(labels, shape, loaded.name)
    free_memory()  # here, where the error no longer holds any
    return None


def _label_lazily(function: SegmentationFunction, given: Mapping[str, Any]) -> da.Array:
    """Label lazily each chunk of whole planes (n, y, x); labels are numbered from 1 in each plane."""
    import dask.array as da  # noqa: PLC0415  half a second, which whoever only names a function should not pay

    arrays = {name: it for name, it in given.items() if isinstance(it, da.Array)}
    others = {name: it for name, it in given.items() if name not in arrays}

    def label(*planes: Pixels) -> Labels:
        own = dict(zip(arrays, planes, strict=True))
        return np.stack([number(plane) for plane in label_stack(function, **own, **others)])

    core = ",".join(["(y,x)"] * len(arrays)) + "->(y,x)"
    labels: da.Array = da.apply_gufunc(label, core, *arrays.values(), allow_rechunk=True, output_dtypes=np.int32)
    return labels
