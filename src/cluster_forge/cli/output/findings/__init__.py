"""The findings of check, in each format of `--format`."""
