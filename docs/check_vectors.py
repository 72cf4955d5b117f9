"""Rebuild all that arrays decide in a file of `pimsim vectors --set noise.dynamic=off`."""

import json
import sys

import numpy as np

file = dict(np.load(sys.argv[1]))
facts = json.loads(str(file["facts"]))
if any(m["sigma_dynamic_quanta"] for layer in facts["layers"] for m in layer["matrices"]):
    sys.exit("this file has noise in its decisions; write it with --set noise.dynamic=off")


def of_lines(layer, key):
    """A fact of each matrix, for each of its lines."""
    matrices = layer["matrices"]
    return np.repeat([m[key] for m in matrices], [np.diff(m["columns"])[0] for m in matrices])


def convert(layer, sums, array):
    """Codes of the sums of an array's lines (n, n_lines), with the errors of its ADCs."""
    name = layer["name"]
    quanta, low, top = (of_lines(layer, key) for key in ("code_quanta", "low_code", "top_code"))
    offset, gain, bow = (file[f"{name}.adc_{e}"][array] for e in ("offset", "gain", "bow"))
    share = np.clip(sums / (quanta * top), -1, 1)
    sums = sums * (1 + gain) + offset
    sums += bow * 1.5 * 3**0.5 * share * (1 - share * share)
    return np.clip(np.floor(sums / quanta + 0.5), low, top)


def decide(layer, rows):
    """Bits or codes of a layer's columns, from the numbers on its rows (n, n_rows)."""
    name, rows = layer["name"], rows.astype(np.int64)
    rows = np.hstack([rows, np.ones((len(rows), layer["n_always_on"]), np.int64)])
    currents = file[f"{name}.plus"].astype(np.int64) - file[f"{name}.minus"]
    of_array = file[f"{name}.rows"][:, 0]
    arrays = [(array, of_array == array) for array in np.unique(of_array)]
    if f"{name}.limits" in file:  # bits by few-bit ADCs: one code of each array
        codes = sum(convert(layer, rows[:, own] @ currents[own], array) for array, own in arrays)
        return (codes >= file[f"{name}.limits"]).astype(np.uint8)
    if f"{name}.code_limits" not in file:  # bits by sense amplifiers or adder trees
        return (rows @ currents > file[f"{name}.offsets"]).astype(np.uint8)
    outputs = 0
    for array, own in arrays:
        codes, totals = rows[:, own], 0
        for pulse, weight in enumerate(layer["pulse_weights"]):
            if f"{name}.row_levels" in file:
                levels = file[f"{name}.row_levels"][pulse][own]
                driven = levels[np.arange(len(levels)), codes]
            else:
                driven = codes >> pulse & 1
            totals = totals + weight * convert(layer, driven @ currents[own], array)
        # one more sum counts the rows: that of their codes
        sums = np.zeros((len(rows), currents.shape[1] + 1))
        for line, output in enumerate(file[f"{name}.line_output"]):
            sums[:, output] += totals[:, line] * file[f"{name}.line_weight"][array, line]
        sums[:, -1] += (codes - file[f"{name}.subtracted"][own]).sum(axis=1)
        n_outputs = len(file[f"{name}.scale"])
        found, reference = sums[:, :n_outputs], file[f"{name}.reference"]
        corrected = reference >= 0
        weight = file[f"{name}.reference_weight"][array, corrected]
        found[:, corrected] += sums[:, reference[corrected]] * weight
        outputs = outputs + found
    values, limits = outputs * file[f"{name}.scale"], file[f"{name}.code_limits"]
    codes = [np.searchsorted(own, v, side="right") for own, v in zip(limits, values.T, strict=True)]
    return np.stack(codes, axis=1).astype(np.uint8)


def of_matrices(layer, decided):
    """The decisions of each matrix."""
    ends = np.cumsum([matrix["outputs"] for matrix in layer["matrices"]])[:-1]
    return np.split(decided.astype(np.int64), ends, axis=1)


def next_state(layer, decided, state, memory):
    """New state (n, n_hidden) of a recurrent layer, and what it keeps beside it."""
    logic, limits = layer["logic"], file.get(f"{layer['name']}.state_limits")
    top, parts, state = logic["gate_top"], of_matrices(layer, decided), state.astype(np.int64)
    if layer["kind"] == "gru":
        gate, candidate = parts
        return (gate * state + (top - gate) * candidate + top // 2) // top, memory
    if layer["kind"] == "reset_gru":
        update, reset, below, recurrent = parts
        total = top * (below - logic["sum_zero"]) + reset * (recurrent - logic["sum_zero"])
        candidate = (total[..., None] >= limits).sum(axis=-1)
        return (update * state + (top - update) * candidate + top // 2) // top, memory
    forget, add, out, new = parts
    of_cell, of_state = top * logic["cell_parts"], top * logic["hidden_parts"]
    mixed = forget * memory * logic["cell_parts"] + add * (new - logic["candidate_zero"])
    cell = np.clip((mixed + of_cell // 2) // of_cell, -logic["cell_top"], logic["cell_top"])
    shown = (cell[..., None] >= limits).sum(axis=-1) - logic["tanh_zero"]
    hidden = logic["hidden_zero"] + (out * shown + of_state // 2) // of_state
    return np.clip(hidden, 0, logic["hidden_top"]), cell


def through_time(layer, below):
    """Decisions and states of a recurrent layer, from what it reads (n, n_steps, n_below)."""
    state = np.full((len(below), layer["logic"]["n_state"]), layer["start"])
    memory, steps = np.zeros(state.shape, np.int64), []
    for step in range(below.shape[1]):
        decided = decide(layer, np.hstack([state, below[:, step]]))
        state, memory = next_state(layer, decided, state, memory)
        steps.append([*of_matrices(layer, decided), state])
    names = [*(matrix["name"] for matrix in layer["matrices"]), layer["output"]]
    parts = zip(*steps, strict=True)
    return dict(zip(names, (np.stack(part, axis=1) for part in parts), strict=True))


def at_places(layer, below):
    """Decisions of a layer without a state, from all that it reads (n, n_values)."""
    wiring, groups = file[f"{layer['name']}.wiring"], layer["groups"]
    # -1 is the last one, which nothing drives
    below = np.hstack([below, np.full((len(below), 1), layer["padding"])])
    decided = decide(layer, below[:, wiring].reshape(-1, wiring.shape[1]))
    # each group reads its own columns
    each = decided.shape[1] // groups
    apart = decided.reshape(-1, groups, groups, each)
    own = np.stack([apart[:, group, group] for group in range(groups)], axis=1)
    return {layer["output"]: own.reshape(file[layer["output"]].shape)}


for layer in facts["layers"]:
    read = [file[signal] for signal in layer["inputs"]]
    below = np.concatenate([x.reshape(len(x), layer["steps"], -1) for x in read], axis=2)
    if "logic" in layer:
        rebuilt = through_time(layer, below)
    else:
        rebuilt = at_places(layer, below.reshape(len(below), -1))
    what = "bits" if layer["output_bits"] == 1 else "codes"
    for part, mine in rebuilt.items():
        n_different = np.count_nonzero(mine != file[part])
        print(f"{part}: {mine.size} {what}, {n_different} different")
        if n_different:
            sys.exit("not equal")
print("all equal")
