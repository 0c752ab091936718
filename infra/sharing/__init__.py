"""Links into groups: what they lead to, who opened them, and whom they brought."""
