"""The figures: each module measures one thing beside its peer or limit in the same run and prints a Markdown table.

`python -m bench` runs all of them and writes docs/figures.md; `python -m bench ingest` runs one.
"""
