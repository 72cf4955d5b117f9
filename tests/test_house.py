"""The arrows of docs/architecture.md: imports go down only."""

from __future__ import annotations

import ast
import configparser
import subprocess
import sys
from pathlib import Path

import pytest

import pimsim

ROOT = Path(pimsim.__file__).parent
GROUND = {"errors", "private", "units", "streams", "files", "tables", "kernels"}
# each room and the rooms that it may import
MAY_IMPORT = {
    "errors": set(),
    "private": set(),
    "units": {"errors", "private"},
    "files": {"errors"},
    "tables": set(),
    "kernels": {"private"},
    "streams": {"kernels"},
    "config": GROUND,
    "workload": GROUND,
    "data": {"workload", *GROUND},
    "importers": {"data", "workload", *GROUND},
    "devices": {"config", "workload", *GROUND},
    "circuits": {"config", "workload", *GROUND},
    "mapping": {"config", "workload", *GROUND},
    "chip": {"mapping", "circuits", "devices", "config", "workload", *GROUND},
    "timing": {"chip", "mapping", "circuits", "devices", "config", "workload", *GROUND},
    "simulate": {"chip", "mapping", "circuits", "devices", "config", "workload", *GROUND},
    "cost": {
        "timing",
        "simulate",
        "chip",
        "mapping",
        "circuits",
        "devices",
        "config",
        "workload",
        *GROUND,
    },
    "report": {"simulate", "chip", "mapping", "config", "workload", *GROUND},
    "studies": {
        "report",
        "simulate",
        "timing",
        "cost",
        "chip",
        "data",
        "devices",
        "mapping",
        "circuits",
        "config",
        "workload",
        *GROUND,
    },
    "nn": {"importers", *GROUND},
    "train": {"nn", "importers", "config", "workload", "data", *GROUND},
    "api": {"studies", "report", *GROUND},
    "cli": {
        "studies",
        "report",
        "train",
        "nn",
        "importers",
        "data",
        "workload",
        "config",
        *GROUND,
    },
}


