"""All time steps of an LSTM as one node of the autograd graph, with a backward pass written out.

Plain autograd keeps a graph of some thirty nodes per time step. Here the products with the inputs
are one matrix product before the loop, the gradients of weights and ranges follow after it, and
only what the state needs is inside.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class LstmSteps(NamedTuple):
    """Whole numbers and steps of an LSTM of codes; of real numbers, all steps and tops are 1.

    Attributes
    ----------
    rounds : bool
        Whether numbers are rounded and clipped.
    gate_top : int
        Gates are multiples of 1 / gate_top.
    cell_top : int
        Largest multiple of the step of cell states.
    cell_step, cell_parts : float
        Step of cell states, and the number of steps of the candidate in one.
    hidden_top : int
        Largest multiple of the state's step.
    hidden_step, hidden_parts : float
        Step of the state, and the number of steps of tanh(c) in one.
    code_top : int
        Largest multiple of candidates and of tanh(c).
    sum_top : int
        Largest multiple that sums are rounded to; 0 where they are not.
    """

    rounds: bool = False
    gate_top: int = 1
    cell_top: int = 1
    cell_step: float = 1.0
    cell_parts: float = 1.0
    hidden_top: int = 1
    hidden_step: float = 1.0
    hidden_parts: float = 1.0
    code_top: int = 1
    sum_top: int = 0

    def gates(self, values: Tensor) -> Tensor:
        """Gates in multiples of their step."""
        return torch.round(values * self.gate_top) if self.rounds else values

    def codes(self, values: Tensor, step: float) -> Tensor:
        """Candidates or tanh(c) in multiples of their step."""
        if not self.rounds:
            return values
        return torch.round(values / step).clamp_(-self.code_top, self.code_top)

    def cells(self, values: Tensor) -> Tensor:
        """Cell states from real multiples of their step, halves rounded up."""
        if not self.rounds:
            return values
        return torch.floor(values + 0.5).clamp_(-self.cell_top, self.cell_top)

    def states(self, values: Tensor) -> Tensor:
        """States from real multiples of their step, halves rounded up."""
        if not self.rounds:
            return values
        return torch.floor(values + 0.5).clamp_(-self.hidden_top, self.hidden_top)

    @property
    def candidate_step(self) -> float:
        """Step of the candidate."""
        return self.cell_step / self.cell_parts

    @property
    def tanh_step(self) -> float:
        """Step of tanh(c)."""
        return self.hidden_step / self.hidden_parts


class _LstmPass(torch.autograd.Function):
    @staticmethod
    def forward(  # type: ignore[no-untyped-def]
        ctx, below, weights, bias, sum_steps, sum_ranges, cell_range, start, noise, how
    ):
        (n_steps, batch, n_below), n = below.shape, weights.shape[1] // 4
        recurrent = weights[:n]
        sums = (below.reshape(-1, n_below) @ weights[n:]).view(n_steps, batch, 4 * n)
        if noise is not None:
            sums += noise
        hidden, cells = (sums.new_empty(n_steps + 1, batch, n) for _ in range(2))
        hidden[0], cells[0] = start
        smooth, fired = torch.empty_like(sums), torch.empty_like(sums)
        mixed, shown = (sums.new_empty(n_steps, batch, n) for _ in range(2))
        by_cell, by_state = how.gate_top * how.cell_parts, how.gate_top * how.hidden_parts
        for step in range(n_steps):
            a = sums[step].addmm_(hidden[step], recurrent)
            if how.sum_top:
                a = torch.floor(a / sum_steps + 0.5).clamp_(-how.sum_top, how.sum_top) * sum_steps
            a = a + bias
            gates = torch.sigmoid(a[:, : 3 * n], out=smooth[step, :, : 3 * n])
            new = torch.tanh(a[:, 3 * n :], out=smooth[step, :, 3 * n :])
            fired[step, :, : 3 * n] = how.gates(gates)
            fired[step, :, 3 * n :] = how.codes(new, how.candidate_step)
            forget, add, show, new = fired[step].chunk(4, dim=1)
            mixed[step] = (forget * cells[step] * how.cell_parts + add * new) / by_cell
            cells[step + 1] = how.cells(mixed[step])
            bent = torch.tanh(cells[step + 1] * how.cell_step)
            shown[step] = how.codes(bent, how.tanh_step)
            hidden[step + 1] = how.states(show * shown[step] / by_state)
        ctx.save_for_backward(
            below, weights, sums, sum_steps, sum_ranges, smooth, fired, hidden, cells, mixed, shown,
        )  # fmt: skip
        ctx.how = how
        last = hidden[-1].clone(), cells[-1].clone()
        ctx.mark_non_differentiable(sums, *last)
        return hidden[1:], sums, *last

    @staticmethod
    def backward(ctx, gradient: Tensor, *_: Tensor):  # type: ignore[no-untyped-def]
        with torch.autocast(gradient.device.type, enabled=False):
            return _gradients(ctx, gradient)


def _gradients(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
    """Gradients of the operands of a pass."""
    (below, weights, sums, sum_steps, sum_ranges, smooth, fired, hidden, cells, mixed,
     shown) = ctx.saved_tensors  # fmt: skip
    how, (n_steps, batch, n_below), n = ctx.how, below.shape, weights.shape[1] // 4
    by_cell, by_state = how.gate_top * how.cell_parts, how.gate_top * how.hidden_parts
    shape = n_steps, batch, 4, n
    # all slopes first: d inner / d cell state of three groups, d inner / d state of output gates
    forget, add, show, new = fired.chunk(4, dim=2)
    slopes = torch.cat(
        [cells[:-1] / how.gate_top, new / by_cell, shown / by_state, add / by_cell], 2
    )
    gates, candidates = smooth[..., : 3 * n], smooth[..., 3 * n :]
    slopes[..., : 3 * n] *= gates * (1 - gates) * how.gate_top
    slopes[..., 3 * n :] *= (1 - candidates * candidates) / how.candidate_step
    bent = torch.tanh(cells[1:] * how.cell_step)
    of_state = show * (1 - bent * bent) * (how.cell_step / how.tanh_step / by_state)
    kept = forget / how.gate_top
    slopes = slopes.view(shape)
    if how.rounds:
        within = (mixed.abs() <= how.cell_top).to(kept.dtype)
        kept *= within
        slopes[:, :, [0, 1, 3]] *= within.unsqueeze(2)
    inside, through = None, slopes
    if how.sum_top:
        inside = (sums.abs() <= sum_ranges).to(sums.dtype)
        through = slopes * inside.view(shape)
    recurrent = weights[:n].t()
    grad_sums = torch.empty_like(slopes)
    grad_states, grad_cells = torch.empty_like(mixed), torch.empty_like(mixed)
    grad_state, grad_cell = torch.zeros_like(hidden[0]), torch.zeros_like(hidden[0])
    for step in range(n_steps - 1, -1, -1):
        grad_state = torch.add(grad_state, gradient[step], out=grad_states[step])
        grad_cell = torch.addcmul(grad_cell, grad_state, of_state[step], out=grad_cells[step])
        torch.mul(grad_cell.unsqueeze(1), through[step], out=grad_sums[step])
        torch.mul(grad_state, through[step, :, 2], out=grad_sums[step, :, 2])
        grad_cell = grad_cell * kept[step]
        grad_state = grad_sums[step].view(batch, -1) @ recurrent
    grad_inner = grad_sums
    if inside is not None:
        grad_inner = slopes * grad_cells.unsqueeze(2)
        grad_inner[:, :, 2] = slopes[:, :, 2] * grad_states
    grad_inner = grad_inner.view(n_steps, batch, -1)
    flat = grad_sums.view(n_steps * batch, -1)
    grad_weights = torch.cat(
        [hidden[:-1].reshape(-1, n).t() @ flat, below.reshape(-1, n_below).t() @ flat]
    )
    grad_below = None
    if ctx.needs_input_grad[0]:
        grad_below = (flat @ weights[n:].t()).view(below.shape)
    grad_ranges = grad_cell_range = None
    if inside is not None and ctx.needs_input_grad[4]:
        whole = torch.floor(sums / sum_steps + 0.5).clamp_(-how.sum_top, how.sum_top)
        per_range = (whole * sum_steps - sums * inside) / sum_ranges
        grad_ranges = (grad_inner * per_range).sum(dim=(0, 1))
    if how.rounds and ctx.needs_input_grad[5]:
        unclipped = mixed * (mixed.abs() <= how.cell_top)
        per_range = (cells[1:] - unclipped) / how.cell_top
        grad_cell_range = (grad_cells * per_range).sum() / how.cell_step
    grad_bias = grad_inner.sum(dim=(0, 1))
    return (
        grad_below, grad_weights, grad_bias, None, grad_ranges, grad_cell_range, None, None,
        None,
    )  # fmt: skip


def lstm_pass(
    below: Tensor,
    weights: Tensor,
    bias: Tensor,
    sum_steps: Tensor,
    sum_ranges: Tensor,
    cell_range: Tensor,
    start: tuple[Tensor, Tensor],
    noise: Tensor | None,
    how: LstmSteps,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Run an LSTM over all time steps, from a state and cell state that get no gradient.

    Parameters
    ----------
    below : (n_steps, batch, n_in)
        Inputs in multiples of their step.
    weights : (n_hidden + n_in, 4 n_hidden)
        Weights times the step of the state. Rows: H(t-1), then the layer below. Columns: forget,
        input and output gates, then candidates.
    bias : (4 n_hidden,)
        Added after sums are rounded.
    sum_steps, sum_ranges : (4 n_hidden,)
        Steps that sums are rounded to, halves up, and the largest sums; the ranges get gradients.
    cell_range : ()
        Largest cell state; its use is in `how`, and here it gets its gradient.
    start : (batch, n_hidden) twice
        State and cell state at the beginning, in multiples of their steps.
    noise : (n_steps, batch, 4 n_hidden) or None
        Added to the sums before they are rounded.
    how : LstmSteps

    Returns
    -------
    hidden : (n_steps, batch, n_hidden)
        States in multiples of their step.
    sums : (n_steps, batch, 4 n_hidden)
        With noise, before they are rounded; not differentiable.
    state, cells : (batch, n_hidden)
        Those after the last step; not differentiable.

    Notes
    -----
    Gradients pass straight through every rounding, are 0 where a sum or cell state is beyond its
    range, and go to the range as in `pimsim.nn.quantize` (learned step size).
    """
    found: tuple[Tensor, Tensor, Tensor, Tensor] = _LstmPass.apply(  # type: ignore[no-untyped-call]
        below, weights, bias, sum_steps, sum_ranges, cell_range, start, noise, how
    )
    return found
