"""Pushes to phones: one port, and the services that carry them."""
