"""What is said of a group where it is shared: in whose language, which amounts, and how it stands."""
