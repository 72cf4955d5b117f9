"""The command as a user meets it: output, exit codes, files."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from files import write_model
from networks import random_tensor, tensor_features
from rich.console import Console

from pimsim.cli.main import main
from pimsim.config import bundled_root
from pimsim.data import Dataset
from pimsim.report.network import print_network
from pimsim.workload import write_network


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def pimsim(*arguments: object, cwd: Path | None = None) -> Done:
    """The command within this process: quicker, and all but the same."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["pimsim", *map(str, arguments)])
        patch.setenv("COLUMNS", "120")
        patch.chdir(cwd or Path.cwd())
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as left:
            main()
    return Done(int(left.value.code or 0), out.getvalue(), err.getvalue())


def pimsim_process(*arguments: object, cwd: Path | None = None, **environment: str) -> Done:
    """The command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "pimsim", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "COLUMNS": "120", **environment},
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("model"))


def test_run_prints_a_table_and_writes_a_report(model, tmp_path):
    done = pimsim("run", model, "--out", tmp_path / "out", "--bits")
    assert done.returncode == 0, done.stderr
    for words in ("Synthetic speech", "ideal (no error, no noise)", "mean of 3 chips",
                  "95 % interval of the mean", "noise of every decision", "rows driven",
                  "inferences/s", "Assumed, without a published value", "Levels: 4 evenly spaced",
                  "No data in the hardware files for: drift since programming, slow read noise",
                  str(tmp_path / "out" / "report.json")):  # fmt: skip
        assert words in done.stdout, words
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["provenance"]["command"][0] == "pimsim"
    with np.load(tmp_path / "out" / "bits.npz", allow_pickle=False) as bits:
        hidden = np.unpackbits(bits["gru1.hidden"], axis=-1, count=int(bits["gru1.hidden.n"]))
        assert hidden.shape == (3, 12, 49, 12)
        correct = (bits["predictions"] == bits["labels"]).mean(axis=1)
    assert correct.tolist() == report["accuracy"]["per_chip"]
    page = (tmp_path / "out" / "report.html").read_bytes()
    written = {"bits.npz", "report.html", "report.json"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == written
    (tmp_path / "out" / "report.html").unlink()
    assert pimsim("report", tmp_path / "out").returncode == 0
    assert (tmp_path / "out" / "report.html").read_bytes() == page


def test_without_out_every_run_gets_a_folder_of_its_own(model, tmp_path):
    for _ in range(2):
        assert pimsim("run", model, "--ideal", cwd=tmp_path).returncode == 0
    assert len(list((tmp_path / "runs").glob("gru-*/report.json"))) == 2


def test_run_works_where_torch_and_extras_are_not_installed(model, tmp_path):
    # a folder in front of the path whose packages refuse to be imported
    for name in ("torch", "pandas", "distributed", "espeakng_loader"):
        (tmp_path / "block" / name).mkdir(parents=True)
        (tmp_path / "block" / name / "__init__.py").write_text(f"raise ImportError('no {name}')")
    blocked = str(tmp_path / "block")
    done = pimsim_process("run", model, "--out", tmp_path / "o", PYTHONPATH=blocked)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--chips", "0"], "Error: --chips 0: chips is 0; it must be 1 or more"),
        (["--device", "nothing.yaml"], "Error: --device names 'nothing.yaml', and there is no"),
        (
            ["--data", "nowhere"],
            "--data nowhere: data names 'nowhere', and there is no",
        ),
        (["--set", "chip.array.colums=1"], "array.colums is no key that is known here. Did you"),
        (["--set", "chip.load.input_range=10 ns"], "is '10 ns', a time; a voltage is needed"),
        (["--set", "chip.array.rows=4"], "gru0 has 22 rows, and 4 stacked arrays of 4 hold 16"),
        (["--time-since-programming", "a while"], "time_since_programming is 'a while'"),
        (["--limit", "0"], "--limit 0: limit is 0; it must be 1 or more"),
        (["--threads", "0"], "Invalid value for '--threads'"),
    ],
)
def test_bad_input_ends_with_code_2_and_no_result(model, tmp_path, arguments, message):
    done = pimsim("run", model, "--out", tmp_path / "out", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.fixture
def own(tmp_path):
    """A folder with a network and data that fit it."""
    network = random_tensor()
    write_network(network, tmp_path / "net.safetensors")
    labels = np.arange(12) % 4
    data = Dataset(tensor_features(network, 12), labels, network.classes, name="my sensor")
    data.save(tmp_path / "mine.npz")
    return tmp_path


def test_a_network_file_and_data_are_enough(own):
    done = pimsim(
        "run", "net.safetensors", "--data", "mine.npz", "--chips", 2, "-o", "out", cwd=own
    )
    assert done.returncode == 0, done.stderr
    assert "12 sequences of my sensor (12 samples of 9 numbers in 4 classes)" in done.stdout
    report = json.loads((own / "out/report.json").read_text())
    assert report["provenance"]["data"]["path"] == "mine.npz"
    assert pimsim("report", own / "out").returncode == 0
    done = pimsim("run", "net.safetensors", "--data", "mine.npz", "--ideal", cwd=own)
    assert done.returncode == 0, done.stderr
    assert len(list((own / "runs").glob("net-*/report.json"))) == 1


def test_a_network_file_is_compared_and_swept(own):
    model = ("net.safetensors", "--data", "mine.npz", "--chips", 1)
    done = pimsim("compare", *model, "--device", "reram", "--device", "pcm", "-o", "c", cwd=own)
    assert done.returncode == 0, done.stderr
    assert (own / "c/1-net-reram/report.json").is_file()
    done = pimsim("sweep", *model, "--axis", "device=reram,pcm", "-o", "s", cwd=own)
    assert done.returncode == 0, done.stderr
    assert json.loads((own / "s/sweep.json").read_text())["model"] == "net.safetensors"


@pytest.mark.parametrize(
    ("command", "out"), [("trace", "t.json"), ("vectors", "v.npz"), ("floorplan", "f.svg")]
)
def test_other_commands_take_a_network_file(own, command, out):
    done = pimsim(command, "net.safetensors", "--data", "mine.npz", "-o", out, cwd=own)
    assert done.returncode == 0, done.stderr
    assert (own / out).is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "net.safetensors is run without a model file, and data are not named. Name them"),
        (("--data", "cut.npz"), "cut.npz is damaged"),
        (
            ("--data", "other.npz"),
            "the network takes 9 numbers (uint8 or float32), and the data have 7",
        ),
        (("--data", "mnist-1000"), "does not fit 'random-tensor': the network takes 9 numbers"),
        (("--data", "mine.npz", "--network", "gone.safetensors"), "and another network is given"),
    ],
)
def test_data_that_cannot_be_used_end_with_code_2(own, arguments, message):
    whole = (own / "mine.npz").read_bytes()
    (own / "cut.npz").write_bytes(whole[:-50])
    np.savez(own / "other.npz", features=np.zeros((3, 7), np.uint8), labels=np.arange(3))
    done = pimsim("run", "net.safetensors", "-o", "out", *arguments, cwd=own)
    assert done.returncode == 2
    assert message in done.stderr
    assert not (own / "out").exists()


def test_another_network_takes_the_place_of_the_models(model, tmp_path):
    options = ("--network", "gru_w3.safetensors", "--chips", 1, "--limit", 4, "--out", tmp_path)
    done = pimsim("run", "gru", *options)
    assert done.returncode == 0, done.stderr
    files = json.loads((tmp_path / "report.json").read_text())["provenance"]["files"]
    assert files["network"]["name"] == "gru_w3.safetensors"
    assert files["model"]["name"] == "gru.yaml"


def test_a_missing_model_and_a_broken_network_end_with_code_2(model, tmp_path):
    done = pimsim("run", "gruu")
    assert (done.returncode, "Did you mean 'gru'?" in done.stderr) == (2, True)
    cut = write_model(tmp_path).with_suffix(".safetensors")
    cut.write_bytes(cut.read_bytes()[:-100])
    for arguments in (["run", tmp_path / "gru.yaml"], ["inspect", cut]):
        done = pimsim(*arguments)
        assert done.returncode == 2
        assert f"{cut} is no whole safetensors file" in done.stderr


def test_a_folder_that_cannot_be_written_is_refused_before_the_work(model, tmp_path):
    (tmp_path / "file").write_text("")
    done = pimsim("run", model, "--out", tmp_path / "file" / "deep")
    assert (done.returncode, "is a file" in done.stderr) == (2, True)
    assert "ideal" not in done.stdout


def test_a_full_disk_leaves_no_half_written_report(model, tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    from pimsim.errors import ConfigError
    from pimsim.files import write_whole

    def fill(file):
        file.write(b"half")
        Path("/dev/full").write_bytes(b"x" * 100_000)

    with pytest.raises(ConfigError, match="cannot be written \\(No space left on device\\)"):
        write_whole(tmp_path / "report.json", fill)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("number", "code"), [(errno.ENOSPC, 2), (errno.EFBIG, 2), (errno.EIO, 1)])
def test_no_room_for_compiled_kernels_is_no_traceback(model, monkeypatch, number, code):
    def save(*arguments):
        raise OSError(number, os.strerror(number), "kernel.nbi")

    monkeypatch.setattr("pimsim.files.check_folder", save)
    if code == 1:  # nothing that a user can be told
        with pytest.raises(OSError, match="kernel.nbi"):
            pimsim("run", model)
        return
    done = pimsim("run", model)
    assert done.returncode == code
    assert "kernel.nbi cannot be written" in done.stderr
    assert "NUMBA_CACHE_DIR" in done.stderr


def test_inspect_prints_layers_and_provenance_when_asked(model):
    done = pimsim("inspect", model.with_suffix(".safetensors"), "--provenance")
    assert done.returncode == 0
    for words in ("random-gru", "gru0.gate", "gru1.candidate", "2 frames averaged", "provenance:"):
        assert words in done.stdout
    short, whole = pimsim("inspect", "gru_w7").stdout, pimsim("inspect", "gru_w7", "--provenance")
    assert len(short.splitlines()) < 40 < len(whole.stdout.splitlines())
    assert "more of its origin: --provenance" in short


def test_json_is_the_document_and_nothing_else(model, tmp_path):
    few = ("--chips", 1, "--limit", 2, "--json", "--out")
    for command, file in (
        (("run", model, "--no-noise-sources"), "report.json"),
        (("sweep", model, "--axis", "seed=1"), "sweep.json"),
        (("compare", model), "comparison.json"),
    ):
        done = pimsim(*command, *few, tmp_path / command[0])
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == json.loads((tmp_path / command[0] / file).read_text())


@pytest.mark.parametrize("name", ["gru_w7", "lenet5_w15"])
def test_inspect_cuts_nothing_on_80_columns(name):
    path = bundled_root() / "models" / f"{name}.safetensors"
    said = io.StringIO()
    print_network(path, Console(file=said, width=80, markup=False))
    table = said.getvalue().partition("output:")[0]
    assert "\N{HORIZONTAL ELLIPSIS}" not in table
    assert max(map(len, table.splitlines())) <= 80


def test_init_copies_what_run_needs(tmp_path):
    done = pimsim("init", tmp_path / "mine")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "mine" / "models" / "gru.yaml").is_file()
    assert (tmp_path / "mine" / "hwconfigs" / "devices" / "pcm.yaml").is_file()
    pcm = tmp_path / "mine" / "hwconfigs" / "devices" / "pcm.yaml"
    whole = pcm.read_bytes()
    pcm.unlink()  # as after a copy that was stopped
    assert pimsim("init", tmp_path / "mine").returncode == 0
    assert pcm.read_bytes() == whole
    pcm.write_text("mine")
    again = pimsim("init", tmp_path / "mine")
    assert (again.returncode, "pcm.yaml exists already" in again.stderr) == (2, True)
    assert pcm.read_text() == "mine"


def test_vectors_hold_cells_offsets_and_bits(model, tmp_path):
    out = tmp_path / "v.npz"
    done = pimsim("vectors", model, "--chip-index", 2, "--sequences", 3, "-o", out)
    assert done.returncode == 0, done.stderr
    with np.load(out, allow_pickle=False) as vectors:
        assert vectors["gru0.plus"].shape == vectors["gru0.minus"].shape == (22, 24)
        assert vectors["gru0.rows"].shape == (22, 2)
        assert vectors["gru0.columns"].shape == (24, 3)
        assert vectors["gru0.offsets"].shape == (24,)
        assert vectors["gru1.hidden"].shape == (3, 49, 12)
        facts = json.loads(str(vectors["facts"]))
    assert facts["chip_index"] == 2
    for index, words in ((-1, "chips count from 0"), (2**40, "is not in the range")):
        done = pimsim("vectors", model, "--chip-index", index, "-o", out)
        assert (done.returncode, words in done.stderr) == (2, True)


def test_vectors_are_the_bits_of_the_run(model, tmp_path):
    pimsim("vectors", model, "--chip-index", 1, "--sequences", 12, "-o", tmp_path / "v.npz")
    pimsim("run", model, "--out", tmp_path, "--bits", "--no-contributions")
    with np.load(tmp_path / "v.npz") as vectors, np.load(tmp_path / "bits.npz") as bits:
        for name in ("gru0.gate", "gru0.candidate", "gru1.hidden"):
            packed = np.packbits(vectors[name], axis=-1)
            assert np.array_equal(packed, bits[name][1])


def test_bits_of_an_earlier_run_do_not_stay_beside_a_new_report(model, tmp_path):
    pimsim("run", model, "--out", tmp_path, "--bits", "--no-contributions")
    assert (tmp_path / "bits.npz").exists()
    pimsim("run", model, "--out", tmp_path, "--no-contributions")
    assert not (tmp_path / "bits.npz").exists()


@pytest.mark.parametrize("arguments", [["run", "m" * 300], ["inspect", "m" * 300]])
def test_names_too_long_for_a_file_are_refused(arguments):
    done = pimsim(*arguments)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)


def test_a_folder_is_no_file_to_write(model, tmp_path):
    done = pimsim("vectors", model, "-o", tmp_path)
    assert (done.returncode, "is a folder. Name a file in it" in done.stderr) == (2, True)
    done = pimsim("vectors", model, "-o", ".", cwd=tmp_path)
    assert (done.returncode, "is a folder" in done.stderr) == (2, True)


def test_noise_that_is_off_is_called_off(model, tmp_path):
    done = pimsim("run", model, "--ideal", "--out", tmp_path)
    assert "noise at a decision off, offset off" in done.stdout


def test_an_unknown_command_is_refused():
    done = pimsim("rum")
    assert (done.returncode, "No such command" in done.stderr) == (2, True)


def test_bundled_files_are_where_the_package_looks():
    assert (bundled_root() / "hwconfigs" / "chips" / "ba_mlw_16nm.yaml").is_file()


@pytest.mark.slow
def test_a_built_wheel_carries_the_bundled_files(tmp_path):
    root = Path(__file__).parents[2]
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", tmp_path, root]
    subprocess.run(list(map(str, build)), check=True, capture_output=True)
    wheel = next(tmp_path.glob("*.whl"))
    target = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--target", target, wheel]
    subprocess.run(list(map(str, install)), check=True, capture_output=True)
    done = pimsim_process(
        "run", "gru.yaml", "--device", "pcm", "--chips", "1", "--limit", "24",
        cwd=tmp_path, PYTHONPATH=str(target),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "PCM" in done.stdout
