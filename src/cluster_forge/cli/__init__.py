"""The command line: argv in; text, tables, progress and exit code out. The one place that prints and exits."""
