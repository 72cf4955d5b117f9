"""Translation of chip files of schema `pimsim.chip/1`, and of their keys in options.

The only place that knows these names: blocks `sense_amplifier`, `adc`, `bit_slicing`,
`gru_logic` and `activation_unit` stood for themselves, and what was absent was implied.
"""

from __future__ import annotations

from typing import Any

from pimsim.config.source import KeyPath, YamlSource
from pimsim.errors import ConfigError, Place, nearest, shown

_OLD, _NEW = "pimsim.chip/1", "pimsim.chip/2"
# block -> key, kind
_MOVED = {
    "sense_amplifier": ("read_out", "sense_amplifier"),
    "adc": ("read_out", "adc"),
    "gru_logic": ("logic", "gates"),
    "activation_unit": ("logic", "table"),
}
_SLICING: dict[str, tuple[KeyPath, ...]] = {
    "cell_bits": (("weight_coding", "cell_bits"),),
    "sign": (("weight_coding", "kind"),),
    "activation_bits": (("drive", "bits"),),
    "source": (("weight_coding", "source"), ("drive", "source")),
    "certainty": (("weight_coding", "certainty"), ("drive", "certainty")),
}
_SIGNS = {"differential": "bit_slices", "offset": "offset_slices"}
_WEIGHTS = ("levels", "binary")
# what a file of each read-out called its other blocks
_NAMES: dict[str, dict[KeyPath, KeyPath]] = {
    "sense_amplifier": {("logic",): ("gru_logic",)},
    "adc": {
        ("logic",): ("activation_unit",),
        ("drive",): ("bit_slicing",),
        ("weight_coding",): ("bit_slicing",),
    },
}


def translate_chip(source: YamlSource) -> None:
    """Rename the keys of an older chip file in place; a file of the present schema is unchanged.

    Raises
    ------
    ConfigError
        If the file says something by an older and by a present key, or by two older ones.
    """
    tree = source.tree
    for old, (group, kind) in _MOVED.items():
        if _take(source, old, (group,)):
            _check_reset_state(source, old)
            _refuse_kind(source, old)
            source.copy((old,), (group,))
            source.remove((old,))
            if isinstance(tree[group], dict):
                tree[group] = {"kind": kind, **tree[group]}
    if _take(source, "bit_slicing", ("drive", "weight_coding")):
        _split_slicing(source)
    if _take(source, "weights", ("network",)):
        _rename_weights(source)
    if tree.get("schema") == _OLD:
        _add_implied(source)


def override_chip(source: YamlSource, path: tuple[str, ...], text: str, option: str) -> None:
    """Replace a value of a translated file by its present or older key.

    Raises
    ------
    ConfigError
        If the chip has no such block, or the text is no value.
    """
    block, *rest = path
    if not rest and (block in _MOVED or block == "bit_slicing"):
        _replace_block(source, block, text, option)
        return
    targets: tuple[KeyPath, ...] = (path,)
    if path == ("weights",):
        targets = (("network",),)
        if _kind_of(source, "read_out") == "adc" and text.strip() in _WEIGHTS:
            return  # such a chip runs a network of codes, whatever its weights are called
    elif block in _MOVED:
        group, kind = _MOVED[block]
        _demand(source, group, (kind,), path, option)
        targets = ((group, *rest),)
    elif block == "bit_slicing":
        _demand(source, "drive", ("bit_serial",), path, option)
        _demand(source, "weight_coding", tuple(_SIGNS.values()), path, option)
        if rest[0] not in _SLICING:
            raise ConfigError(
                "is no key that is known here",
                place=Place(option, None, ".".join(path)),
                remedy=nearest(rest[0], _SLICING),
            )
        targets = tuple((*target, *rest[1:]) for target in _SLICING[rest[0]])
        if path == ("bit_slicing", "sign"):
            text = _kind_of_sign(text.strip(), Place(option, None, "bit_slicing.sign"))
    for target in targets:
        source.override(tuple(map(str, target)), text, option)
        source.written[target] = path
    _check_reset_state(source, "logic")


