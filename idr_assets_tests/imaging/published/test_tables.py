"""How the tables within a published image are named and described."""

from idr_assets.imaging.published.tables import describe_tables


def test_the_tables_of_several_segmentations_have_their_names() -> None:
    assert list(describe_tables(["nuclei"])) == ["tables", "tables/objects", "tables/object_counts"]
    found = describe_tables(["otsu", "mine"])
    assert found["tables"]["tables"] == ["objects_otsu", "object_counts_otsu", "objects_mine", "object_counts_mine"]
    assert found["tables/objects_mine"]["region"] == {"path": "../labels/mine"}
    assert found["tables/objects_mine"]["columns"]["area_um2"] == "area in µm²; null if the pixel size is unknown"
