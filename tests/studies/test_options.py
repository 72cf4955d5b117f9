"""Options are declared once: commands, Python and model files know the same ones."""

from __future__ import annotations

import inspect

import click
import pytest
from files import write_model

import pimsim
from pimsim.cli.compare import compare
from pimsim.cli.run import run
from pimsim.cli.sweep import sweep
from pimsim.config import RunConfig
from pimsim.errors import ConfigError
from pimsim.studies.options import RunOptions, declared
from pimsim.studies.plan import plan
from pimsim.studies.run import measure, price


def flags(command: click.Command) -> set[str]:
    options = (p for p in command.params if isinstance(p, click.Option))
    return {flag for p in options for flag in (*p.opts, *p.secondary_opts)}


def test_every_option_is_on_the_command_line_and_in_the_docstring():
    said = inspect.getdoc(pimsim.run)
    for option in declared():
        assert set(option.flag.split("/")) <= flags(run)
        assert f"{option.names[0]} : " in said
        assert option.help in said
        assert option.help[0].isupper()
    known = {flag for option in declared() for flag in option.flag.split("/")}
    assert flags(run) - known == {"-o", "--out", "--no-contributions", "--json"}


@pytest.mark.parametrize("command", [compare, sweep])
def test_studies_of_many_runs_take_what_is_not_of_one(command):
    shared = {option.flag for option in declared() if option.group != "study"}
    assert shared <= flags(command)


def test_what_replaces_a_key_is_a_key_of_the_model_file():
    # one network takes the place of all `networks` of a model file
    replacing = {option.field for option in declared() if option.replaces} - {"network"}
    assert replacing <= RunConfig.model_fields.keys()
    own = {"schema_", "name", "networks", "noise", "macro"}
    assert RunConfig.model_fields.keys() - own == replacing


def test_options_go_by_their_names_in_python():
    options = RunOptions.of(set=["noise.dynamic=off"], contributions=False, chips=2)
    assert options == RunOptions(assignments=("noise.dynamic=off",), noise_sources=False, chips=2)
    assert options.replaced_keys() == {"chips": 2}
    with pytest.raises(TypeError, match="no option 'chps'. Did you mean 'chips'"):
        RunOptions.of(chps=2)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"ideal": "no"}, "option ideal is 'no'; it must be True or False"),
        ({"keep_bits": None}, "option keep_bits is None"),
        ({"noise_sources": 1}, "option noise_sources is 1"),
        ({"threads": 0}, "option threads is 0; it must be a whole number from 1 to 1,000,000"),
        ({"threads": True}, "option threads is True"),
        ({"threads": "2"}, "option threads is '2'"),
        ({"batch": -3}, "option batch is -3"),
        ({"batch": None}, "option batch is None"),
        ({"batch": 2.5}, "option batch is 2.5"),
        ({"kernel": 3}, "option kernel is 3; it must be a name"),
        ({"set": None}, "option set is None; it must be a list of 'key=value'"),
        ({"set": "chips=3"}, "option set is 'chips=3'"),
        ({"set": [1]}, "option set is"),
    ],
)
def test_a_wrong_value_of_an_option_is_refused(given, message):
    with pytest.raises(ConfigError, match=message):
        RunOptions.of(**given)


def test_an_option_is_given_by_one_of_its_names():
    with pytest.raises(TypeError, match="'contributions' is given by two names"):
        RunOptions.of(noise_sources=False, contributions=True)


def test_a_run_is_planned_measured_and_priced(tmp_path):
    planned = plan(write_model(tmp_path), RunOptions(chips=2, limit=4, reads=2))
    measured = measure(planned)
    assert measured.n_inferences == 2 * 2 * 4
    result = price(planned, measured)
    assert result.plan.timing.interval_s > 0
    assert sum(item.area for item in result.area) > 0
