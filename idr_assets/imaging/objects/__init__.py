"""Measure the objects of label planes, and store one table for each timepoint. Reads the output, never the source."""
