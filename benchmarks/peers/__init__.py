"""The peers, each run by :mod:`benchmarks.worker` in a process of its own."""
