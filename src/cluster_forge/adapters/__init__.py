"""Adapters of the ports to the outside world: disk, network, Helm, YAML, Git, processes and threads.

An adapter may import the shared bases `disk` and `http`, and no other adapter.
"""
