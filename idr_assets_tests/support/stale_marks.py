"""What Dagster marks as stale."""

from collections.abc import Sequence

from idr_assets_tests.support.small_image import Segmented


def stale_marks(segmented: Segmented, asset: str, partitions: Sequence[str]) -> dict[str, str]:
    """Give the mark of partitions as the UI asks for it: FRESH, STALE or MISSING."""
    from dagster._core.definitions.data_version import CachingStaleStatusResolver
    from dagster._core.loader import LoadingContextForTest

    graph, context = segmented.definitions.resolve_asset_graph(), LoadingContextForTest(segmented.instance)
    resolver = CachingStaleStatusResolver(segmented.instance, graph, context)
    return {key: resolver.get_status(segmented.project.key(asset), key).value for key in partitions}
