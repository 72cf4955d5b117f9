"""Search among polarities and widths of a recipe's hidden layers."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import yaml

torch = pytest.importorskip("torch")

from click.testing import CliRunner  # noqa: E402

from pimsim.cli.search import search as command  # noqa: E402
from pimsim.errors import ConfigError  # noqa: E402
from pimsim.train import search  # noqa: E402
from pimsim.train.recipe import read_recipe  # noqa: E402

CODES = {"kind": "codes", "bits": 4}
SCORES = {"kind": "codes", "bits": 8, "signed": True}
DENSE = {"kind": "dense", "levels": 7, "norm": False, "bias": True}
RECIPE = {
    "name": "toy",
    "arithmetic": "float32",
    "uniform": {"step": 8, "adc_bits": 8, "rows": 64},
    "network": [
        {"kind": "quantiser", "bits": 4, "low": -1, "high": 1},
        {**DENSE, "units": 4, "neuron": CODES},
        {**DENSE, "neuron": SCORES, "polarity": "positive"},
    ],
    "stages": [{"name": "all", "epochs": 5, "batch": 50, "learning_rate": 0.01, "warmup": 5}],
    "search": {"polarity": ["positive", "bipolar"], "widths": [3, 8], "share": 0.4, "finish": 2},
}


@pytest.fixture
def recipe(tmp_path):
    """A recipe of a toy task, on disk; a function that writes it with other keys."""
    rng = np.random.default_rng(0)
    x = (rng.integers(-255, 256, (400, 12)) / 256).astype(np.float32)
    labels = (x[:, :6].sum(axis=1) > 0).astype(np.int64) + 2 * (x[:, 6:].sum(axis=1) > 0)
    np.savez(tmp_path / "toy.npz", features=x, labels=labels)

    def write(**changes):
        path = tmp_path / "toy.yaml"
        path.write_text(yaml.safe_dump(RECIPE | {"data": "toy.npz"} | changes))
        return path

    return write


def test_variants_are_all_combinations_and_their_columns_are_counted(recipe):
    plan = read_recipe(recipe(search=RECIPE["search"] | {"hidden": [1, 2]}))
    variants = search.variants_of(plan)
    assert len(variants) == 4 + 16
    assert len({v.name for v in variants}) == 20
    columns = {v.name: search.columns_of(v, 4) for v in variants}
    # the last layer has 4 positive columns and one that corrects them
    assert columns["3 positive"] == 3 + 1 + 5
    assert columns["3 bipolar"] == 6 + 5
    assert columns["8 bipolar + 3 positive"] == 16 + 4 + 5
    assert all(v.recipe.search is None for v in variants)


def test_a_search_finds_a_recipe_and_goes_on_where_it_was(recipe, tmp_path, monkeypatch):
    path, out = recipe(), tmp_path / "out"
    call = [str(path), "-o", str(out), "--threads", "1"]
    trained = []
    run = search.BlockTrainer.run

    def counted(self, *args):
        trained.append(self.recipe)
        if len(trained) == stop:
            raise KeyboardInterrupt
        return run(self, *args)

    monkeypatch.setattr(search.BlockTrainer, "run", counted)
    stop = 3
    result = CliRunner().invoke(command, call)
    assert result.exit_code != 0
    assert not (out / "best.yaml").exists()
    stop = 0
    result = CliRunner().invoke(command, call, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    # two were done; four variants for two of five epochs, and those that no other one beats
    with (out / "search.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    finished = [row for row in rows if row["accuracy_finished"]]
    assert len(rows) == 4
    assert 1 <= len(finished) <= 2
    assert len(trained) == 3 + 2 + len(finished)
    assert [r.stages[0].epochs for r in trained] == [2] * 5 + [5] * len(finished)
    again = CliRunner().invoke(command, call, catch_exceptions=False)
    assert again.exit_code == 0
    assert len(trained) == 3 + 2 + len(finished)
    # the result is a recipe as any other
    best = read_recipe(out / "best.yaml")
    assert best.search is None
    assert [best.network[1].units, best.network[1].polarity] == [
        int(rows[0]["widths"]),
        rows[0]["polarities"],
    ]
    assert float(rows[0]["accuracy_finished"]) > 0.5


def test_the_front_has_no_variant_that_another_one_beats():
    def found(columns, accuracy):
        return search.Found(None, columns, accuracy, 0.0)

    marked = search.with_front([found(3, 0.5), found(4, 0.5), found(5, 0.7), found(6, 0.6)])
    assert [one.on_front for one in marked] == [True, False, True, False]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"search": None}, "has no search"),
        ({"search": RECIPE["search"] | {"hidden": [8]}}, "65536\\d* variants|has \\d+ variants"),
        ({"network": [RECIPE["network"][0], RECIPE["network"][2]]}, "hidden dense layers"),
    ],
)
def test_searches_that_do_not_fit_are_refused(recipe, changes, message):
    with pytest.raises(ConfigError, match=message):
        search.variants_of(read_recipe(recipe(**changes)))
