"""The rules of group buying: pure Python; time, ids and chance are arguments."""
