"""What anyone may look up: lists and single things straight from PostgreSQL, never locking anything."""
