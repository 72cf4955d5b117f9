"""Files made to do harm: they are refused in a moment, and before memory is taken for them."""

from __future__ import annotations

import dataclasses
import gzip
import io
import itertools
import json
import lzma
import os
import tarfile
import tracemalloc
import zipfile
import zlib
from contextlib import contextmanager

import numpy as np
import pytest
from data_files import idx, wav_bytes
from files import write_model
from networks import random_gru, random_lenet
from safetensors.numpy import load_file, save_file

from pimsim.config import read_yaml
from pimsim.data import speech_commands
from pimsim.data.archives import files_in_tar
from pimsim.data.arrays import read_npz
from pimsim.data.frontend import read_wav
from pimsim.data.mnist import read_idx
from pimsim.devices.measurements import read_measurements
from pimsim.errors import ConfigError, DataError, MappingError, PimsimError
from pimsim.files import open_regular, parse_json, read_json, read_text
from pimsim.simulate.backends.decisions import probability_tables
from pimsim.studies.axes import read_points
from pimsim.studies.prepare import prepare
from pimsim.units import parse_quantity
from pimsim.workload import read_network, write_network

RECIPE = """\
name: x
network: {{kind: gru}}
data: {{kind: speech_commands}}
stages:
  - {{name: {name}, epochs: 1, learning_rate: 0.1, neuron: {{kind: continuous}}}}
"""


@contextmanager
def memory_below(n_bytes: int):
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < n_bytes
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 0x" + "f" * 5000, "too long for a number"),
        ("a: 1" + "0" * 9000, "too long for a number"),
        ("a: !!bool x", "is 'x', which is no bool"),
        ("a: !!int ''", "is '', which is no int"),
        ("a: !!python/object/apply:os.system [true]", "has the tag"),
        ('a: "\\ud800"', "holds .ud800, which is no letter"),
        ("? [a]\n: 1", "has a key that is no plain word"),
        ("a: &a [*a, *a]", "nested too deeply or too large"),
        ("a: &a [x, x, x, x]\n" + "".join(f"b{i}: &b{i} [{', '.join(['*' + was] * 9)}]\n"
         for i, was in enumerate(["a", *(f"b{k}" for k in range(9))])), "too deeply or too large"),
        ("[" * 3000, "is no valid YAML"),
        ("#" * 300_000, "is longer than 200000 bytes"),
    ],
)  # fmt: skip
def test_yaml_bombs(tmp_path, text, message):
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_yaml(path)


@pytest.mark.parametrize(
    "text", ["9⁹⁹⁹⁹⁹⁹⁹⁹⁹ V", "9^9^9^9 V", "9**9**9 V", "9 V 9", "V", "1%0 V", "1 V/9⁹⁹⁹"]
)
def test_quantities_are_not_reckoned(text):
    with pytest.raises(ValueError, match="write the number out|expected a quantity"):
        parse_quantity(text, "volt")


@pytest.mark.parametrize("read", [read_yaml, read_network, read_text, read_json, read_points,
                                  read_measurements, lambda path: read_npz(path, ["a"]), read_wav,
                                  lambda path: read_idx(path, 1),
                                  lambda path: list(files_in_tar(path, ".wav", 10))],
)  # fmt: skip
def test_pipes_folders_and_missing_files_are_no_files(tmp_path, read):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "none"):
        with pytest.raises(PimsimError) as caught:
            read(path)
        assert str(path) in str(caught.value)


def test_a_checkpoint_that_is_a_pipe_is_refused(tmp_path):
    pytest.importorskip("torch")
    from pimsim.train.checkpoint import read_checkpoint

    os.mkfifo(tmp_path / "pipe.pt")
    with pytest.raises(DataError, match=r"pipe\.pt is no file\. Name a \.pt file"):
        read_checkpoint(tmp_path / "pipe.pt")


