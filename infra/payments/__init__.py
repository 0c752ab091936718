"""Payments: the port to gateways, the gateways, and what is done through them. No call here happens in a transaction."""
