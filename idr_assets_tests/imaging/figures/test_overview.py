"""The overview of a list of images."""

import numpy as np
from matplotlib.image import AxesImage
from matplotlib.text import Text

from idr_assets.imaging.figures.overview import Thumbnail, draw_overview
from idr_assets.imaging.planes import LabelledPlane


def thumbnail(name: str, group: str, shape: tuple[int, int], brightest: int) -> Thumbnail:
    pixels = np.linspace(0, brightest, shape[0] * shape[1]).reshape(shape).astype("u2")
    labels = np.zeros(shape, np.int32)
    labels[0, ::2] = np.arange(1, 1 + len(labels[0, ::2]))
    return Thumbnail(name, group, LabelledPlane(0, 0, 0, pixels, labels))


def test_images_stand_in_groups_each_with_its_own_greys_and_all_its_objects() -> None:
    dim, bright = thumbnail("a", "drug", (40, 36), 40), thumbnail("b", "none", (3000, 2000), 60_000)
    figure = draw_overview([dim, bright, Thumbnail("c", "drug", None)], title="screen", omitted=5, group_by="treatment")
    written = [text.get_text() for text in figure.findobj(Text) if isinstance(text, Text) and text.get_text()]
    wanted = ["screen", "treatment: drug", "a · 18", "c", "not materialized", "treatment: none", "b · 1000"]
    assert [text for text in written if text in wanted] == wanted
    assert "5 more images are left out, evenly. Hatched: planes not materialized." in " ".join(written[-1].split())
    drawn = [np.asarray(image.get_array()) for image in figure.findobj(AxesImage) if isinstance(image, AxesImage)]
    assert [picture[-1].max() for picture in drawn] == [255, 255]
    assert max(max(picture.shape) for picture in drawn) <= 300