def _take(source: YamlSource, old: str, groups: tuple[str, ...]) -> bool:
    """Whether the file has an older key; refused if it has the newer key too."""
    if source.tree.get(old) is None:
        source.tree.pop(old, None)  # an empty one was as good as none
        return False
    for group in groups:
        if group in source.tree:
            other = source.as_written((group,))[0]
            what = (
                f"is the older name of '{group}', which stands there too"
                if other == group
                else f"stands beside '{other}', and a chip has one {group}"
            )
            raise ConfigError(what, place=source.place((old,)), remedy="Keep one of both")
    return True


def _check_reset_state(source: YamlSource, block: str) -> None:
    """Remove the initial state of hidden bits; refuse any but 0."""
    inside = source.tree.get(block)
    if not isinstance(inside, dict) or "reset_state" not in inside:
        return
    place, value = source.place((block, "reset_state")), source.remove((block, "reset_state"))
    if isinstance(value, bool) or value != 0:
        raise ConfigError(
            f"is {shown(value)}; hidden bits begin at 0, as networks are trained", place=place
        )


def _refuse_kind(source: YamlSource, block: str) -> None:
    inside = source.tree[block]
    if isinstance(inside, dict) and "kind" in inside:
        raise ConfigError("is no key that is known here", place=source.place((block, "kind")))


def _split_slicing(source: YamlSource) -> None:
    block: Any = source.tree["bit_slicing"]
    for group in ("drive", "weight_coding"):
        source.copy(("bit_slicing",), (group,))
        if isinstance(block, dict):
            source.tree[group] = {}
    if isinstance(block, dict):
        for key in block:
            if key not in _SLICING:
                raise ConfigError(
                    "is no key that is known here",
                    place=source.place(("bit_slicing", key)),
                    remedy=nearest(key, _SLICING),
                )
        kind = _kind_of_sign(
            block.get("sign", "differential"), source.place(("bit_slicing", "sign"))
        )
        # a missing one is missed by its older name
        source.written[("drive", "bits")] = ("bit_slicing", "activation_bits")
        for key in block:
            for target in _SLICING[key]:
                source.copy(("bit_slicing", key), target)
        source.tree["drive"]["kind"] = "bit_serial"
        source.tree["weight_coding"]["kind"] = kind
    source.remove(("bit_slicing",))


def _kind_of_sign(sign: object, place: Place) -> str:
    if not isinstance(sign, str) or sign not in _SIGNS:
        raise ConfigError(f"is {shown(sign)}; it must be 'differential' or 'offset'", place=place)
    return _SIGNS[sign]


def _rename_weights(source: YamlSource) -> None:
    source.copy(("weights",), ("network",))
    weights = source.remove(("weights",))
    if _kind_of(source, "read_out") == "adc" and weights in _WEIGHTS:
        source.tree["network"] = "codes"


def _add_implied(source: YamlSource) -> None:
    """Add the blocks that files of the older schema imply."""
    tree, kind = source.tree, _kind_of(source, "read_out")
    tree["schema"] = _NEW
    for now, before in _NAMES.get(str(kind), {}).items():
        source.written.setdefault(now, before)
    if kind == "sense_amplifier":
        tree.setdefault("drive", {"kind": "binary"})
        tree.setdefault("weight_coding", {"kind": "differential_pair"})
    tree.setdefault("network", "codes" if kind == "adc" else "levels")


def _replace_block(source: YamlSource, block: str, text: str, option: str) -> None:
    """Set a whole block by its older name; an empty value removes the block."""
    source.override((block,), text, option)
    groups = (_MOVED[block][0],) if block in _MOVED else ("drive", "weight_coding")
    kinds = (_MOVED[block][1],) if block in _MOVED else ("bit_serial", *_SIGNS.values())
    for group in groups:
        empty = source.tree[block] is None
        if group in source.tree and (not empty or _kind_of(source, group) in kinds):
            source.remove((group,))
    translate_chip(source)


def _demand(
    source: YamlSource, group: str, kinds: tuple[str, ...], path: tuple[str, ...], option: str
) -> None:
    kind = _kind_of(source, group)
    if kind not in kinds:
        raise ConfigError(
            f"is a key of chips with {group} '{kinds[0]}', and this one's is of kind '{kind}'",
            place=Place(option, None, ".".join(path)),
            remedy=f"Set a key of '{group}', or take another chip",
        )


def _kind_of(source: YamlSource, group: str) -> object:
    block = source.tree.get(group)
    return block.get("kind") if isinstance(block, dict) else None
