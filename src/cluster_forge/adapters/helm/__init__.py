"""`ports.HelmEngine`: Helm's library in this process, or the ``helm`` program."""
