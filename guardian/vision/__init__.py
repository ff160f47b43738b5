"""Pictures to reads: find plates, straighten, read, follow over frames, vote.

Public names:
- `engine.open_engine(name, threads)` gives an `Engine`: `look(frame)` for one picture, or its stages one by one;
- `picture.load_picture(path)` opens any picture upright in 8-bit BGR;
- `track.Tracker` and `vote` make one `TrackResult` of a vehicle's frames;
- `crop` cuts and encodes what a read keeps.
"""
