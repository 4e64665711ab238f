"""The demo's image is made here, upstream of `demo/source_image`."""

import dagster as dg

from idr_assets.orchestration.data_folder import data_url


@dg.definitions
def synthetic_embryo(context: dg.ComponentLoadContext) -> dg.Definitions:
    """Define the asset `demo/synthetic_embryo`."""

    @dg.asset(
        key=["demo", "synthetic_embryo"],
        group_name="demo",
        kinds={"zarr", "numpy"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        description="A synthetic embryo: nuclei that move and divide, out-of-focus light and camera noise.",
    )
    def asset() -> dg.MaterializeResult[None]:
        from idr_assets.imaging.synthetic_embryo import write_embryo  # noqa: PLC0415  only who makes the image needs its model

        url = data_url(context.project_root, "synthetic_embryo.zarr")
        write_embryo(url)
        return dg.MaterializeResult(metadata={"url": dg.MetadataValue.path(url)})

    return dg.Definitions(assets=[asset])
