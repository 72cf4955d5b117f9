"""Rebuild every bit of the GRU layers in a file of `pimsim vectors --set noise.dynamic=off`."""

import json
import sys

import numpy as np

file = dict(np.load(sys.argv[1]))
facts = json.loads(str(file["facts"]))
if any(m["sigma_dynamic_quanta"] for layer in facts["layers"] for m in layer["matrices"]):
    sys.exit("this file has noise in its decisions; write it with --set noise.dynamic=off")
if not all(layer["name"].startswith("gru") for layer in facts["layers"]):
    sys.exit("this script rebuilds GRU layers; the network of this file has others")

below = file["encoder"]
for layer in facts["layers"]:
    name = layer["name"]
    currents = file[f"{name}.plus"] - file[f"{name}.minus"]
    always_on = np.ones((len(below), layer["n_always_on"]), np.uint8)
    hidden = np.zeros((len(below), currents.shape[1] // 2), np.uint8)
    steps = []
    for step in range(below.shape[1]):
        word_lines = np.hstack([hidden, below[:, step], always_on]).astype(np.int64)
        bits = (word_lines @ currents > file[f"{name}.offsets"]).astype(np.uint8)
        gate, candidate = np.hsplit(bits, 2)
        hidden = np.where(gate, hidden, candidate)
        steps.append([gate, candidate, hidden])
    rebuilt = dict(zip(["gate", "candidate", "hidden"], np.stack(steps, axis=2), strict=True))
    for part, mine in rebuilt.items():
        n_different = np.count_nonzero(mine != file[f"{name}.{part}"])
        print(f"{name}.{part}: {mine.size} bits, {n_different} different")
        if n_different:
            sys.exit("not equal")
    below = rebuilt["hidden"]
print("all equal")
