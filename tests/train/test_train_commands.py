"""`pimsim train` and `pimsim export` from the command line."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")

import yaml  # noqa: E402
from toy import toy_recipe, toy_task  # noqa: E402

from pimsim.cli.export import export  # noqa: E402
from pimsim.cli.train import train  # noqa: E402
from pimsim.errors import ConfigError, DataError  # noqa: E402
from pimsim.train import tasks  # noqa: E402


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    monkeypatch.setattr(tasks, "task_for", lambda recipe: toy_task())
    plan = toy_recipe()
    short = plan.model_copy(update={"stages": plan.stages[:1]})
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(short.model_dump(mode="json")))
    return path


def call(command, *arguments):
    return CliRunner().invoke(command, [str(x) for x in arguments])


def test_train_writes_checkpoints_and_log_and_will_not_overwrite_them(recipe, tmp_path):
    out = tmp_path / "out"
    result = call(train, recipe, "--out", out)
    assert result.exit_code == 0, result.output
    assert "checkpoint:" in result.output
    written = {path.name for path in out.iterdir()}
    assert written == {"checkpoint.pt", "1-float.pt", "log.jsonl", "curves.svg",
                       "training.json", "report.html"}  # fmt: skip
    page = (out / "report.html").read_text()
    assert "epochs in one stage" in page
    again = call(train, recipe, "--out", out)
    assert isinstance(again.exception, ConfigError)
    assert "holds a training already" in str(again.exception)
    assert call(train, recipe, "--out", out, "--resume").exit_code == 0


def test_missing_files_are_named(tmp_path):
    result = call(train, tmp_path / "no.yaml", "--out", tmp_path)
    assert isinstance(result.exception, ConfigError)
    assert "no.yaml" in str(result.exception)
    result = call(export, tmp_path / "no.pt", "-o", tmp_path / "x.safetensors")
    assert isinstance(result.exception, DataError)
    assert "no.pt" in str(result.exception)
