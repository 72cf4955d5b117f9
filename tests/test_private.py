"""Folders that other users could change are not used."""

from __future__ import annotations

import os
import pickle
import stat

import pytest

from pimsim import private, units

pytestmark = pytest.mark.skipif(os.name != "posix", reason="users as POSIX has them")


@pytest.mark.parametrize(
    ("mode", "said"),
    [(0o700, ""), (0o755, ""), (0o775, "can be written"), (0o777, "can be written"),
     (0o1777, "can be written")],
)  # fmt: skip
def test_the_folder_itself_is_written_by_its_owner_alone(tmp_path, mode, said):
    folder = tmp_path / "own"
    folder.mkdir()
    folder.chmod(mode)
    found = private.trouble_with(folder)
    assert (said in found) if said else not found


@pytest.mark.parametrize(
    ("mode", "said"), [(0o755, ""), (0o1777, ""), (0o775, ""), (0o777, "can be written")]
)
def test_a_folder_above_may_be_shared_if_it_is_sticky(tmp_path, mode, said):
    above = tmp_path / "above"
    (above / "own").mkdir(parents=True)
    (above / "own").chmod(0o700)
    above.chmod(mode)
    for folder in (above / "own", above / "not made yet" / "below"):
        found = private.trouble_with(folder)
        assert (said in found) if said else not found


def test_folders_of_other_users_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(private.os, "getuid", lambda: 54321)
    assert "belongs to another user" in private.trouble_with(tmp_path)


def test_a_link_is_judged_by_where_it_leads(tmp_path):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "link").symlink_to(tmp_path / "open")
    assert "can be written" in private.trouble_with(tmp_path / "link")
    (tmp_path / "round").symlink_to(tmp_path / "round")
    assert private.trouble_with(tmp_path / "round")


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    assert "is no folder" in private.trouble_with(tmp_path / "file")


def test_folders_are_made_for_the_user_alone(tmp_path):
    before = os.umask(0)
    try:
        private.make_private(tmp_path / "a" / "b")
    finally:
        os.umask(before)
    for folder in (tmp_path / "a", tmp_path / "a" / "b"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not private.trouble_with(tmp_path / "a" / "b")


@pytest.mark.parametrize("is_open", [True, False])
def test_matplotlib_gets_a_folder_of_its_own_where_others_could_change_its_settings(
    tmp_path, monkeypatch, is_open
):
    folder = tmp_path / "settings"
    folder.mkdir()
    folder.chmod(0o777 if is_open else 0o700)
    monkeypatch.setattr(private.atexit, "register", lambda *_, **__: None)
    monkeypatch.setattr(private.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("MPLCONFIGDIR", str(folder))
    said = private.guard_matplotlib.__wrapped__()
    assert bool(said) == is_open
    assert (os.environ["MPLCONFIGDIR"] == str(folder)) != is_open
    assert not private.trouble_with(private.matplotlib_folders()[0])


@pytest.mark.parametrize("how", ["damaged", "planted", "open to others"])
def test_definitions_of_units_come_from_a_folder_that_nobody_else_can_change(
    tmp_path, monkeypatch, how
):
    monkeypatch.setattr(units.platformdirs, "user_cache_path", lambda *_, **__: tmp_path)
    fresh = units._registry.__wrapped__
    assert fresh().Quantity("600 mV").to("V").magnitude == pytest.approx(0.6)
    (folder,) = tmp_path.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    kept = sorted(folder.glob("*.pickle"))
    marker = tmp_path / "marker"
    for path in kept:
        whole = path.read_bytes()
        path.write_bytes(
            whole[: len(whole) // 2] if how == "damaged" else pickle.dumps(Planted(marker))
        )
    if how != "damaged":
        folder.chmod(0o777)
    if how == "planted":
        monkeypatch.setattr(private.os, "getuid", lambda: 54321)
    assert fresh().Quantity("600 mV").to("V").magnitude == pytest.approx(0.6)
    assert not marker.exists()
    if how == "damaged":
        assert all(path.stat().st_size > 100 for path in kept)


class Planted:
    """A pickle that makes a file when it is read."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return type(self.marker).touch, (self.marker,)


def test_without_a_choice_matplotlib_looks_below_home(tmp_path, monkeypatch):
    for key in ("MPLCONFIGDIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    monkeypatch.setattr(private.sys, "platform", "linux")
    wanted = [tmp_path / ".config" / "matplotlib", tmp_path / "elsewhere" / "matplotlib"]
    assert private.matplotlib_folders() == wanted