def tar_of(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def test_archives_give_names_not_paths_and_no_links(tmp_path):
    path = tmp_path / "a.tar.gz"
    names = ["../../yes/../../etc/x.wav", "/etc/no/y.wav"]
    path.write_bytes(gzip.compress(tar_of(
        *((member(name), b"1") for name in names),
        (member("yes/link.wav", tarfile.SYMTYPE, "/etc/passwd"), b""),
        (member("yes/hard.wav", tarfile.LNKTYPE, "/etc/passwd"), b""),
        (member("yes/device.wav", tarfile.CHRTYPE), b""),
        (member("yes/pipe.wav", tarfile.FIFOTYPE), b""),
    )))  # fmt: skip
    found = list(files_in_tar(path, ".wav", 10))
    assert found == [("etc", "x.wav", b"1"), ("no", "y.wav", b"1")]
    assert [p.name for p in tmp_path.iterdir()] == ["a.tar.gz"]


def test_long_names_and_negative_sizes_in_archives(tmp_path):
    path = tmp_path / "a.tar.gz"
    for kind in (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE):
        path.write_bytes(gzip.compress(tar_of((member("x", kind), b"7" * 4_000_000)), 1))
        with memory_below(1 << 20), pytest.raises(DataError, match="a header of 4000000 bytes"):
            list(files_in_tar(path, ".wav", 10))
    raw = bytearray(tar_of((member("yes/a.wav"), b"1")))
    raw[124:136] = b"\xff" * 12
    raw[148:156] = b" " * 8
    raw[148:156] = b"%06o\0 " % sum(raw[:512])
    path.write_bytes(gzip.compress(raw))
    with pytest.raises(DataError, match="is damaged"):
        list(files_in_tar(path, ".wav", 10))


def test_sparse_files_in_archives_are_refused(tmp_path):
    """Their maps of holes have no bound: 100 MiB of them would be 4 million pairs of numbers."""
    path = tmp_path / "a.tar.gz"
    old = bytearray(tar_of((member("yes/a.wav"), b"")))[:512]
    old[156:157] = tarfile.GNUTYPE_SPARSE
    old[482] = 1  # a further block of the map follows, and so on
    old[148:156] = b" " * 8
    old[148:156] = b"%06o\0 " % sum(old)
    block = (b"%011o\0" % 1) * 42 + b"\1" + bytes(7)
    path.write_bytes(gzip.compress(bytes(old) + block * 200_000, 1))
    with memory_below(1 << 22), pytest.raises(DataError, match="is damaged .a sparse file"):
        list(files_in_tar(path, ".wav", 10))
    for keys in ({"GNU.sparse.map": "0,1"}, {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"},
                 {"GNU.sparse.size": "5"}):  # fmt: skip
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
            sparse = member("yes/a.wav")
            sparse.pax_headers, sparse.size = keys, 1 << 20
            archive.addfile(sparse, io.BytesIO(b"1\n" * (1 << 19)))
        path.write_bytes(gzip.compress(out.getvalue(), 1))
        with memory_below(1 << 22), pytest.raises(DataError, match="a sparse file"):
            list(files_in_tar(path, ".wav", 10))


def test_headers_in_a_row_are_refused(tmp_path):
    path = tmp_path / "a.tar.gz"
    one = bytes(tar_of((member("x", tarfile.XHDTYPE), b"9 a=bcde\n")))[:1024]
    path.write_bytes(gzip.compress(one * 20_000, 1))
    with pytest.raises(DataError, match="is damaged .maximum recursion"):
        list(files_in_tar(path, ".wav", 10))


def test_xz_that_asks_for_much_memory_is_refused(tmp_path):
    path = tmp_path / "a.tar.xz"
    # the dictionary's size stands in the header of the block, with a checksum over it
    whole = bytearray(lzma.compress(tar_of((member("yes/a.wav"), b"1"))))
    size = (whole[12] + 1) * 4
    assert whole[14:16] == bytes([0x21, 1])
    whole[16] = 40  # 4 GiB - 1, the most that the format knows
    whole[12 + size - 4 : 12 + size] = zlib.crc32(whole[12 : 12 + size - 4]).to_bytes(4, "little")
    path.write_bytes(whole)
    with memory_below(1 << 22), pytest.raises(DataError, match="Memory usage limit"):
        list(files_in_tar(path, ".wav", 10))


@pytest.mark.parametrize("parts", [1, 3])
def test_xz_in_several_streams_is_read(tmp_path, parts):
    """As `xz` and its parallel kin write them, with padding of zeros between and after."""
    whole = tar_of((member("yes/a.wav"), b"12"), (member("yes/b.wav"), b"3" * 70_000))
    cuts = [len(whole) * k // parts for k in range(parts + 1)]
    packed = [lzma.compress(whole[a:b]) + bytes(4) for a, b in itertools.pairwise(cuts)]
    path = tmp_path / "a.tar.xz"
    path.write_bytes(b"".join(packed))
    found = list(files_in_tar(path, ".wav", 70_000))
    assert found == [("yes", "a.wav", b"12"), ("yes", "b.wav", b"3" * 70_000)]
    path.write_bytes(packed[0][:-20])
    with pytest.raises(DataError, match="is damaged"):
        list(files_in_tar(path, ".wav", 70_000))


def test_a_file_that_grows_is_not_read_without_end(tmp_path):
    """As one that another program appends to; or one of /proc, whose length is 0."""
    path = tmp_path / "a"
    path.write_bytes(b"1" * 100)
    for read in (lambda file: file.read(), lambda file: file.read(4000), list):
        with (
            pytest.raises(ConfigError, match="is longer than 200 bytes"),
            open_regular(path, "a file", 200) as file,
        ):
            path.write_bytes(b"1" * 5000)
            read(file)
        path.write_bytes(b"1" * 100)
        with open_regular(path, "a file", 200) as file:
            read(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": NaN}', "NaN is no number"),
        ("[-Infinity]", "-Infinity is no number"),
        ("[1e999]", "'1e999' is too large"),
        ("[" * 200 + "]" * 200, "nested too deeply"),
        ('{"a":' * 200 + "1" + "}" * 200, "nested too deeply"),
        ("[" * 100_000, "nested too deeply"),
        ("[1,]", "Expecting value"),
        ("9" * 5000, "Exceeds the limit"),
    ],
)
def test_json_that_is_none(text, message):
    with pytest.raises(ValueError, match=message):
        parse_json(text)


def test_json_is_read_as_it_is():
    tree = {"a": [1, 2.5, None, True, "x", [[[{}]]]], "b": -1e-300}
    assert parse_json(json.dumps(tree)) == tree


def test_too_many_files_and_clips(tmp_path, monkeypatch):
    monkeypatch.setattr("pimsim.data.archives.MAX_FILES", 3)
    path = tmp_path / "a.tar.xz"
    path.write_bytes(lzma.compress(tar_of(*((member(f"a/{i}.txt"), b"") for i in range(4)))))
    with pytest.raises(DataError, match="holds more than 3 files"):
        list(files_in_tar(path, ".wav", 10))
    monkeypatch.setattr(speech_commands, "MAX_TEST_CLIPS", 11)
    for name in speech_commands.FOLDERS:
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.wav").write_bytes(wav_bytes(np.arange(9)))
    with pytest.raises(DataError, match="holds more than 11 clips"):
        speech_commands.load_test_folder(tmp_path)


@pytest.mark.parametrize("pack", [gzip, lzma], ids=["gz", "xz"])
def test_archives_that_unpack_without_end(tmp_path, monkeypatch, pack):
    monkeypatch.setattr("pimsim.data.archives.MAX_UNPACKED_BYTES", 1 << 23)
    path = tmp_path / f"a.tar.{'xz' if pack is lzma else 'gz'}"
    path.write_bytes(pack.compress(tar_of((member("yes/a.wav"), bytes(1 << 22)))))
    with memory_below(1 << 24), pytest.raises(DataError, match="bytes; 1000 are the most for one"):
        list(files_in_tar(path, ".wav", 1000))
    path.write_bytes(pack.compress(tar_of((member("yes/a.txt"), bytes((1 << 23) + 1)))))
    with memory_below(1 << 24), pytest.raises(DataError, match="unpacks to more than 8 MiB"):
        list(files_in_tar(path, ".wav", 1000))


def test_arrays_that_promise_much(tmp_path):
    path = tmp_path / "t10k-images-idx3-ubyte"
    path.write_bytes(idx(np.zeros(3, np.uint8), (2**31, 2**31, 2**31)))
    with memory_below(1 << 22), pytest.raises(DataError, match="promises an array"):
        read_idx(path, 3)
    path = tmp_path / "a.npz"
    for shape, message in (((2**40,), "promises an array"), ((2**28,), "not as long as its")):
        head = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            head, {"shape": shape, "fortran_order": False, "descr": "|u1"}
        )
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("features.npy", head.getvalue())
        with memory_below(1 << 22), pytest.raises(DataError, match=message):
            read_npz(path, ["features"])


def test_nothing_is_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    np.savez(tmp_path / "a.npz", features=np.array([Trap()], object))
    with pytest.raises(DataError, match="holds Python objects in 'features'"):
        read_npz(tmp_path / "a.npz", ["features"])
    torch = pytest.importorskip("torch")
    from pimsim.train.checkpoint import read_checkpoint

    torch.save({"recipe": Trap()}, tmp_path / "checkpoint.pt")
    with pytest.raises(DataError, match="is no checkpoint"):
        read_checkpoint(tmp_path / "checkpoint.pt")
    assert not (tmp_path / "sprung").exists()


def test_arrays_come_back_as_they_were(tmp_path):
    features, labels = np.arange(24, dtype="u1").reshape(2, 3, 4), np.array([[1, 2], [3, 4]]).T
    np.savez_compressed(tmp_path / "a.npz", features=features, labels=labels)
    read = read_npz(tmp_path / "a.npz", ("labels", "features"))
    assert np.array_equal(read[0], labels)
    assert np.array_equal(read[1], features)
    with pytest.raises(DataError, match="lacks an array"):
        read_npz(tmp_path / "a.npz", ("other",))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h: h["nodes"][1].update(padding=10**7), "padding of 10000000 and a dilation"),
        (lambda h: h["encoder"].update(padding=10**7), "padding of 10000000 and a dilation"),
        (lambda h: h["nodes"][1].update(stride=1.5), "stride is 1.5, which is no whole number"),
        (lambda h: h["nodes"][1].update(kernel=True), "kernel is True, which is no whole number"),
        (lambda h: h["nodes"][1]["matrix"].update(alpha="1"), "alpha is '1', which is no number"),
        (lambda h: h.update(name="a\x1b[2Jb"), "is no name"),
        (lambda h: h.update(name=["a"]), "is no name"),
        (lambda h: h.update(classes="0123456789"), "classes is '0123456789', which is no list"),
        (lambda h: h["nodes"][0].update(inputs={"encoder": 5}), "which is no list"),
        (lambda h: h.update(provenance=[["a", 1]]), "which is no table"),
        (lambda h: h.update(provenance={"a": float("nan")}), "NaN is no number"),
        (lambda h: h.update(provenance={"a": [float("-inf")]}), "-Infinity is no number"),
    ],
)
def test_networks_that_ask_for_much_or_for_something_else(tmp_path, change, message):
    path = write_network(random_lenet(), tmp_path / "n.safetensors")
    raw = path.read_bytes()
    head = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    header = json.loads(head["__metadata__"]["pimsim"])
    change(header)
    save_file(load_file(path), path, metadata={"pimsim": json.dumps(header)})
    with pytest.raises(DataError, match=message):
        read_network(path)


