"""Speech Commands: folders, archives and the split."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from data_files import wav_bytes

from pimsim.data import archives, load
from pimsim.data.frontend import N_BANDS, N_FRAMES, logmel
from pimsim.data.speech_commands import (
    CLASSES,
    load_background,
    load_test_archive,
    load_test_folder,
    load_training_logmels,
    which_set,
)
from pimsim.errors import DataError


def pack(folder: Path, archive: Path) -> Path:
    with tarfile.open(archive, f"w:{archive.suffix[1:]}") as tar:
        tar.add(folder, arcname=".")
    return archive


def test_folder_gives_every_class_in_order(speech_folder: Path) -> None:
    dataset = load_test_folder(speech_folder)
    assert dataset.classes == CLASSES
    assert dataset.labels.tolist() == sorted([*range(12)] * 2)
    assert dataset.features.shape == (24, 98, 40)
    # the second clip of each pair is half as long, and centred
    assert not dataset.features[1::2, :20].any()
    assert dataset.features[1::2, 49].max() > 150


@pytest.mark.parametrize("suffix", ["gz", "xz"])
def test_archive_gives_the_same_as_its_folder(
    speech_folder: Path, tmp_path: Path, suffix: str
) -> None:
    archive = pack(speech_folder, tmp_path / f"set.tar.{suffix}")
    assert load_test_archive(archive).sha256 == load_test_folder(speech_folder).sha256


def test_foreign_folders_and_files_are_ignored(speech_folder: Path) -> None:
    expected = load_test_folder(speech_folder).sha256
    (speech_folder / "marvin").mkdir()
    (speech_folder / "marvin" / "a.wav").write_bytes(b"no sound")
    (speech_folder / "yes" / "notes.txt").write_text("hello")
    assert load_test_folder(speech_folder).sha256 == expected


def test_hidden_files_are_left_out(speech_folder: Path, tmp_path: Path) -> None:
    """AppleDouble files lie beside the clips of folders and archives that macOS has written."""
    expected = load_test_folder(speech_folder).sha256
    for name in ("yes", "_silence_"):
        (speech_folder / name / "._a.wav").write_bytes(b"\0\5\26\7\0\2\0\0Mac OS X        ")
    assert load_test_folder(speech_folder).sha256 == expected
    archive = pack(speech_folder, tmp_path / "set.tar.gz")
    with tarfile.open(archive) as tar:
        assert "./yes/._a.wav" in tar.getnames()
    assert load_test_archive(archive).sha256 == load(archive).sha256 == expected


def test_missing_class_folder_is_refused(speech_folder: Path) -> None:
    shutil.rmtree(speech_folder / "up")
    for file in (speech_folder / "go").iterdir():
        file.unlink()
    with pytest.raises(DataError, match=r"speech has no wav files in up, go\. A speech set has"):
        load_test_folder(speech_folder)


def test_empty_and_missing_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no wav files in _silence_, _unknown_, yes"):
        load_test_folder(tmp_path)
    with pytest.raises(DataError, match=r"none is not a folder\. A speech set has"):
        load_test_folder(tmp_path / "none")


def test_bad_wav_in_a_folder_is_named(speech_folder: Path) -> None:
    (speech_folder / "stop" / "c.wav").write_bytes(b"RIFFxxxx")
    with pytest.raises(DataError, match=r"stop/c\.wav is not a PCM wav file"):
        load_test_folder(speech_folder)


def test_bad_wav_in_an_archive_is_named(speech_folder: Path, tmp_path: Path) -> None:
    (speech_folder / "stop" / "c.wav").write_bytes(b"RIFFxxxx")
    archive = pack(speech_folder, tmp_path / "set.tar.gz")
    with pytest.raises(DataError, match=r"set\.tar\.gz/stop/c\.wav is not a PCM wav file"):
        load_test_archive(archive)


@pytest.mark.parametrize("suffix", ["gz", "xz"])
def test_damaged_archive_is_refused(speech_folder: Path, tmp_path: Path, suffix: str) -> None:
    archive = pack(speech_folder, tmp_path / f"set.tar.{suffix}")
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=rf"set\.tar\.{suffix} (is damaged|cannot be read)"):
        load_test_archive(archive)
    archive.write_bytes(b"no archive at all")
    with pytest.raises(DataError, match=rf"set\.tar\.{suffix} (is damaged|cannot be read)"):
        load_test_archive(archive)


def test_archive_with_another_checksum_is_refused(speech_folder: Path, tmp_path: Path) -> None:
    archive = pack(speech_folder, tmp_path / "set.tar.gz")
    content = bytearray(archive.read_bytes())
    content[-8] ^= 1
    archive.write_bytes(content)
    with pytest.raises(DataError, match=r"set\.tar\.gz is damaged \(CRC check failed"):
        load_test_archive(archive)


def test_archive_writes_nothing_and_follows_no_links(speech_folder: Path, tmp_path: Path) -> None:
    archive = tmp_path / "set.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(speech_folder, arcname="../../outside")
        link = tarfile.TarInfo("x/yes/link.wav")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    before = sorted(tmp_path.rglob("*"))
    assert len(load_test_archive(archive)) == 24
    assert sorted(tmp_path.rglob("*")) == before


def test_archive_that_unpacks_to_too_much_is_refused(
    speech_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = pack(speech_folder, tmp_path / "set.tar.gz")
    monkeypatch.setattr(archives, "MAX_UNPACKED_BYTES", 1 << 18)
    with pytest.raises(DataError, match=r"set\.tar\.gz unpacks to more than 0 MiB"):
        load_test_archive(archive)


def test_large_member_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "set.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        member = tarfile.TarInfo("yes/big.wav")
        member.size = 2_000_000
        tar.addfile(member, io.BytesIO(bytes(member.size)))
    with pytest.raises(DataError, match=r"holds 'yes/big\.wav' of 2000000 bytes; 1048576 are"):
        load_test_archive(archive)


def test_split_rule_keeps_a_speaker_together() -> None:
    assert which_set("yes/004ae714_nohash_0.wav") == which_set("no/004ae714_nohash_7.no.jpg")


def test_split_rule_gives_its_shares() -> None:
    parts = Counter(which_set(f"{k:08x}_nohash_0.wav") for k in range(20_000))
    assert parts["validation"] / 20_000 == pytest.approx(0.1, abs=0.01)
    assert parts["testing"] / 20_000 == pytest.approx(0.1, abs=0.01)


def write_jpeg(path: Path, size: tuple[int, int] = (N_BANDS, N_FRAMES), mode: str = "L") -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    path.parent.mkdir(parents=True, exist_ok=True)
    image.new(mode, size).save(path)


def test_training_logmels_are_split_by_speaker(tmp_path: Path) -> None:
    root = tmp_path / "jpegs"
    for k in range(40):
        write_jpeg(root / "yes" / f"{k:08x}_nohash_0.yes.jpg")
        write_jpeg(root / "unknown" / f"{k:08x}_nohash_0.bed.jpg")
        write_jpeg(root / "_background_noise_" / f"{k}_background.jpg")
    training, validation = load_training_logmels(root)
    count = Counter(which_set(f"{k:08x}_nohash_0.yes.jpg") for k in range(40))
    assert np.bincount(training.labels).tolist()[1:] == [count["training"]] * 2
    assert np.bincount(validation.labels).tolist()[1:] == [count["validation"]] * 2
    assert np.count_nonzero(training.labels == 0) + np.count_nonzero(validation.labels == 0) == 40
    assert set(training.words) == {"background", "bed", "yes"}
    again, _ = load_training_logmels(pack(root, tmp_path / "jpegs.tar.xz"))
    assert np.array_equal(again.features, training.features)
    assert np.array_equal(again.words, training.words)


@pytest.mark.parametrize(
    ("size", "mode", "message"),
    [
        ((30, 98), "L", r"is a L image of 98 by 30 pixels; a grey one of 98 rows and 40"),
        ((40, 98), "RGB", r"is a RGB image of 98 by 40 pixels"),
    ],
)
def test_other_image_is_refused(
    tmp_path: Path, size: tuple[int, int], mode: str, message: str
) -> None:
    write_jpeg(tmp_path / "yes" / "0_nohash_0.yes.jpg", size, mode)
    with pytest.raises(DataError, match=message):
        load_training_logmels(tmp_path)


def test_broken_image_and_empty_folder_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("PIL", reason="Pillow is not installed")
    with pytest.raises(DataError, match=r"holds no log-mel JPEGs\. Point at the folder"):
        load_training_logmels(tmp_path)
    (tmp_path / "yes").mkdir()
    (tmp_path / "yes" / "0_nohash_0.yes.jpg").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"0_nohash_0\.yes\.jpg is not a JPEG"):
        load_training_logmels(tmp_path)


def test_background_is_cut_into_windows_of_a_second(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    long, short = (rng.integers(-99, 99, n).astype(np.int16) for n in (48_000, 16_000))
    for name, samples in {"b.wav": long, "a.wav": short}.items():
        path = tmp_path / "noise" / "_background_noise_" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(wav_bytes(samples))
    found = load_background(pack(tmp_path / "noise", tmp_path / "background_noise.tar.xz"))
    # of three seconds the first 85 % hold 16 windows, of one second none
    starts = range(0, int(48_000 * 0.85) - 16_000, 1_600)
    assert np.array_equal(found, logmel(np.stack([long[k : k + 16_000] for k in starts])))


def test_an_archive_without_background_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.wav").write_bytes(wav_bytes(np.zeros(16_000, np.int16)))
    with pytest.raises(DataError, match=r"holds no _background_noise_/\*\.wav"):
        load_background(pack(tmp_path / "other", tmp_path / "background_noise.tar.xz"))


@pytest.mark.slow
def test_real_test_set_is_read(real: Callable[[str], Path]) -> None:
    real("speech-commands-test")
    dataset = load("speech-commands-test")
    assert len(dataset) in (2443, 4890)
    assert np.bincount(dataset.labels, minlength=12).min() > 190


@pytest.mark.slow
def test_wavs_and_training_jpegs_are_of_one_kind(real: Callable[[str], Path]) -> None:
    """No clip exists in both forms, so the mean spectra of a word are compared.

    Over some 200 and 3,000 speakers the two means agree within 2 dB (4.6 grey levels) but for
    the level at which people speak, which is common to all bands.
    """
    real("speech-commands-test")
    training, _ = load_training_logmels(real("speech-commands-training"))
    wavs = load("speech-commands-test")
    for label in range(2, 12):
        wav = wavs.features[wavs.labels == label].mean(axis=0)
        jpeg = training.features[training.labels == label].mean(axis=0)
        assert np.corrcoef(wav.ravel(), jpeg.ravel())[0, 1] > 0.97
        difference = wav.mean(axis=0) - jpeg.mean(axis=0)
        assert abs(difference.mean()) < 10
        assert difference.std() < 4.6
