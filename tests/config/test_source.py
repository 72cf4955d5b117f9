from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pimsim.config.source import dotted, read_yaml
from pimsim.errors import ConfigError, PimsimError


def test_every_value_knows_its_line(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("first: 1\nsecond:\n  - x\n  - deep: 2\n")
    source = read_yaml(path)
    assert source.tree == {"first": 1, "second": ["x", {"deep": 2}]}
    assert str(source.place(("second", 1, "deep"))) == f"{path}:4: second[1].deep"
    # an absent key is placed at its nearest parent
    assert source.place(("second", 1, "no")).line == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", "2: a stands here a second time"),
        ("a: [1\n", "is no valid YAML"),
        ("", "is empty"),
        ("- 1\n", "must hold keys and values"),
        ("a: &x [*x]\n", "is no valid YAML|nested too deeply"),
        ("a: " + "[" * 400 + "]" * 400, "nested too deeply|no valid YAML"),
        ("a: !!python/object:os.system x\n", "has the tag"),
    ],
)
def test_what_is_no_description_is_refused(tmp_path, text, message):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_yaml(path)


def test_repeated_anchors_cannot_fill_the_memory(tmp_path):
    path = tmp_path / "bomb.yaml"
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    path.write_text("\n".join(lines))
    with pytest.raises(ConfigError, match="too large"):
        read_yaml(path)


def test_an_override_replaces_and_is_named_in_errors(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("block:\n  list: [1, 2]\n")
    source = read_yaml(path)
    source.override(("block", "list", "1"), "7", "--set block.list.1=7")
    assert source.tree["block"]["list"] == [1, 7]
    assert "--set block.list.1=7" in str(source.place(("block", "list", 1)))
    with pytest.raises(ConfigError, match="names no such key"):
        source.override(("block", "list", "9"), "7", "--set block.list.9=7")
    with pytest.raises(ConfigError, match="names no such key"):
        source.override(("block", "list", "1", "x"), "7", "--set block.list.1.x=7")


def test_dotted_keys():
    assert dotted(("levels", 2, "spread")) == "levels[2].spread"


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_end_in_anything_but_a_tree_or_a_clear_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("fuzz") / "x.yaml"
    path.write_bytes(content)
    try:
        assert isinstance(read_yaml(path).tree, dict)
    except PimsimError:
        pass