def test_tensors_of_complex_numbers_are_refused(tmp_path):
    path = write_network(random_gru(), tmp_path / "n.safetensors")
    raw = path.read_bytes()
    head = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    tensors = load_file(path)
    tensors["output.weights"] = tensors["output.weights"].astype(np.complex64)
    save_file(tensors, path, metadata=head["__metadata__"])
    with pytest.raises(DataError, match=r"output\.weights holds complex64; real numbers"):
        read_network(path)


@pytest.mark.slow
def test_the_largest_network_takes_less_than_a_gigabyte(tmp_path):
    path = write_network(random_gru(), tmp_path / "n.safetensors")
    raw = path.read_bytes()
    head = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    for name, shape, kind in (
        ("encoder.weights", (40, 800_000), "f4"),
        ("gru0.gate.levels", (30_000, 4_000), "i1"),
    ):
        tensors = load_file(path) | {name: np.zeros(shape, kind)}
        save_file(tensors, tmp_path / "large.safetensors", metadata=head["__metadata__"])
        with memory_below(1 << 29), pytest.raises(DataError):
            read_network(tmp_path / "large.safetensors")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"a,a\n1,2\n", "has a key twice"),
        (b"a,a \n1,2\n", "has a key twice"),
        (b"a,\n1,2\n", "has an empty key"),
        (b"a\n" + b"1\n" * 100_001, "points; 1 to 100,000 are taken"),
        (b",".join(b"%d" % n for n in range(33)), "has 33 keys; 1 to 32 are taken"),
        (b'a\n"1\n', "is no table"),
        (b"a\n\xff\n", "is not UTF-8 text"),
        (b"x" * (1 << 24) + b"x", "is longer than"),
    ],
)
def test_tables_that_are_none(tmp_path, text, message):
    (tmp_path / "p.csv").write_bytes(text)
    with pytest.raises(ConfigError, match=message):
        read_points(tmp_path / "p.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"level,current [A]\n0,1\n" + b"1" * 9000, "a line of more than 8,192 characters"),
        (b"l" * 9000, "a line of more than 8,192 characters"),
        (b'level,current [A]\n0,"' + b"1\n" * 90_000, "is no table"),
        (b"level,current [A]\n0,\xff\n", "is not UTF-8 text"),
        (b"level,current [9**9**9 A]\n0,1\n", "which is no unit of current"),
    ],
)
def test_measurements_that_are_none(tmp_path, text, message):
    (tmp_path / "m.csv").write_bytes(text)
    with memory_below(1 << 25), pytest.raises(DataError, match=message):
        read_measurements(tmp_path / "m.csv")


