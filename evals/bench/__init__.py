"""`python -m evals.bench [grouping] [agreement] [encoding]`: cost and agreement beside a peer, into docs/benchmarks.md."""
