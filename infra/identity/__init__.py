"""Who people are: how they prove it, their sessions, and the merchants they work for."""
