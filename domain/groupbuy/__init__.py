"""Deals, groups, participants and invites: commands -> decide -> events -> evolve."""
