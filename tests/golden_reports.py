"""What runs of every bundled model on every bundled chip found at a stated commit.

    python -m tests.golden_reports --write tests/golden/reports.json --commit <commit>
    python -m tests.golden_reports --compare tests/golden/reports.json

Both use nothing but `pimsim.run`, so the script also runs on the code of that commit.  The
file is written by a work tree of the commit that it names, never by the code under test.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import pimsim

GOLDEN = Path(__file__).parent / "golden" / "reports.json"
RELATIVE = 1e-12

# digests with bits or codes; few sequences where every operation is simulated code by code
SMALL = {"chips": 2, "limit": 24, "contributions": False, "keep_bits": True, "seed": 5}
FEW = {**SMALL, "limit": 6}
CASES: dict[str, dict[str, Any]] = {
    "gru on ba_mlw_16nm": {"model": "gru", "chip": "ba_mlw_16nm", **SMALL},
    "gru on bnn_slc_16nm": {"model": "gru", "chip": "bnn_slc_16nm", **SMALL},
    "gru on adc_pim_16nm": {"model": "gru", "chip": "adc_pim_16nm", **FEW},
    "gru on isaac_32nm": {"model": "gru", "chip": "isaac_32nm", **FEW},
    "lenet5 on ba_mlw_16nm": {"model": "lenet5", "chip": "ba_mlw_16nm", **SMALL},
    "lenet5 on bnn_slc_16nm": {"model": "lenet5", "chip": "bnn_slc_16nm", **SMALL},
    "lenet5 on adc_pim_16nm": {"model": "lenet5", "chip": "adc_pim_16nm", **FEW},
    "lenet5 on isaac_32nm": {"model": "lenet5", "chip": "isaac_32nm", **FEW},
    "gru on ba_mlw_16nm, pcm": {"model": "gru", "chip": "ba_mlw_16nm", "device": "pcm", **SMALL},
    "gru on ba_mlw_16nm, cmos_mlc": {
        "model": "gru", "chip": "ba_mlw_16nm", "device": "cmos_mlc", **SMALL,
    },
    "lenet5 on adc_pim_16nm, pcm": {
        "model": "lenet5", "chip": "adc_pim_16nm", "device": "pcm", **FEW,
    },
    "gru on ba_mlw_16nm, 2 reads": {"model": "gru", "chip": "ba_mlw_16nm", "reads": 2, **SMALL},
    "lenet5 on adc_pim_16nm, 2 reads": {
        "model": "lenet5", "chip": "adc_pim_16nm", "reads": 2, **FEW,
    },
    "gru on ba_mlw_16nm, ideal": {"model": "gru", "chip": "ba_mlw_16nm", "ideal": True, **SMALL},
    "lenet5 on isaac_32nm, ideal": {"model": "lenet5", "chip": "isaac_32nm", "ideal": True, **FEW},
}  # fmt: skip

# names that the commit of the file uses, and what they may be called by now
RENAMED: dict[str, str] = {
    # the codes that a layer of a chip with ADCs hands on
    "gru0": "gru0.hidden",
    "gru1": "gru1.hidden",
}


class Explained(NamedTuple):
    """A difference from the file that is meant: where, and the defect that was mended."""

    case: str
    path: str
    reason: str


# one line each; `path` is the beginning of the paths that it explains
_BUSIEST = (
    "phases are those of the tile that is busy longest; they were of the one whose phases, each "
    "counted once, take longest"
)
EXPLAINED: tuple[Explained, ...] = (
    Explained("lenet5 on ba_mlw_16nm", "phases.read", _BUSIEST),
    Explained("lenet5 on adc_pim_16nm", "phases.", _BUSIEST),
    Explained("lenet5 on adc_pim_16nm, pcm", "phases.", _BUSIEST),
    Explained("lenet5 on adc_pim_16nm, 2 reads", "phases.", _BUSIEST),
)


def observe(case: str) -> dict[str, Any]:
    """Run a case, and keep what a redesign must not change."""
    options = dict(CASES[case])
    run = pimsim.run(options.pop("model"), **options)
    report, chips = run.report, run.simulated.chips
    of_chips = np.asarray(chips.predictions)
    accuracy, noise, time = report["accuracy"], report["noise"], report["latency"]
    found = {
        "predictions": {str(i): row.tolist() for i, row in enumerate(of_chips)},
        "bits": {name: _digest(bits) for name, bits in sorted(chips.bits.items())},
        "accuracy": {k: accuracy[k] for k in ("ideal", "mean", "per_chip")},
        "noise": {
            k: noise[k]
            for k in ("quantum", "quantum_to_smallest_noise", "sigma_dynamic_units",
                      "sigma_dynamic_mv", "clipped_cells", "programmed_cells")
        },
        "actions": {
            f"{component}: {action}": count
            for component, done in report["actions"].items()
            for action, count in done.items()
        },
        "energy": {
            f"{i['component']}: {i['action']}": [i["count"], i["each_j"]]
            for i in report["energy"]["items"]
        },
        "area": {
            f"{i['component']}: {i['part']}": [i["count"], i["each_m2"], i["leakage_w"]]
            for i in report["area"]["items"]
        },
        "latency": {
            k: time[k]
            for k in ("first_cycles", "after_last_input_cycles", "cycles_per_inference",
                      "highest_clock_hz")
        },
        "phases": {p["phase"]: [p["delay_s"], p["cycles"], p["repeats"]] for p in time["phases"]},
        "stages": {
            s["component"]: [s[k] for k in ("operations", "cycles_per_operation", "busy_cycles",
                                            "starved_cycles", "blocked_cycles")]
            for s in time["components"]
        },
        "plausibility": {
            f"{c['check']}: {c['layer']}": [c["value"], c["limit"]] for c in report["plausibility"]
        },
        "operations": {"per_inference": report["efficiency"]["operations_per_inference"]},
    }  # fmt: skip
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]


def differences(
    golden: Mapping[str, Mapping[str, Any]], found: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, str]]:
    """Path and words of everything in which two observations of a case differ.

    Bits that only the new code keeps are no difference; anything else that is new is one.
    """
    for section, entries in golden.items():
        now = found.get(section, {})
        seen = set()
        for name, value in entries.items():
            new_name = next((n for n in (name, RENAMED.get(name)) if n in now), None)
            path = f"{section}.{name}"
            if new_name is None:
                yield path, "is gone"
                continue
            seen.add(new_name)
            if not _is_equal(value, now[new_name]):
                yield path, f"was {value}, is {now[new_name]}"
        if section != "bits":
            for name in now.keys() - seen:
                yield f"{section}.{name}", "is new"


def compare(case: str, golden: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Differences of a case that nothing explains, in words, and explanations of none."""
    differ = list(differences(golden, found))
    known = [entry for entry in EXPLAINED if entry.case == case]
    unknown = [
        f"{case}: {path} {words}"
        for path, words in differ
        if not any(path.startswith(entry.path) for entry in known)
    ]
    stale = [
        f"{case}: {entry.path} no longer differs, but is explained"
        for entry in known
        if not any(path.startswith(entry.path) for path, _ in differ)
    ]
    return unknown + stale


