"""Notices: made from the outbox, kept in an inbox, handed to whoever sends them."""
