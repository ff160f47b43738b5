"""How good an engine is, measured on labelled pictures so that a buyer can trust it, with its peers beside it.

Public names:
- `labels.load_labels(folder)` reads a folder of `scenes_*.jsonl`, `crops_*.jsonl`, `videos.jsonl`, and says what each field
  means;
- `ports.Subject` is what is measured: an engine of ours (`engine_subject`) or a peer (`subjects.open_subject`);
- `run.evaluate` shows every picture to every subject and notes what came of it; `stressed.evaluate_stress` does so again
  under the seeded corruptions of `stress`;
- `figures.figures_of` makes shares with intervals out of the notes; `report` joins runs, tables show them to people;
- `folds` cuts the training split for cross-validation; `confusion` writes the matrix that the matcher uses.

Every figure is a pure function of the notes, and the notes hold no text of a plate, so results of several runs (folds,
machines) are joined by laying their notes together. Only the contact sheets, `plates.jsonl` and what a person sees on the
way hold real plates.
"""
