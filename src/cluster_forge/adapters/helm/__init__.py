"""Helm's rendering: its library in this process, or the `helm` program."""
