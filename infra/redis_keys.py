"""The names of what is kept in Redis."""

from uuid import UUID

VIEWS_PATTERN = "group:*:view"
LEASE_KEY = "groups:fresh"
SERVER_KEY = "groups:server"
"""Which run of the server holds what was written; another run may have started from an old snapshot, or as a replica
that had not heard all."""


def view_key(group_id: UUID) -> str:
    """Where a group's hash is."""
    return f"group:{{{group_id}}}:view"


def changes_channel(group_id: UUID) -> str:
    """Where a group's changes are told, as the JSON of its view."""
    return f"group:{{{group_id}}}:changes"
