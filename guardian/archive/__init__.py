"""The archive of reads: signed batches in, a verdict per item, questions out.

Ingest: decode → check → dedupe → journal (durable) → answer; the column store is filled from the journal.
"""
