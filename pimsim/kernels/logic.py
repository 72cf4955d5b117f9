"""Logic between the decided columns of a recurrent tile and its state.

A logic is a NamedTuple that is passed to a kernel `recur`.  Its class chooses what the kernel does
after each read: compiled code is made once for each class, and found on disk by the next process.
Three number systems need three forms: bits (a byte each), words (a bit for each of 64 sequences)
and codes.  A new logic is a class and its forms, registered below as those of `GruLogic` are.

Every logic has these fields:

n_state : int
    Bits or codes of the state.  They drive the first word lines in the next step.
n_memory : int
    Bits or codes that are kept from step to step but drive no word line.

and a property `signals`, names of its groups of columns, each of `n_state` columns.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pimsim.kernels.bits import count_bits
from pimsim.kernels.by_class import by_class
from pimsim.kernels.registers import WORDS


class GruLogic(NamedTuple):
    """Multiplexer of a GRU (eq. 11): a gate of 1 keeps the old state, 0 takes the candidate."""

    n_state: int
    n_memory: int = 0

    @property
    def signals(self) -> tuple[str, ...]:
        """Names of the groups of columns."""
        return "gate", "candidate"


class ResetGruLogic(NamedTuple):
    """GRU with reset gate, of codes alone.

    Attributes
    ----------
    n_state : int
    sum_zero : int
        Code of 0 in the two parts of the candidate's sum.
    limits : (n_state or 1, n_limits) int32
        Limits of the candidate's codes.
    n_memory : int
    """

    n_state: int
    sum_zero: int
    limits: NDArray[np.int32]
    n_memory: int = 0

    @property
    def signals(self) -> tuple[str, ...]:
        """Names of the groups of columns."""
        return "update", "reset", "below", "recurrent"


class LstmLogic(NamedTuple):
    """LSTM, of codes alone.

    Attributes
    ----------
    n_state : int
    candidate_zero : int
        Code of a candidate of 0.
    cell_top : int
        Largest cell state; the smallest is its negative.
    cell_parts : int
        Steps of the candidate in one of the cell state: a power of two.
    limits : (n_state or 1, n_limits) int32
        Limits of the codes of tanh(c).
    tanh_zero : int
        Code of tanh(0).
    hidden_parts : int
        Steps of tanh(c) in one of the state: a power of two.
    hidden_zero, hidden_top : int
        Code of 0 of the state, and its largest.
    n_memory : int
        n_state: the cell states.
    """

    n_state: int
    candidate_zero: int
    cell_top: int
    cell_parts: int
    limits: NDArray[np.int32]
    tanh_zero: int
    hidden_parts: int
    hidden_zero: int
    hidden_top: int
    n_memory: int

    @property
    def signals(self) -> tuple[str, ...]:
        """Names of the groups of columns."""
        return "forget_gate", "input_gate", "output_gate", "candidate"


class RegisterLogic(NamedTuple):
    """Simple recurrent layer: the decided columns are the new state."""

    n_state: int
    n_memory: int = 0

    @property
    def signals(self) -> tuple[str, ...]:
        """Names of the groups of columns."""
        return ("decided",)


@by_class
def step_bits(logic: Any, decided: Any, lines: Any, memory: Any, state: Any) -> int:
    """Compute the new state from decided bits.

    Parameters
    ----------
    logic : one of the classes of this file
    decided : (n_columns,) uint8
    lines : (n_state or more,) uint8
        Word lines: the old state comes first, and is replaced by the new one.
    memory : (n_memory,) uint8
        Updated.
    state : (n_state,) uint8
        The new state, overwritten.

    Returns
    -------
    int
        Register bits that flip.
    """
    raise NotImplementedError(type(logic))


@by_class
def leave_out_bits(logic: Any, decided: Any, lines: Any, memory: Any, mask: Any) -> None:
    """Clear decisions from `mask` (n_columns,) uint8 whose noise cannot change any state bit."""
    raise NotImplementedError(type(logic))


@by_class
def step_words(logic: Any, decided: Any, valid: Any, lines: Any, memory: Any, state: Any) -> int:
    """Compute the new state for a block of sequences; as `step_bits`.

    Parameters
    ----------
    decided : (n_columns, WORDS) uint64
    valid : (WORDS,) uint64
        Sequences that exist; the state of the others stays 0.
    lines : (n_state or more, WORDS) uint64
    memory : (n_memory, WORDS) uint64
    state : (n_state, WORDS) uint64
    """
    raise NotImplementedError(type(logic))


@by_class
def leave_out_words(
    logic: Any, turn: Any, decided: Any, lines: Any, memory: Any, masks: Any
) -> tuple[int, int]:
    """Clear decisions whose noise cannot change any state bit, and choose the columns to draw for.

    Called in turns 0, 1, 2 ..., each after the draws of the turn before, until no columns are left:
    what one group of columns decides may tell that another group cannot matter.

    Parameters
    ----------
    turn : int
    decided : (n_columns, WORDS) uint64
        Without noise, but for columns of earlier turns.
    lines : (n_state or more, WORDS) uint64
    memory : (n_memory, WORDS) uint64
    masks : (n_columns, WORDS) uint64
        Decisions that a draw can change; cleared for those that no state bit shows.

    Returns
    -------
    (begin, end) : int
        Columns to draw for in this turn; equal after the last turn.
    """
    raise NotImplementedError(type(logic))


@by_class
def step_codes(logic: Any, top: Any, decided: Any, lines: Any, memory: Any, state: Any) -> int:
    """Compute the new state from codes; as `step_bits`.

    Parameters
    ----------
    top : int
        The code of 1.
    decided : (n_columns,) uint8
    lines : (n_state or more,) uint8
    memory : (n_memory,) int64
    state : (n_state,) uint8
    """
    raise NotImplementedError(type(logic))


@step_bits.register(GruLogic)
def _gru_step_bits(logic, decided, lines, memory, state):  # type: ignore[no-untyped-def]
    n = state.shape[0]
    gate, candidate, old = decided[:n], decided[n:], lines[:n]
    for unit in range(n):
        state[unit] = candidate[unit] ^ ((candidate[unit] ^ old[unit]) & gate[unit])
    flipped = 0
    for unit in range(n):
        flipped += state[unit] ^ old[unit]
    for unit in range(n):
        old[unit] = state[unit]
    return flipped


@leave_out_bits.register(GruLogic)
def _gru_leave_out_bits(logic, decided, lines, memory, mask):  # type: ignore[no-untyped-def]
    # a candidate counts only where the gate may be 0, a gate only where the candidate may differ
    # from the old state
    n = logic.n_state
    gate, candidate = decided[:n], decided[n:]
    gate_mask, candidate_mask = mask[:n], mask[n : 2 * n]
    for unit in range(n):
        candidate_mask[unit] &= (gate[unit] ^ 1) | gate_mask[unit]
        gate_mask[unit] &= (candidate[unit] ^ lines[unit]) | candidate_mask[unit]


@step_words.register(GruLogic)
def _gru_step_words(logic, decided, valid, lines, memory, state):  # type: ignore[no-untyped-def]
    n = state.shape[0]
    flipped = np.int64(0)
    for unit in range(n):
        for word in range(WORDS):
            gate, candidate = decided[unit, word], decided[n + unit, word]
            old = lines[unit, word]
            new = ((gate & old) | (~gate & candidate)) & valid[word]
            flipped += np.int64(count_bits(new ^ old))
            lines[unit, word] = new
            state[unit, word] = new
    return flipped


@leave_out_words.register(GruLogic)
def _gru_leave_out_words(logic, turn, decided, lines, memory, masks):  # type: ignore[no-untyped-def]
    # candidates first: most of them are the old bit again, and then no gate shows
    n = logic.n_state
    if turn == 0:
        for unit in range(n):
            for word in range(WORDS):
                masks[n + unit, word] &= ~decided[unit, word] | masks[unit, word]
        return n, 2 * n
    if turn == 1:
        for unit in range(n):
            for word in range(WORDS):
                masks[unit, word] &= decided[n + unit, word] ^ lines[unit, word]
        return 0, n
    return 0, 0


@step_codes.register(GruLogic)
def _gru_step_codes(logic, top, decided, lines, memory, state):  # type: ignore[no-untyped-def]
    # G H + (1 - G) C, rounded half up
    n = state.shape[0]
    flipped = np.int64(0)
    for unit in range(n):
        gate, old = np.int64(decided[unit]), lines[unit]
        mixed = gate * old + (top - gate) * decided[n + unit]
        state[unit] = (mixed + top // 2) // top
        flipped += np.int64(count_bits(np.uint64(old ^ state[unit])))
        lines[unit] = state[unit]
    return flipped


@step_codes.register(ResetGruLogic)
def _reset_gru_step_codes(logic, top, decided, lines, memory, state):  # type: ignore[no-untyped-def]
    n = state.shape[0]
    flipped = np.int64(0)
    for unit in range(n):
        update, reset = np.int64(decided[unit]), np.int64(decided[n + unit])
        below = np.int64(decided[2 * n + unit]) - logic.sum_zero
        recurrent = np.int64(decided[3 * n + unit]) - logic.sum_zero
        total = top * below + reset * recurrent
        limits = logic.limits[unit if logic.limits.shape[0] > 1 else 0]
        candidate = np.int64(0)
        for limit in limits:
            candidate += total >= limit
        old = lines[unit]
        mixed = update * old + (top - update) * candidate
        state[unit] = (mixed + top // 2) // top
        flipped += np.int64(count_bits(np.uint64(old ^ state[unit])))
        lines[unit] = state[unit]
    return flipped


@step_codes.register(LstmLogic)
def _lstm_step_codes(logic, top, decided, lines, memory, state):  # type: ignore[no-untyped-def]
    n = state.shape[0]
    flipped = np.int64(0)
    of_cell, of_state = top * logic.cell_parts, top * logic.hidden_parts
    for unit in range(n):
        forget, add = np.int64(decided[unit]), np.int64(decided[n + unit])
        new = np.int64(decided[3 * n + unit]) - logic.candidate_zero
        mixed = forget * memory[unit] * logic.cell_parts + add * new
        cell = (mixed + of_cell // 2) // of_cell
        cell = min(logic.cell_top, max(-logic.cell_top, cell))
        memory[unit] = cell
        limits = logic.limits[unit if logic.limits.shape[0] > 1 else 0]
        shown = np.int64(np.searchsorted(limits, cell, side="right")) - logic.tanh_zero
        hidden = np.int64(decided[2 * n + unit]) * shown
        hidden = logic.hidden_zero + (hidden + of_state // 2) // of_state
        new_state = np.uint8(min(logic.hidden_top, max(0, hidden)))
        flipped += np.int64(count_bits(np.uint64(lines[unit] ^ new_state)))
        lines[unit] = state[unit] = new_state
    return flipped


@step_bits.register(RegisterLogic)
def _register_step_bits(logic, decided, lines, memory, state):  # type: ignore[no-untyped-def]
    flipped = np.int64(0)
    for unit in range(state.shape[0]):
        flipped += decided[unit] ^ lines[unit]
        state[unit] = lines[unit] = decided[unit]
    return flipped


@leave_out_bits.register(RegisterLogic)
def _register_leave_out_bits(logic, decided, lines, memory, mask):  # type: ignore[no-untyped-def]
    pass  # every decision shows


@step_words.register(RegisterLogic)
def _register_step_words(logic, decided, valid, lines, memory, state):  # type: ignore[no-untyped-def]
    flipped = np.int64(0)
    for unit in range(state.shape[0]):
        for word in range(WORDS):
            new = decided[unit, word] & valid[word]
            flipped += np.int64(count_bits(new ^ lines[unit, word]))
            state[unit, word] = lines[unit, word] = new
    return flipped


@leave_out_words.register(RegisterLogic)
def _register_leave_out_words(logic, turn, decided, lines, memory, masks):  # type: ignore[no-untyped-def]
    return 0, masks.shape[0] if turn == 0 else 0


@step_codes.register(RegisterLogic)
def _register_step_codes(logic, top, decided, lines, memory, state):  # type: ignore[no-untyped-def]
    flipped = np.int64(0)
    for unit in range(state.shape[0]):
        flipped += np.int64(count_bits(np.uint64(decided[unit] ^ lines[unit])))
        state[unit] = lines[unit] = decided[unit]
    return flipped
