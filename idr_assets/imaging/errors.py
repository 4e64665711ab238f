"""What goes wrong with an image, in the user's words."""


class ImageError(Exception):
    """An image is not what was asked for; the message names the value, the consequence and the remedy."""
