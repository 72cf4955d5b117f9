"""Older keys of model files: `network` and its variants, now in `networks`."""

from __future__ import annotations

from pimsim.config.source import YamlSource
from pimsim.errors import ConfigError

# `network` alone remains a short form
_KINDS = {
    "network": "levels",
    "network_with_converters": "codes",
    "network_with_binary_weights": "binary",
}
# every key that names a network
NETWORK_KEYS = ("networks", *_KINDS)


def translate_model(source: YamlSource) -> None:
    """Move the networks of an older model file, in place.

    Raises
    ------
    ConfigError
        If a network is named twice.
    """
    for old, kind in _KINDS.items():
        if old not in source.tree:
            continue
        networks = source.tree.get("networks", {})
        if source.tree[old] is None or not isinstance(networks, dict):
            source.remove((old,))
        elif kind in networks:
            raise ConfigError(
                f"is another name of 'networks.{kind}', which stands there too",
                place=source.place((old,)),
                remedy="Keep one of both",
            )
        else:
            source.copy((old,), ("networks", kind))
            source.remove((old,))


def override_model(source: YamlSource, path: tuple[str, ...], text: str, option: str) -> None:
    """Replace a value by its present or older key."""
    if len(path) == 1 and path[0] in _KINDS:
        now = ("networks", _KINDS[path[0]])
        source.override(now, text, option)
        source.written[now] = path
    else:
        source.override(path, text, option)