def read_golden(path: Path = GOLDEN) -> dict[str, Any]:
    """`commit`, and `cases` by name."""
    return json.loads(path.read_text())  # type: ignore[no-any-return]


def _digest(bits: Any) -> list[Any]:
    """Digest of bits or codes, whatever their width, and a glance at them."""
    values = np.asarray(bits)
    digest = hashlib.sha256(np.ascontiguousarray(values, "<i8").tobytes()).hexdigest()
    return [digest[:32], list(values.shape), int(values.sum(dtype=np.int64)),
            [int(v) for v in values.ravel()[:16]]]  # fmt: skip


def _is_equal(old: Any, new: Any) -> bool:
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_is_equal, old, new))
    if isinstance(old, float) or isinstance(new, float):
        return math.isclose(old, new, rel_tol=RELATIVE)
    return bool(old == new)


def _text(commit: str, cases: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """JSON with one entry on a line, so that a diff shows what moved."""
    blocks = [
        f" {json.dumps(case)}: {{\n"
        + ",\n".join(
            f"  {json.dumps(section)}: {{\n"
            + ",\n".join(f"   {json.dumps(k)}: {json.dumps(v)}" for k, v in entries.items())
            + "\n  }"
            for section, entries in sections.items()
        )
        + "\n }"
        for case, sections in cases.items()
    ]
    return f'{{\n"commit": {json.dumps(commit)},\n"cases": {{\n' + ",\n".join(blocks) + "\n}\n}\n"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--write", type=Path, help="file to write")
    options.add_argument("--commit", help="commit of the code that runs, for --write")
    options.add_argument("--compare", type=Path, help="file to compare with")
    given = options.parse_args()
    if (given.write is None) == (given.compare is None) or bool(given.write) != bool(given.commit):
        options.error("give --write and --commit, or --compare")
    cases = {}
    for case in CASES:
        cases[case] = observe(case)
        print(case, flush=True)
    if given.write:
        given.write.write_text(_text(given.commit, cases))
        return
    golden = read_golden(given.compare)["cases"]
    lines = [line for case in CASES for line in compare(case, golden[case], cases[case])]
    raise SystemExit("\n".join(lines) or 0)


if __name__ == "__main__":
    main()
