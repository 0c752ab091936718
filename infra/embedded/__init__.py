"""Private PostgreSQL and Valkey servers in the data directory, for the first hour with Tuan and for its tests."""
