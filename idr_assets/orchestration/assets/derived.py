"""Assets that are made from what other assets of their image stored, and are always rewritten as a whole."""

from collections.abc import Callable, Sequence
from typing import Any

import dagster as dg

from idr_assets.imaging.stores.zarr_settings import own_settings
from idr_assets.orchestration.assets.conditions import when_changed
from idr_assets.orchestration.assets.metadata import gallery
from idr_assets.orchestration.process_end import skip_last_garbage
from idr_assets.orchestration.stops import end_canceled


def define_derived(
    key: Sequence[str],
    made_from: Sequence[Sequence[str]],
    io: str,
    write: Callable[[], dict[str, Any]],
    **given: Any,  # noqa: ANN401  what `dagster.asset` takes
) -> dg.AssetsDefinition:
    """Define the asset. `write` stores it and returns its metadata, whose `path` says where; `io` loads its value."""
    deps = [dg.AssetDep(dg.AssetKey(upstream)) for upstream in made_from]

    @derived_asset(key, deps, io, **given)
    def asset(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        skip_last_garbage()
        context.log.info("reading %s", "; ".join("/".join(upstream) for upstream in made_from))
        with end_canceled(context), own_settings:
            metadata = write()
        context.log.info("wrote %s", metadata["path"].value)
        return dg.MaterializeResult(metadata=metadata)

    return asset


def derived_asset(
    key: Sequence[str],
    deps: Sequence[dg.AssetDep],
    io: str,
    **given: Any,  # noqa: ANN401  what `dagster.asset` takes
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Decorate the function of such an asset, like `dagster.asset`."""
    usual: dict[str, Any] = {"automation_condition": when_changed(), "metadata": gallery(f"image/{key[0]}")}
    decorate: Callable[[Callable[..., Any]], dg.AssetsDefinition] = dg.asset(
        key=list(key),
        deps=deps,
        group_name=key[0],
        io_manager_key=io,
        backfill_policy=dg.BackfillPolicy.single_run(),
        **usual | given,
    )
    return decorate
