"""Pages in a browser of what images have: pictures, counts, checks, and the files themselves. Changes nothing."""
