"""JSON Schemas of the YAML files: what is bundled fits them, and what is wrong does not."""

from __future__ import annotations

import importlib.util
import json
import re

import pytest

from pimsim.cli.schema import KINDS, schema_of
from pimsim.config import bundled_names, find_config, read_yaml
from pimsim.config.bundled import FOLDERS
from pimsim.errors import Place
from pimsim.studies.folder import copy_bundled

jsonschema = pytest.importorskip("jsonschema")
HAS_TORCH = importlib.util.find_spec("torch") is not None
TESTED = [kind for kind in KINDS if kind != "recipe" or HAS_TORCH]


@pytest.fixture(scope="module")
def judges():
    schemas = {kind: schema_of(kind) for kind in TESTED}
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    return {kind: jsonschema.Draft202012Validator(schema) for kind, schema in schemas.items()}


def tree(kind, name):
    # as editors read it: dates, lines and pimsim's own checks aside
    return json.loads(json.dumps(read_yaml(find_config(name, kind, Place("test"))).tree))


@pytest.mark.parametrize("kind", TESTED)
def test_every_bundled_file_fits_the_schema_of_its_kind(judges, kind):
    for name in bundled_names(kind):
        errors = [error.message for error in judges[kind].iter_errors(tree(kind, name))]
        assert not errors, (name, errors[:3])


@pytest.mark.parametrize(
    ("kind", "name", "at", "wrong"),
    [
        ("device", "pcm", ("cell", "area"), 0.05),
        ("device", "pcm", ("cell", "area"), "wide"),
        ("device", "pcm", ("cell", "aria"), "0.05 um2"),
        ("device", "pcm", ("cell", "certainty"), "sure"),
        ("device", "pcm", ("drift", "model"), "power_lax"),
        ("chip", "adc_pim_16nm", ("array", "rows"), "many"),
        ("chip", "adc_pim_16nm", ("read_out", "kind"), "adcs"),
        ("chip", "adc_pim_16nm", ("clock", "frequency"), 100),
        ("chip", "ba_mlw_16nm", ("read_out", "offset_cancelling"), "perhaps"),
        ("model", "gru", ("chips",), "few"),
    ],
)
def test_what_is_wrong_is_marked(judges, kind, name, at, wrong):
    wanted = tree(kind, name)
    assert judges[kind].is_valid(wanted)
    block = wanted
    for key in at[:-1]:
        block = block[key]
    block[at[-1]] = wrong
    assert not judges[kind].is_valid(wanted)


def test_files_that_are_copied_tell_editors_their_schema(tmp_path):
    schemas = {kind: {"title": kind} for kind in KINDS}
    written = copy_bundled(tmp_path, schemas)
    named = 0
    for path in written:
        if path.suffix != ".yaml":
            continue
        found = re.match(r"# yaml-language-server: \$schema=(\S+)\n", path.read_text())
        if found:
            named += 1
            kind = json.loads((path.parent / found[1]).read_text())["title"]
            assert path.is_relative_to(tmp_path / FOLDERS[kind])
    assert named > 50
    # a second copy finds what it would write
    assert copy_bundled(tmp_path, schemas) == written
