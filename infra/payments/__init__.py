"""Payments: the port to gateways, the gateways, and what is done through them. None of it in a transaction."""
