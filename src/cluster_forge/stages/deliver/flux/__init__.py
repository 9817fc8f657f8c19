"""Delivery through Flux."""
