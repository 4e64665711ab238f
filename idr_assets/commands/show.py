"""The command `show`."""

from importlib import import_module
from importlib.util import find_spec

import click

from idr_assets.commands.options import image_name, module_option, read_definitions
from idr_assets.orchestration.image import Image
from idr_assets.project import find_image

WINDOWS = ("PyQt6", "PySide6", "PyQt5", "PySide2")
"""What opens windows for napari; one of them is enough."""


@click.command()
@image_name
@module_option
def show(name: str, module: str | None) -> None:
    """Open IMAGE in napari: the published image if there is one, else the output.

    napari is installed by the extra `view`.
    """
    address = find_shown(find_image(read_definitions(module), name)[0])
    if not (find_spec("napari") and find_spec("napari_ome_zarr") and any(map(find_spec, WINDOWS))):
        message = (
            f"napari is not installed, or nothing that opens windows for it, so nothing was shown of {address}. "
            'Install them: pip install "idr_assets[view]"'
        )
        raise click.ClickException(message)
    click.echo(f"napari opens {address}", err=True)
    napari = import_module("napari")
    napari.Viewer(title=name).open(address, plugin="napari-ome-zarr")
    napari.run()


def find_shown(image: Image) -> str:
    """Return the address of what is shown of an image; `ClickException` if nothing was made."""
    from idr_assets.imaging.output.files import exists  # noqa: PLC0415  zarr

    for address in (image.published_url, image.labels_url):
        if exists(address):
            return address
    message = (
        f"Nothing was made of {image.name} yet, so there is nothing to show. Make it: idr-assets resume {image.name}"
    )
    raise click.ClickException(message)
