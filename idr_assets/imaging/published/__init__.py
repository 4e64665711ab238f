"""The published image: a copy of pixels and labels for others, in few files, with smaller levels."""
