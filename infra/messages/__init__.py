"""Messages to people: one port, and the ways they leave by."""