def test_a_table_of_a_spreadsheet_is_read(tmp_path):
    (tmp_path / "p.csv").write_bytes(b"\xef\xbb\xbfdevice,chip\r\nreram,a\r\n")
    assert read_points(tmp_path / "p.csv") == [{"device": "reram", "chip": "a"}]


def test_nested_json_is_refused(tmp_path):
    (tmp_path / "a.json").write_text("[" * 100_000)
    with pytest.raises(ConfigError, match="is no JSON"):
        read_json(tmp_path / "a.json")


def test_a_stage_of_a_recipe_names_no_place(tmp_path):
    pytest.importorskip("torch")
    from pimsim.train.recipe import read_recipe

    for name in ("../../x", "/x", "a/b", "", ".."):
        (tmp_path / "r.yaml").write_text(RECIPE.format(name=json.dumps(name)))
        with pytest.raises(ConfigError, match="stages\\[0\\].name is"):
            read_recipe(tmp_path / "r.yaml")


def test_noise_that_would_fill_the_memory_is_refused(tmp_path):
    """A table of decisions has 8 bytes for each quantum that noise reaches."""
    network = random_gru()
    layer = network.nodes[0].layer
    wide = dataclasses.replace(layer.gate, preactivation_range=1e7)
    nodes = (
        dataclasses.replace(network.nodes[0], layer=dataclasses.replace(layer, gate=wide)),
        *network.nodes[1:],
    )
    model = write_model(tmp_path, network=dataclasses.replace(network, nodes=nodes))
    prepared = prepare(str(model))
    tile = prepared.chip(prepared.setup.noise).tiles[0]
    with memory_below(1 << 22), pytest.raises(MappingError, match="of gru0.gate reaches over"):
        probability_tables(tile)
