"""Fetching data sets, from a server on this machine."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from pimsim.cli.data import data
from pimsim.data import download
from pimsim.data.download import RemoteFile, RemoteSet, fetch
from pimsim.errors import DataError

CONTENT = b"digits" * 50_000


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        """Send what is asked for, or a redirection to what /to/ is followed by."""
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", bytes.fromhex(self.path.removeprefix("/to/")).decode())
            self.end_headers()
        else:
            super().do_GET()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "*")
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "set.gz").write_bytes(CONTENT)
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_address[1]}"
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def remote(server: str, name: str = "set.gz", **changes: object) -> RemoteFile:
    values = {"n_bytes": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest()} | changes
    return RemoteFile(f"{server}/{name}", **values)  # type: ignore[arg-type]


def test_file_is_fetched_whole(server: str, tmp_path: Path) -> None:
    told = []
    path = fetch(remote(server), tmp_path / "to", lambda *step: told.append(step))
    assert path.read_bytes() == CONTENT
    assert told[-1] == ("set.gz", len(CONTENT), len(CONTENT))
    assert [file.name for file in path.parent.iterdir()] == ["set.gz"]


def test_file_that_is_there_is_not_fetched_again(server: str, tmp_path: Path) -> None:
    fetch(remote(server), tmp_path)
    told: list[object] = []
    fetch(remote("http://127.0.0.1:1"), tmp_path, lambda *step: told.append(step))
    assert not told


def test_damaged_file_is_fetched_anew(server: str, tmp_path: Path) -> None:
    (tmp_path / "set.gz").write_bytes(b"half")
    assert fetch(remote(server), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"sha256": "0" * 64},
            r"set\.gz came with SHA-256 \w{64}; expected SHA-256 0{64}\. Nothing",
        ),
        ({"n_bytes": 400_000}, r"set\.gz came with 300000 bytes; expected 400000 bytes"),
        ({"n_bytes": 100_000}, r"set\.gz came with \d+ bytes or more; expected 100000 bytes"),
        ({"name": "none.gz"}, r"none\.gz cannot be fetched \(HTTP Error 404"),
    ],
)
def test_other_content_is_refused_and_nothing_is_kept(
    server: str, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    folder = tmp_path / "to"
    with pytest.raises(DataError, match=message):
        fetch(remote(server, **changes), folder)  # type: ignore[arg-type]
    assert not list(folder.iterdir())


def test_no_network_is_told_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(DataError, match=r"cannot be fetched \(.*refused\)\. Check the network; or"):
        fetch(remote("http://127.0.0.1:1"), tmp_path)


@pytest.mark.parametrize(
    "target",
    ["http://[::1", "http://a..b/", f"http://{'x' * 70}/", "http://a:b/", "file:///etc/passwd",
     "http://\u00e9.\u00e9:99999999/", "//", "http://a b/"],
)  # fmt: skip
def test_a_redirection_to_no_address_is_told(server: str, tmp_path: Path, target: str) -> None:
    folder = tmp_path / "to"
    with pytest.raises(DataError, match=r"(?s)cannot be fetched \(.*\)\. Check the network; or"):
        fetch(remote(server, f"to/{target.encode().hex()}"), folder)
    assert not folder.exists() or not list(folder.iterdir())


def test_folder_that_cannot_be_written_is_told(server: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match=r"cannot be written \(.*\)\. Name a folder that can be"):
        fetch(remote(server), tmp_path / "file")


def test_unknown_set_is_told_the_nearest() -> None:
    with pytest.raises(DataError, match=r"no download called 'mnits'\. Did you mean 'mnist'"):
        download.get("mnits")


def test_command_fetches_and_says_where(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets = {"mnist": RemoteSet("mnist", "CC BY-SA 3.0", (remote(server),))}
    monkeypatch.setattr(download, "REMOTE_SETS", sets)
    result = CliRunner().invoke(data, ["get", "mnist", "--to", str(tmp_path / "sets")])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "sets" / "mnist" / "set.gz").read_bytes() == CONTENT
    assert f"mnist is in {tmp_path}/sets/mnist (CC BY-SA 3.0)" in result.output
    assert f"export PIMSIM_DATA={tmp_path}/sets" in result.output


def test_command_lists_every_set(no_data: Path) -> None:
    result = CliRunner().invoke(data, ["list"])
    assert result.exit_code == 0, result.output
    for name in ("synthetic-speech", "mnist-1000", "speech-commands-test", "mnist-test"):
        assert name in result.output
    assert "in the package" in result.output