def imports_of(path: Path) -> set[str]:
    """Rooms of pimsim that a file imports, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names = [node.module or ""]
            if node.module == "pimsim":
                names = [f"pimsim.{alias.name}" for alias in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("pimsim.")}
    return found - {"__version__"}


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_imports_go_down_only(room):
    place = ROOT / room
    files = sorted(place.rglob("*.py")) if place.is_dir() else [ROOT / f"{room}.py"]
    for file in files:
        assert imports_of(file) <= MAY_IMPORT[room] | {room}, file


def test_every_room_has_its_arrows():
    rooms = {p.stem for p in ROOT.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert rooms - {"__init__", "__main__"} == set(MAY_IMPORT)


def test_torch_lives_in_training_and_its_importer_only():
    for file in ROOT.rglob("*.py"):
        inside = file.relative_to(ROOT)
        if inside.parts[0] not in ("train", "nn") and not file.name.startswith("torch_"):
            tree = ast.parse(file.read_text())
            modules = {
                name.split(".")[0]
                for node in ast.walk(tree)
                if isinstance(node, (ast.Import, ast.ImportFrom))
                for name in ([a.name for a in node.names] + [getattr(node, "module", "") or ""])
            }
            assert "torch" not in modules, file


def test_onnx_lives_in_its_importer_only():
    for file in ROOT.rglob("*.py"):
        if file.relative_to(ROOT).parts[:2] != ("importers", "onnx"):
            lines = file.read_text().splitlines()
            assert not [
                line for line in lines if line.strip().startswith(("import onnx", "from onnx"))
            ]


def test_help_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['pimsim', '--help']\n"
        "from pimsim.cli.main import main\n"
        "try: main()\n"
        "except SystemExit as leave: assert leave.code == 0\n"
        "heavy = {'numba', 'numpy', 'scipy', 'pint', 'pydantic', 'rich', 'torch', 'onnx'}\n"
        "heavy &= set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_every_package_is_installed():
    """An editable install works without; a wheel would miss the folder."""
    settings = configparser.ConfigParser()
    settings.read(ROOT.parent / "setup.cfg")
    named = {name for name in settings["options"]["packages"].split() if ".bundled." not in name}
    found = {
        ".".join(("pimsim", *p.parent.relative_to(ROOT).parts)) for p in ROOT.rglob("__init__.py")
    }
    assert named - {"pimsim.data.embedded"} == found - {"pimsim.data.embedded"}
    # what pages are made from is no module, and would be missed as well
    assert settings["options.package_data"]["pimsim.report"] == "templates/*"
    assert (ROOT / "report" / "templates" / "page.html").is_file()


# Calls that read, write or look at files past `pimsim.files`: methods of any path, functions of
# modules, and names.
METHODS = {
    "open", "read_bytes", "read_text", "write_bytes", "write_text", "exists", "is_file", "is_dir",
    "stat", "lstat", "glob", "rglob", "iterdir", "mkdir", "rmdir", "unlink", "touch", "rename",
    "symlink_to", "hardlink_to", "resolve", "samefile", "savefig", "tofile", "expanduser",
}  # fmt: skip
FUNCTIONS = {
    "np": {"load", "save", "savez", "savez_compressed", "loadtxt", "savetxt", "genfromtxt",
           "fromfile", "memmap"},
    "torch": {"load", "save"},
    "json": {"load", "dump"},
    "pickle": {"load", "loads", "dump"},
    "yaml": {"load", "load_all", "unsafe_load", "full_load"},
    "os": {"scandir", "listdir", "walk", "replace", "remove", "rename", "makedirs", "access"},
    "lzma": {"LZMAFile"},
    "zipfile": {"ZipFile"},
    "shutil": {"copy", "copyfile", "copytree", "move", "rmtree"},
    "tempfile": {"mkdtemp", "mkstemp", "TemporaryFile", "NamedTemporaryFile", "TemporaryDirectory"},
}  # fmt: skip
NAMES = {"open", "safe_open"}
PAST_FILES = {
    "kernels/cache.py": "kernels import nothing of pimsim; it looks after its own folder",
    "private.py": "folders that are looked at before anything in them is trusted",
    "studies/bits.py tempfile.TemporaryFile": "decisions on their way to bits.npz, without a name",
    "studies/distribute.py tempfile.TemporaryDirectory": "what workers spill",
    "studies/origin.py rglob": "pimsim's own code",
    "studies/origin.py read_bytes": "pimsim's own code",
    "config/bundled.py resolve": "the folder of pimsim itself",
    "report/figures.py savefig": "into a file that is open, or into memory",
    "train/checkpoint.py torch.save": "into memory",
    "train/checkpoint.py torch.load": "from a file that is open, without code",
    "data/speech_commands.py open": "an image in memory",
    "data/images.py open": "an image in memory",
    "data/archives.py open": "an archive in a bounded stream",
    "data/mnist.py open": "a packed file that is open",
    "data/arrays.py zipfile.ZipFile": "an archive that is open",
    "data/arrays.py open": "a member of an archive that is open",
    "data/catalog.py expanduser": "the text of a path",
    "api.py tempfile.TemporaryDirectory": "finished points that nobody keeps",
    "cli/environment.py tempfile.mkdtemp": "the home of a user without one",
    "cli/main.py open": "nowhere, in the place of a closed pipe",
}


def calls_past_files(path: Path) -> set[str]:
    """Calls in a file that go past `pimsim.files`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id in NAMES:
            found.add(node.func.id)
        if isinstance(node.func, ast.Attribute):
            of, name = node.func.value, node.func.attr
            module = of.id if isinstance(of, ast.Name) else ""
            if name in FUNCTIONS.get(module, ()):
                found.add(f"{module}.{name}")
            elif name in METHODS:
                found.add(name)
    return found


def test_files_are_read_and_written_in_one_way():
    """What goes past `pimsim.files` has a reason in `PAST_FILES`, and no reason is left over."""
    found = set()
    for file in ROOT.rglob("*.py"):
        inside = file.relative_to(ROOT).as_posix()
        if inside in ("kernels/cache.py", "private.py"):
            found.add(inside)
        elif not inside.startswith("files/"):
            found |= {f"{inside} {call}" for call in calls_past_files(file)}
    assert found == set(PAST_FILES)
