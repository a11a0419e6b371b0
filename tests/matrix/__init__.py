"""
The official clients through a daemon of ours, against the mock provider in each of its
dialects. ``make matrix`` runs all and writes the table of ``docs/dialects.md``.
"""
