"""What the house talks about: plates, reads, positions, moments, watch entries, hits, errors.

Frozen values and pure rules. Nothing here opens a file, a socket or a clock, and nothing here imports another room.
"""
