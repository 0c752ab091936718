"""Who people are and what they may do: pure rules, no I/O."""
