"""A layer kind of this file alone: a dense layer of two inputs, the second one upside down."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from files import write_model
from networks import random_matrix, random_mlp
from walk import Walk

from pimsim.workload import LAYERS, Dense, Layer, LevelMatrix, Node
from pimsim.workload.signals import Shape


@dataclass(frozen=True)
class Folded(Layer):
    """Rows run over the first input, then over the second one from its end."""

    matrix: LevelMatrix
    kind: ClassVar[str] = "folded"

    def shape(self, *inputs: Shape) -> Shape:
        assert self.matrix.n_rows == inputs[0].size + inputs[1].size
        return Shape(self.matrix.n_columns)

    def wiring(self, *inputs: Shape):
        first, both = inputs[0].size, inputs[0].size + inputs[1].size
        return np.concatenate([np.arange(first), np.arange(first, both)[::-1]])[None]


def test_a_layer_kind_is_one_class(tmp_path, monkeypatch):
    monkeypatch.setitem(LAYERS, "folded", Folded)
    rng, network = np.random.default_rng(4), random_mlp()
    nodes = (
        Node("dense0", Dense(random_matrix(rng, 30, 21)), ("encoder",)),
        Node("fold", Folded(random_matrix(rng, 51, 13)), ("dense0", "encoder")),
    )
    network = dataclasses.replace(network, nodes=nodes)
    walk = Walk(write_model(tmp_path, "lenet", network), tmp_path)
    assert walk.equals_the_exact_network()
    # by hand
    bits, levels = walk.exact().bits, nodes[1].layer.matrix.levels.astype(int)
    rows = np.hstack([bits["dense0"], bits["encoder"][:, ::-1]])
    assert np.array_equal(bits["fold"], rows @ levels > 0)
    assert {"fold", "dense0 to fold", "encoder to fold"} <= {
        e["args"].get("name") for e in walk.events
    }
    assert walk.arrays["fold.plus"].shape == (51, 13)
    assert "fold" in walk.page
