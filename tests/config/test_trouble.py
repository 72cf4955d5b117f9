"""Errors of a file: all at once, in pimsim's words."""

from __future__ import annotations

import re
from copy import deepcopy

import pytest

from pimsim.config import (
    ChipConfig,
    DeviceConfig,
    RunConfig,
    TechnologyConfig,
    bundled_root,
)
from pimsim.config.schema import validate
from pimsim.config.source import YamlSource, read_yaml
from pimsim.config.trouble import MAX_ERRORS
from pimsim.errors import ConfigError

DEVICE = """\
schema: pimsim.device/2
name: my cell
cell:
  area: 0.03 kg
  certainty: guessed
read:
  kind: resistorr
  voltge: 0.2 V
  top_current: 10 uA
  shot_noise: 200 %
  source: abc
  certainty: paper
states:
  mean: [10 %, 20 %, 100 %]
  spread: [-1 %, 1 %, 1 %]
  source: abc
  certainty: paper
drift:
  model: power_lax
rtn: {relative: 1.5 %}
read_noise:
  model: relative
  relative: 3 %
  source: abc
  certainty: guessed
"""
# of the library, and of no file
FOREIGN = re.compile(
    "input should|unable to|discriminator|valid |validat|union|field required|tag |extra |instance"
)
FILES = {
    DeviceConfig: "hwconfigs/devices/pcm.yaml",
    ChipConfig: "hwconfigs/chips/adc_pim_16nm.yaml",
    TechnologyConfig: "hwconfigs/technology/16nm.yaml",
    RunConfig: "models/gru.yaml",
}


def refused(path, schema) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        validate(read_yaml(path), schema)
    return caught.value


def test_all_that_is_wrong_with_a_file_is_said_at_once_in_the_order_of_its_lines(tmp_path):
    path = tmp_path / "cell.yaml"
    path.write_text(DEVICE)
    said = [text.removeprefix(f"{path}:") for text in refused(path, DeviceConfig).texts]
    for text in (
        "4: cell.area is '0.03 kg'; an area is needed, such as '0.1 um2'",
        "5: cell.certainty is 'guessed'; it must be 'measured', 'paper', 'notes', 'public model', "
        "'derived' or 'assumed'",
        "3: cell.source is missing. Add 'source:' there",
        "8: read.voltge is no key that is known here. Did you mean 'voltage'?",
        "10: read.shot_noise is '200 %'; it must be 1 or less",
        "19: drift.model is 'power_lax', which is no known model. Did you mean 'power_law'?",
        "20: rtn.model is missing. Add 'model:' there, one of relative, tabulated, two_state, "
        "two_state_tabulated",
        # a key has the name of its model here
        "25: read_noise.certainty is 'guessed'; it must be",
    ):
        assert [one for one in said if one.startswith(text)], (text, said)
    # a misspelt key is not missing as well
    assert not [one for one in said if "read.voltage is missing" in one]
    lines = [int(one.partition(":")[0]) for one in said]
    assert lines == sorted(lines)


def test_a_file_of_another_kind_is_not_listed_whole(tmp_path):
    path = tmp_path / "cell.yaml"
    path.write_text("".join(f"key{number}: 1\n" for number in range(100)))
    texts = refused(path, DeviceConfig).texts
    assert len(texts) == MAX_ERRORS + 1
    assert re.fullmatch(r"and \d+ more", texts[-1])


def test_two_forms_of_a_value_are_one_error(tmp_path):
    pytest.importorskip("torch")
    from pimsim.train.recipe import read_recipe

    whole = (bundled_root() / "models/train/har_mlp_w7.yaml").read_text()
    path = tmp_path / "recipe.yaml"
    path.write_text(re.sub(r"^seed: .*\n", "", whole, flags=re.MULTILINE) + "seed: soon\n")
    with pytest.raises(ConfigError) as caught:
        read_recipe(path)
    assert len(caught.value.texts) == 1
    assert "seed is 'soon'; it must be a whole number" in str(caught.value)


@pytest.mark.parametrize("schema", FILES, ids=lambda schema: schema.__name__)
def test_no_word_of_the_library_reaches_a_user(schema, monkeypatch):
    monkeypatch.setattr("pimsim.config.trouble.MAX_ERRORS", 10_000)
    path = bundled_root() / FILES[schema]
    whole = read_yaml(path)
    texts = []
    # all values of the file are replaced by things that they cannot be, in blocks and without
    for value in (None, "soon", -1, 1e300, 0.5, True, [], ["soon"], {}, {"soon": 1}):
        for depth in (1, 2, 3):
            source = deepcopy(whole)
            replace(source.tree, value, depth)
            try:
                validate(source, schema)
            except ConfigError as error:
                texts += error.texts
    assert len(texts) > 60
    assert not [text for text in texts if FOREIGN.search(text.partition("yaml")[2].lower())]


def replace(tree: dict, value: object, depth: int) -> None:
    """Replace what stands at a depth, but for the words that choose the kind of a block."""
    for key, inside in tree.items():
        if depth > 1 and isinstance(inside, dict):
            replace(inside, value, depth - 1)
        elif key not in ("kind", "model"):
            tree[key] = value


def test_an_error_that_has_no_words_keeps_those_that_it_has():
    from pimsim.config.trouble import in_words

    assert in_words({"type": "other", "msg": "Input should be blue"}) == "it must be blue"


def test_an_option_is_named_beside_the_lines_of_the_file(tmp_path):
    path = tmp_path / "cell.yaml"
    path.write_text(DEVICE)
    source: YamlSource = read_yaml(path)
    source.override(("cell", "area"), "red", "--set device.cell.area=red")
    with pytest.raises(ConfigError) as caught:
        validate(source, DeviceConfig)
    assert caught.value.texts[0].startswith("--set device.cell.area=red: cell.area is 'red'")
    assert len(caught.value.texts) > 5
