"""Objects in the files of other tools. All but CSV and masks need a library of the extra `export`."""
