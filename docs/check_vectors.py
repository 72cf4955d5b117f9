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


def decide(layer, word_lines):
    """Bits of the column pairs of a layer, from the word lines that are up (n, n_rows)."""
    name, word_lines = layer["name"], word_lines.astype(np.int64)
    currents = file[f"{name}.plus"] - file[f"{name}.minus"]
    if f"{name}.limits" not in file:
        return (word_lines @ currents > file[f"{name}.offsets"]).astype(np.uint8)
    # one code of each array and column pair: with the ADC's errors, rounded, and clipped
    quanta, top = (np.zeros(currents.shape[1]) for _ in range(2))
    for matrix in layer["matrices"]:
        quanta[slice(*matrix["columns"])] = matrix["code_quanta"]
        top[slice(*matrix["columns"])] = matrix["top_code"]
    codes = 0
    for array in np.unique(file[f"{name}.rows"][:, 0]):
        own = file[f"{name}.rows"][:, 0] == array
        sums = word_lines[:, own] @ currents[own]
        share = np.clip(sums / (quanta * top), -1, 1)
        sums = sums * (1 + file[f"{name}.adc_gain"][array]) + file[f"{name}.adc_offset"][array]
        sums += file[f"{name}.adc_bow"][array] * 1.5 * 3**0.5 * share * (1 - share * share)
        codes = codes + np.clip(np.floor(sums / quanta + 0.5), -top, top)
    return (codes >= file[f"{name}.limits"]).astype(np.uint8)


below = file["encoder"]
for layer in facts["layers"]:
    name = layer["name"]
    always_on = np.ones((len(below), layer["n_always_on"]), np.uint8)
    hidden = np.zeros((len(below), file[f"{name}.hidden"].shape[2]), np.uint8)
    steps = []
    for step in range(below.shape[1]):
        bits = decide(layer, np.hstack([hidden, below[:, step], always_on]))
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
