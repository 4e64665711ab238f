"""Tests of the gallery's pages, without a project."""
