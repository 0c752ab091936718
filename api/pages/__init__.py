"""Pages for people who open a link in a browser."""
