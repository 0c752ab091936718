"""Balancing: payment gateways, payments and the ledger compared, what is certain mended, the rest told to a person."""
