"""Whatever a file holds, a reader gives what it means or a clear error: no traceback, no hang."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import tarfile
import warnings

import numpy as np
import pytest
from data_files import IMAGES, idx, wav_bytes
from files import write_model
from hypothesis import given
from hypothesis import strategies as st
from mutate import changed_bytes, changed_tree, fuzz
from networks import random_gru, random_lenet, random_tensor
from PIL import Image
from rich.console import Console
from safetensors.numpy import load_file, save_file

from pimsim.config import RunConfig, bundled_root, load_setup, read_yaml, validate
from pimsim.data.archives import files_in_tar
from pimsim.data.arrays import read_npz
from pimsim.data.frontend import CLIP_SAMPLES, decode_wav
from pimsim.data.images import load_image_folder
from pimsim.data.mnist import load_idx, read_idx
from pimsim.data.npz import load_npz
from pimsim.devices.fit import fit_device
from pimsim.devices.measurements import read_measurements
from pimsim.errors import PimsimError
from pimsim.files import read_json, write_json
from pimsim.report.network import print_network
from pimsim.studies.axes import read_points
from pimsim.studies.compare import describe_comparison, read_report
from pimsim.studies.document import describe_run
from pimsim.studies.points import Points, key_of
from pimsim.studies.run import run
from pimsim.units import parse_quantity
from pimsim.workload import TensorInput, read_network, run_reference, write_network


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


def yaml_texts():
    return [path.read_bytes() for path in sorted((bundled_root() / "hwconfigs").rglob("*.yaml"))]


@fuzz(25)
@given(data=st.data())
def test_yaml(folder, data):
    path = folder / "any.yaml"
    text = data.draw(st.sampled_from(yaml_texts()))
    path.write_bytes(data.draw(changed_bytes(text, len(text))))
    try:
        source = read_yaml(path)
        json.dumps(source.tree, default=str).encode()
        validate(source, RunConfig)
    except PimsimError as error:
        str(error).encode()


@fuzz(150)
@given(st.text(max_size=70) | st.from_regex(r"[-+]?[0-9.e]{1,6} ?[kmuµ%Vs*/^()²⁹ 0-9]{0,12}"))
def test_quantities(text):
    for unit in ("volt", ""):
        try:
            assert abs(parse_quantity(text, unit)) < float("inf")
        except ValueError as error:
            str(error).encode()


@fuzz(20)
@given(st.data())
def test_overrides(model, data):
    key = data.draw(st.sampled_from(["chips", "chip.array.rows", "device.states", "a.b[0].c", "x"]))
    value = data.draw(
        st.text(max_size=30) | st.sampled_from(["&a [*a]", "!!bool x", "0x" + "f" * 9999])
    )
    try:
        load_setup(model, {}, [f"{key}={value}"])
    except PimsimError as error:
        str(error).encode()


@pytest.fixture(scope="module")
def model(folder):
    return write_model(folder)


@pytest.fixture(scope="module")
def networks(folder):
    small = {"gru": random_gru(hidden=3, bits=2, thresholds=2), "lenet": random_lenet(),
             "tensor": random_tensor((4, 3))}  # fmt: skip
    return [write_network(network, folder / f"{name}.net") for name, network in small.items()]


def look_at(path) -> None:
    """Read a network, and use what was read."""
    try:
        workload = read_network(path)
        print_network(path, Console(file=io.StringIO(), width=80))
        shape = (2, 98, 40) if workload.has_steps else (2, 28, 28)
        if isinstance(workload.input, TensorInput):
            shape = (2, *workload.input.sizes)
        run_reference(workload, np.full(shape, 77, np.uint8))
    except PimsimError as error:
        str(error).encode()


@fuzz(40)
@given(data=st.data())
def test_bytes_of_networks(folder, networks, data):
    path = folder / "changed.safetensors"
    path.write_bytes(
        data.draw(changed_bytes(data.draw(st.sampled_from(networks)).read_bytes(), 4000))
    )
    look_at(path)


@fuzz(50)
@given(data=st.data())
def test_headers_of_networks(folder, networks, data):
    whole = data.draw(st.sampled_from(networks))
    raw = whole.read_bytes()
    head = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    header = data.draw(changed_tree(json.loads(head["__metadata__"]["pimsim"])))
    path = folder / "changed.safetensors"
    save_file(load_file(whole), path, metadata={"pimsim": json.dumps(header)})
    look_at(path)


@fuzz(40)
@given(data=st.data())
def test_tensors_of_networks(folder, networks, data):
    whole = data.draw(st.sampled_from(networks))
    raw = whole.read_bytes()
    head = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    tensors = load_file(whole)
    name = data.draw(st.sampled_from(sorted(tensors)))
    shape = tuple(data.draw(st.lists(st.integers(0, 12), max_size=4)))
    kind = data.draw(st.sampled_from(["i1", "i4", "i8", "u1", "f2", "f4", "f8", "?", "u8"]))
    value = data.draw(st.sampled_from([0, 1, -1, 100, np.inf, np.nan]))
    with np.errstate(invalid="ignore"):
        changed = np.full(shape, value).astype(kind)
        tensors[name] = changed if data.draw(st.booleans()) else tensors[name].astype(kind)
    path = folder / "changed.safetensors"
    save_file(tensors, path, metadata=head["__metadata__"])
    look_at(path)


@fuzz(40)
@given(data=st.data())
def test_wav(data):
    content = wav_bytes(np.arange(500))
    try:
        assert decode_wav(data.draw(changed_bytes(content, 50)), "w").shape == (CLIP_SAMPLES,)
    except PimsimError:
        pass


@fuzz(60)
@given(data=st.data())
def test_idx(folder, data):
    content = idx(IMAGES)
    if is_zipped := data.draw(st.booleans()):
        content = gzip.compress(content, mtime=0)
    path = folder / f"t10k-images-idx3-ubyte{'.gz' if is_zipped else ''}"
    path.write_bytes(data.draw(changed_bytes(content, 30)))
    (folder / "t10k-labels-idx1-ubyte").write_bytes(data.draw(changed_bytes(idx(IMAGES[0, 0]), 12)))
    try:
        assert read_idx(path, 3).ndim == 3
        load_idx(folder)
    except PimsimError:
        pass
    finally:
        path.unlink()


def npz_bytes(**arrays) -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


@fuzz(40)
@given(data=st.data())
def test_npz(folder, data):
    content = npz_bytes(features=np.arange(60, dtype=np.uint8), labels=np.arange(3))
    path = folder / "changed.npz"
    path.write_bytes(data.draw(changed_bytes(content, len(content))))
    try:
        assert read_npz(path, ["features"])[0].ndim >= 0
    except PimsimError:
        pass


@fuzz(40)
@given(data=st.data())
def test_data_of_users(folder, data):
    """Arrays of any shape and type under the names of a data set."""
    kinds = st.sampled_from(
        ["i1", "u1", "u8", "f2", "f4", ">f8", "c8", "?", "U3", "S2", "O", "i4,f4"]
    )
    shapes = st.lists(st.integers(0, 4), max_size=3).map(tuple)
    arrays = {"features": np.ones((3, 2), np.float32), "labels": np.arange(3)}
    names = ["features", "labels", "classes", "name", "kind", "taken", "is_synthetic", "other"]
    for name in data.draw(st.lists(st.sampled_from(names), max_size=3)):
        value = data.draw(st.sampled_from([0, 1, -1, np.inf, np.nan, 2**40]))
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            arrays[name] = np.full(data.draw(shapes), value).astype(data.draw(kinds))
    path = folder / "user.npz"
    np.savez(path, **arrays)
    content = path.read_bytes()
    if data.draw(st.booleans()):
        path.write_bytes(data.draw(changed_bytes(content, len(content))))
    try:
        assert len(load_npz(path).sha256) == 64
    except PimsimError as error:
        str(error).encode()


@fuzz(30)
@given(data=st.data())
def test_images_in_folders(folder, data):
    kind = data.draw(st.sampled_from(["png", "jpg", "bmp", "pgm"]))
    at = folder / "pictures" / "a"
    at.mkdir(parents=True, exist_ok=True)
    path = at / f"x.{kind}"
    out = io.BytesIO()
    Image.new("L", (5, 4), 77).save(out, {"jpg": "jpeg", "pgm": "ppm"}.get(kind, kind))
    path.write_bytes(data.draw(changed_bytes(out.getvalue(), len(out.getvalue()))))
    try:
        assert load_image_folder(folder / "pictures").features.dtype == np.uint8
    except PimsimError as error:
        str(error).encode()
    finally:
        path.unlink()


@fuzz(40)
@given(data=st.data())
def test_npy_headers(folder, data):
    """The header is Python text within a zip file: it is changed before its checksum is taken."""
    import zipfile

    plain = io.BytesIO()
    np.save(plain, np.arange(12, dtype=np.uint8).reshape(3, 4))
    path = folder / "header.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("features.npy", data.draw(changed_bytes(plain.getvalue(), 80)))
    try:
        assert read_npz(path, ["features"], 10_000)[0].nbytes <= 10_000
    except PimsimError:
        pass


PACK = {
    ".gz": lambda content: gzip.compress(content, 1, mtime=0),
    ".xz": lambda content: lzma.compress(content, preset=0),
}


def tar_bytes() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in ("a/yes/0.wav", f"{'long/' * 40}no/1.wav", "up/é.wav"):
            member = tarfile.TarInfo(name)
            member.size = 5
            archive.addfile(member, io.BytesIO(b"12345"))
    return out.getvalue()


@fuzz(40)
@given(data=st.data())
def test_archives(folder, data):
    pack = {
        ".gz": lambda b: gzip.compress(b, 1, mtime=0),
        ".xz": lambda b: lzma.compress(b, preset=0),
    }
    ending = data.draw(st.sampled_from(sorted(pack)))
    path = folder / f"changed.tar{ending}"
    if data.draw(st.booleans()):
        path.write_bytes(data.draw(changed_bytes(PACK[ending](tar_bytes()), 60)))
    else:
        path.write_bytes(PACK[ending](data.draw(changed_bytes(tar_bytes(), 3500))))
    try:
        for above, name, content in files_in_tar(path, ".wav", 1000):
            assert len(content) <= 1000
            assert "/" not in above + name
    except PimsimError:
        pass


@fuzz(60)
@given(data=st.data())
def test_csv(folder, data):
    content = b'device,noise.sigma_eval\nreram,0.5\n"pcm",1\n'
    path = folder / "points.csv"
    path.write_bytes(data.draw(changed_bytes(content, 60)))
    try:
        points = read_points(path)
        assert len({frozenset(point) for point in points}) == 1
        assert all(key and value for point in points for key, value in point.items())
    except PimsimError as error:
        str(error).encode()


@fuzz(60)
@given(data=st.data())
def test_measurements(folder, data):
    content = b'level;cell;time [s];current [uA]\n0;1;1;0.5\n"1";1;10;2\n'
    path = folder / "cells.csv"
    path.write_bytes(data.draw(changed_bytes(content, 80)))
    try:
        measured = read_measurements(path)
        assert all(np.isfinite(column).all() for column in measured.columns.values())
        fit_device(measured)
    except PimsimError as error:
        str(error).encode()


@pytest.fixture(scope="module")
def report(folder, model):
    return json.loads(json.dumps(describe_run(run(model, chips=2, limit=3, contributions=False))))


@fuzz(40)
@given(data=st.data())
def test_reports(folder, report, data):
    path = folder / "report.json"
    path.write_text(json.dumps(data.draw(changed_tree(report))))
    write_json(folder / "whole" / "report.json", report)
    try:
        describe_comparison([read_report(folder / "whole"), read_report(path)])
    except PimsimError as error:
        str(error).encode()


@fuzz(40)
@given(data=st.data())
def test_finished_points(folder, data):
    points = Points(folder)
    path = points.path(key_of("a point"))
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data.draw(changed_bytes(b'{"point": "a point", "values": [0.5, 1]}')))
    try:
        points.values("a point", lambda: np.ones(2))
        read_json(path)
    except PimsimError as error:
        str(error).encode()


@fuzz(12)
@given(data=st.data())
def test_recipes(folder, data):
    pytest.importorskip("torch")
    from pimsim.train.recipe import read_recipe

    text = (bundled_root() / "models" / "train" / "lenet5_w15.yaml").read_bytes()
    path = folder / "recipe.yaml"
    path.write_bytes(data.draw(changed_bytes(text, len(text))))
    try:
        recipe = read_recipe(path)
        assert all("/" not in stage.name for stage in recipe.stages)
    except PimsimError as error:
        str(error).encode()
