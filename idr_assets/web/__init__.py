"""The UI's processes, and a web server that answers only its own pages. Knows nothing of images."""
