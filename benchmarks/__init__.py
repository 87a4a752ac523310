"""Speed, measured as ratios against a peer in the same minute: `python -m benchmarks NAME` (see `--help`).

Machines are shared and noisy, so nothing here is a test: figures go into notes, with how they were measured.
"""
