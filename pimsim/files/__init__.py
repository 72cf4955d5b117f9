"""The one way in and the one way out: files that are read within bounds, and written whole.

Everything that pimsim reads passes `open_regular`, and everything that it writes passes
`write_together`; `tests/test_house.py` allows no other way. What stands at a path is told by
`look`, `is_file`, `is_folder` and `entries`, which tell a missing file from one that may not be
read. A command names what it will write before it does anything (`claim`, `claim_folder`).
"""

from pimsim.files.claims import check_folder, claim, claim_folder, forget_claims
from pimsim.files.looking import entries, is_file, is_folder, look, whole_path
from pimsim.files.reading import (
    MAX_TEXT_BYTES,
    decoding,
    open_regular,
    parse_json,
    read_bytes,
    read_json,
    read_text,
    sha256,
)
from pimsim.files.writing import (
    Stored,
    Write,
    as_json,
    as_npz,
    as_text,
    folder_held,
    short_name,
    study_written,
    write_json,
    write_npz,
    write_text,
    write_together,
    write_whole,
)

__all__ = [
    "MAX_TEXT_BYTES",
    "Stored",
    "Write",
    "as_json",
    "as_npz",
    "as_text",
    "check_folder",
    "claim",
    "claim_folder",
    "decoding",
    "entries",
    "folder_held",
    "forget_claims",
    "is_file",
    "is_folder",
    "look",
    "open_regular",
    "parse_json",
    "read_bytes",
    "read_json",
    "read_text",
    "sha256",
    "short_name",
    "study_written",
    "whole_path",
    "write_json",
    "write_npz",
    "write_text",
    "write_together",
    "write_whole",
]
