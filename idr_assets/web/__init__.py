"""The UI's processes, and the web server that answers its own pages alone. Knows of no image."""
