"""The UI's processes, and a web server that answers only its own pages. What images have is in `gallery`."""
