"""Benchmarks: `make bench` measures Tuan beside its ceilings and writes docs/benchmarks.md; see that page."""
