"""Speed and size, measured beside peers in one run: ``python -m benchmarks`` or ``make bench``.

A benchmark is a module with a function ``rows(effort)`` that returns rows for the table. A peer
gets the same data, epochs, batch size and cores, and the fastest of its settings that were tried; a
peer that cannot run says why in its row. What was measured on which machine is under ``results/``.
"""
