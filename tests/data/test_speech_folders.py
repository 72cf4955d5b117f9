"""Speech with classes of its own, as folders and as archives."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from data_files import wav_bytes

from pimsim.data import archives, load
from pimsim.data.speech_folders import load_speech_archive, load_speech_folder
from pimsim.errors import DataError

WORDS = ("bed", "hello", "marvin")
# 3 clips of each word; the first of each is for testing, the second for validation
NAMES = ("0_nohash_0.wav", "1_nohash_0.wav", "2_nohash_0.wav")


def tone(word: int, clip: int) -> bytes:
    return wav_bytes(8_000 * np.sin(np.arange(16_000) * (0.1 + 0.05 * word + 0.01 * clip)))


@pytest.fixture
def words(tmp_path: Path) -> Path:
    root = tmp_path / "words"
    for k, word in enumerate(WORDS):
        (root / word).mkdir(parents=True)
        for number, name in enumerate(NAMES):
            (root / word / name).write_bytes(tone(k, number))
    return root


def with_lists(root: Path) -> Path:
    """As the whole of Speech Commands: lists of clips, and recordings longer than a clip."""
    for number, split in enumerate(("testing", "validation")):
        lines = [f"{word}/{NAMES[number]}\n" for word in reversed(WORDS)]
        (root / f"{split}_list.txt").write_text("".join(lines))
    (root / "_background_noise_").mkdir()
    (root / "_background_noise_" / "hum.wav").write_bytes(bytes(2_000_000))
    (root / "LICENSE").write_text("CC BY 4.0")
    return root


def hide(root: Path) -> None:
    """What macOS and file managers leave in folders."""
    for word in WORDS:
        (root / word / "._0_nohash_0.wav").write_bytes(b"\0\5\26\7 Mac OS X ")
        (root / word / ".DS_Store").write_bytes(b"Bud1")
    (root / ".cache").mkdir()
    (root / ".cache" / "a.wav").write_bytes(b"no sound")


def pack(root: Path, path: Path) -> Path:
    """An archive in which the lists come after all clips."""
    with tarfile.open(path, "w:gz") as tar:
        for member in sorted(root.rglob("*"), key=lambda member: (member.suffix == ".txt", member)):
            if member.is_file():
                tar.add(member, arcname=f"./{member.relative_to(root)}")
    return path


def test_classes_are_the_names_of_the_folders(words: Path) -> None:
    found = load(words)
    assert (found.kind, found.classes) == ("speech", WORDS)
    assert found.labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert found.description == "9 recorded clips in 3 classes"


def test_an_archive_gives_the_same_as_its_folder(words: Path, tmp_path: Path) -> None:
    assert load(pack(words, tmp_path / "words.tar.gz")).sha256 == load(words).sha256


def test_hidden_files_are_left_out(words: Path, tmp_path: Path) -> None:
    expected = load(words).sha256
    hide(words)
    assert load(words).sha256 == expected
    archive = pack(words, tmp_path / "words.tar.gz")
    with tarfile.open(archive) as tar:
        assert "./bed/._0_nohash_0.wav" in tar.getnames()
    found = load(archive)
    assert (found.sha256, found.classes) == (expected, WORDS)


def test_the_lists_of_speech_commands_say_the_split(words: Path, tmp_path: Path) -> None:
    with_lists(words)
    archive = pack(words, tmp_path / "speech_commands_v0.02.tar.gz")
    for source, read in ((words, load_speech_folder), (archive, load_speech_archive)):
        testing, validation = load(source), read(source, "validation")
        assert (testing.classes, testing.labels.tolist()) == (WORDS, [0, 1, 2])
        assert (validation.classes, validation.labels.tolist()) == (WORDS, [0, 1, 2])
        whole = [load_clip(k, 0) for k in range(3)], [load_clip(k, 1) for k in range(3)]
        assert np.array_equal(testing.features, np.stack(whole[0]))
        assert np.array_equal(validation.features, np.stack(whole[1]))


def load_clip(word: int, clip: int) -> np.ndarray:
    from pimsim.data.frontend import decode_wav, logmel

    return logmel(decode_wav(tone(word, clip), "a.wav")[None])[0]


def test_a_list_without_its_clips_is_told(words: Path) -> None:
    (words / "testing_list.txt").write_text("other/0.wav\n")
    with pytest.raises(DataError, match=r"holds none of the clips that testing_list\.txt names\."):
        load(words)


def test_a_large_archive_may_unpack_to_twice_its_length(
    words: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recordings shrink by a third; zeros, which shrink by a thousand, meet the fixed bound."""
    monkeypatch.setattr(archives, "MAX_UNPACKED_BYTES", 1 << 16)
    rng = np.random.default_rng(0)
    for path in words.rglob("*.wav"):
        path.write_bytes(wav_bytes(rng.integers(-9_999, 9_999, 16_000)))
    assert len(load(pack(words, tmp_path / "noise.tar.gz"))) == 9
    for path in words.rglob("*.wav"):
        path.write_bytes(wav_bytes(np.zeros(16_000)))
    with pytest.raises(DataError, match="unpacks to more than"):
        load(pack(words, tmp_path / "zeros.tar.gz"))


def test_an_archive_that_was_unpacked_on_its_way_is_read(words: Path, tmp_path: Path) -> None:
    archive = pack(words, tmp_path / "words.tar.gz")
    archive.write_bytes(gzip.decompress(archive.read_bytes()))
    assert load(archive).sha256 == load(words).sha256
    other = pack(words, tmp_path / "words.download")
    assert load(other).sha256 == load(words).sha256


@pytest.mark.parametrize("name", ["words.zip", "words.tar.gz", "words"])
def test_a_zip_archive_is_named_with_a_remedy(words: Path, tmp_path: Path, name: str) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.write(words / "bed" / NAMES[0], "bed/a.wav")
    folder = tmp_path / "zipped"
    folder.mkdir()
    (folder / name).write_bytes(out.getvalue())
    with pytest.raises(DataError, match=r"it is a zip archive, .*\. Unpack it, and name the fold"):
        load(folder / name)


def test_classes_in_another_order_are_matched_by_name(words: Path) -> None:
    found = load(words)
    own = found.named_as(("marvin", "bed", "more", "hello"))
    assert own.classes == ("marvin", "bed", "more", "hello")
    assert [own.classes[k] for k in own.labels] == [found.classes[k] for k in found.labels]
    assert found.named_as((*WORDS, "more")) is found
    assert found.named_as(("marvin", "bed")) is found
