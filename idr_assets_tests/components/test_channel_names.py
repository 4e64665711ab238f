"""Channels by name in a YAML: the same image as by index, and checked against the store by a run."""

from dataclasses import replace

import pytest

from idr_assets.imaging.channels import Channel
from idr_assets.imaging.errors import ImageError
from idr_assets.orchestration.assets.metadata import describe_channels, name_channels
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.large_image import SHAPES, write_large_image
from idr_assets_tests.support.small_image import small_image

NAMES = "[DAPI, GFP]"


def test_a_channel_by_name_is_the_same_recipe_as_by_index(project: ImageProject) -> None:
    project.write(channels="[1]")
    by_index = project.load_image()
    project.write(channels="[GFP]", channel_names=NAMES)
    by_name = project.load_image()
    assert by_name.channels == by_index.channels == (1,)
    assert by_name.recipe.version == by_index.recipe.version
    assert by_name.source.channel_names == {1: "GFP"}


WRONG = [
    ({"channels": "[GFP]"}, "'GFP' is not the name of one channel in `channel_names`, which are none; write its index"),
    (
        {"channels": "[gfp]", "channel_names": NAMES},
        "'gfp' is not the name of one channel in `channel_names`, which are DAPI",
    ),
    ({"channels": "[A]", "channel_names": "[A, A]"}, "'A' is not the name of one channel"),
    (
        {"channels": "[GFP, 1]", "channel_names": NAMES},
        "the image has channels 0 to 1 (DAPI, GFP); name each wanted one once",
    ),
    ({"channel_names": "[A, B, C]", "channels": "[0]"}, "the image has channels 0 to 1"),
]


@pytest.mark.parametrize(("fields", "message"), WRONG)
def test_a_name_that_is_no_channel_is_refused_with_those_that_are(
    project: ImageProject, fields: dict[str, str], message: str
) -> None:
    project.write(**fields)
    assert message in project.refusal()


def test_a_name_that_the_store_gives_to_another_channel_is_refused(project: ImageProject) -> None:
    channels = [{"label": "GFP"}, {"label": "DAPI"}]
    image = write_large_image(project.root / "image.zarr", channels=channels)
    source = replace(small_image(shape=SHAPES[0], channel_names=("DAPI", "mine")).source, address=str(image))
    with pytest.raises(ImageError, match=r"Channel 0 is 'DAPI' in the YAML, but .* gives this name to channel 1"):
        source.check(source.open())
    replace(source, channel_names={0: "GFP", 1: "mine"}).check(source.open())


def test_the_names_of_the_yaml_come_before_those_of_the_image() -> None:
    known = [Channel("ch 0", "0000FF"), Channel(None, "00FF00"), Channel("beyond")]
    image = small_image(channel_names=("DAPI",))
    assert describe_channels(image, known) == {0: Channel("DAPI", "0000FF"), 1: Channel(None, "00FF00")}
    assert name_channels(image, known) == {"channel names": "c 0: DAPI"}
    assert name_channels(small_image(channels=(0,)), known) == {"channel name": "c 0: ch 0"}
    assert name_channels(small_image(), []) == {}
