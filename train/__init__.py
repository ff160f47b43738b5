"""How our models are made: labelled pictures and rendered ones in, ONNX files with model cards out.

Only for those who train: `guardian` never imports it but in `guardian train`. Steps, each its own module:
- `data` loads labelled folders and keeps test splits out of training;
- `plates` draws plates, `scenes` whole pictures with plates in them;
- `models` holds the networks, `detector` and `reader` train them, `run` keeps checkpoints, `export` writes ONNX.
"""
