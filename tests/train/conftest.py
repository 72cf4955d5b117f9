"""Toy networks are quickest on one thread, and results must not depend on how many there are."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True, scope="package")
def one_thread():
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="package")
def trained(tmp_path_factory):
    """A toy recipe trained to its end, with the checkpoint of every stage in its folder."""
    pytest.importorskip("torch")
    from toy import toy_recipe, toy_task

    from pimsim.train.trainer import Trainer

    trainer = Trainer(toy_recipe(), toy_task(), tmp_path_factory.mktemp("training"))
    trainer.run()
    return trainer
