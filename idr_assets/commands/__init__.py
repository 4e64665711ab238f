"""The commands of `idr-assets`, one file for each that belongs together; `command_line` joins them."""
