"""What people are told of their groups: which happenings are news, to whom, when, and in what words."""
