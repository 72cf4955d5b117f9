"""Errors of a file that does not fit its schema: all at once, each with a place, in pimsim's words.

The library that checks schemas names types, tags and validators, which no user has written.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pimsim.config.kinds import OneOf, alternatives
from pimsim.config.source import KeyPath, YamlSource
from pimsim.errors import ConfigError, nearest, shown

# of one file: who has more has mistaken the file
MAX_ERRORS = 20

_WHOLE, _NUMBER, _TEXT = "it must be a whole number", "it must be a number", "it must be a text"
_LIST, _SWITCH, _BLOCK = "it must be a list", "it must be true or false", "it needs keys of its own"
# by the type of the library's error; the words are filled from its context
_WORDS: Mapping[str, str | Callable[[Mapping[str, Any]], str]] = {
    "greater_than": "it must be greater than {gt}",
    "greater_than_equal": "it must be {ge} or more",
    "less_than": "it must be less than {lt}",
    "less_than_equal": "it must be {le} or less",
    "multiple_of": "it must be a multiple of {multiple_of}",
    "literal_error": "it must be {expected}",
    "enum": "it must be {expected}",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": "it must be finite",
    "string_type": _TEXT,
    "string_too_short": lambda said: f"it must have {_counted(said['min_length'], 'letter')}",
    "string_too_long": lambda said: f"it must have {said['max_length']} letters at most",
    "string_pattern_mismatch": "it must be of the form {pattern}",
    "bool_type": _SWITCH,
    "bool_parsing": _SWITCH,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "dict_type": _BLOCK,
    "mapping_type": _BLOCK,
    "model_type": _BLOCK,
    "model_attributes_type": _BLOCK,
    "too_short": lambda said: f"it must have {_counted(said['min_length'], 'value')}",
    "too_long": "it must have {max_length} values at most",
    "none_required": "leave it out",
}


def in_words(error: Mapping[str, Any]) -> str:
    """Words for a value that does not fit, from an error of the library, without a capital."""
    words = _WORDS.get(error["type"])
    if isinstance(words, str):
        said = error.get("ctx", {})
        return words.format(
            **{key: f"{x:g}" if isinstance(x, float) else x for key, x in said.items()}
        )
    if words is not None:
        return words(error["ctx"])
    message = str(error["msg"]).replace("Input should be", "it must be")
    return message[:1].lower() + message[1:]


def _counted(least: int, thing: str) -> str:
    return f"{least} {thing}{'s' if least != 1 else ''} at least"


class _Step(NamedTuple):
    """A place in a schema, as far as an error's path leads.

    `tag` is the key that tells the kinds of a block apart, where the library puts the kind into its
    path.
    """

    models: Sequence[type[BaseModel]]
    fields: Sequence[FieldInfo]
    tag: str | None


class _Trouble(NamedTuple):
    """What is wrong at a path of the file; `meant` is the known key nearest to an unknown one."""

    at: KeyPath
    message: str
    remedy: str = ""
    meant: str = ""


def config_error(
    source: YamlSource, model: type[BaseModel], errors: Sequence[Mapping[str, Any]]
) -> ConfigError:
    """One error for all that is wrong with a file, in the order of its lines.

    Parameters
    ----------
    errors
        Of the library, at least one.
    """
    found: dict[KeyPath, _Trouble] = {}
    for error in errors:
        new = _trouble(source, model, error)
        old = found.get(new.at)
        if old is not None and new.message not in old.message:
            # one of several forms that a value may have
            new = old._replace(message=f"{old.message}, or {new.message.rpartition('; ')[2]}")
        found[new.at] = new
    # an unknown key explains one that is missing beside it, and a value in a block the block
    meant = {(*one.at[:-1], one.meant) for one in found.values() if one.meant}
    blocks = {at[:cut] for at in found for cut in range(len(at))}
    kept = [one for at, one in found.items() if at not in meant | blocks]
    listed = [
        ConfigError(one.message, place=source.place(one.at), remedy=one.remedy) for one in kept
    ]
    listed.sort(key=lambda error: (error.place and error.place.line) or 0)
    first, *others = listed[:MAX_ERRORS]
    if len(listed) > MAX_ERRORS:
        others.append(ConfigError(f"and {len(listed) - MAX_ERRORS} more"))
    return ConfigError(first.message, place=first.place, remedy=first.remedy, others=others)


def _trouble(source: YamlSource, model: type[BaseModel], error: Mapping[str, Any]) -> _Trouble:
    at, step = _resolve(tuple(error["loc"]), source.tree, model)
    is_block = isinstance(error["input"], Mapping)
    match error["type"]:
        case "extra_forbidden":
            known = _known_keys(_resolve(at[:-1], source.tree, model)[1].models)
            meant = "".join(difflib.get_close_matches(str(at[-1]), known, n=1, cutoff=0.5))
            remedy = nearest(str(at[-1]), known) if known else ""
            return _Trouble(at, "is no key that is known here", remedy, meant)
        case "missing":
            return _missing(source, at, _resolve(at[:-1], source.tree, model)[1])
        case "union_tag_not_found" if is_block:
            return _missing(source, (*at, str(step.tag)), step)
        case "union_tag_invalid":
            tag, found = str(step.tag), error["ctx"]["tag"]
            words = nearest(found, _words_of(step.models, tag))
            return _Trouble((*at, tag), f"is {shown(found)}, which is no known {tag}", words)
        case "unknown_kind":
            remedy = f"Known kinds: {error['ctx']['names']}"
            return _Trouble(at, f"is {shown(error['input'])}, which is no known kind", remedy)
        case "value_error":
            return _Trouble(at, str(error["ctx"]["error"]))
        case "misfit":
            return _Trouble(at, error["msg"])
        case "union_tag_not_found":
            return _Trouble(at, f"is {shown(error['input'])}; {_BLOCK}")
    # as it stands in the file: a quantity is a number by now
    value = _value_at(source.tree, at, error["input"])
    return _Trouble(at, f"is {shown(value)}; {in_words(error)}")


def _value_at(tree: Any, at: KeyPath, otherwise: object) -> Any:
    for key in at:
        try:
            tree = tree[key]
        except (IndexError, KeyError, TypeError):
            return otherwise
    return tree


def _missing(source: YamlSource, at: KeyPath, block: _Step) -> _Trouble:
    key, words = source.as_written(at)[-1], _words_of(block.models, str(at[-1]))
    one_of = f", one of {', '.join(words)}" if words else ""
    return _Trouble(at, "is missing", f"Add '{key}:' there{one_of}")


def _resolve(loc: KeyPath, tree: Any, model: type[BaseModel]) -> tuple[KeyPath, _Step]:
    """An error's path as keys of the file, without tags of kinds; and the schema there."""
    step, kept, node = _Step([model], [], None), [], tree
    for key in loc:
        if step.tag is not None and isinstance(node, Mapping) and key == node.get(step.tag):
            step = _Step([m for m in step.models if _is_kind(m, step.tag, key)], [], None)
            continue
        is_there = isinstance(node, Mapping) and key in node
        is_key = is_there or not step.fields or key in _known_keys(step.models)
        if isinstance(key, str) and not is_key:
            continue  # one of several forms of a value, such as `list[int]`
        kept.append(key)
        if isinstance(node, Mapping):
            node = node.get(key)
        else:
            is_inside = isinstance(node, list) and isinstance(key, int) and key < len(node)
            node = node[key] if is_inside else None
        fields = step.fields if isinstance(key, int) else _fields_of(step.models, key)
        tag = next(filter(None, map(_tag_of, fields)), None)
        step = _Step(_models_at(fields, node), fields, tag)
    return tuple(kept), step


def _fields_of(models: Sequence[type[BaseModel]], key: str) -> list[FieldInfo]:
    return [
        field
        for model in models
        for name, field in model.model_fields.items()
        if key in (name, field.alias)
    ]


def _models_at(fields: Sequence[FieldInfo], node: Any) -> list[type[BaseModel]]:
    """Models that a value may be of: the one of its kind, where it names a known one."""
    kind = node.get("kind") if isinstance(node, Mapping) else None
    for field in fields:
        for mark in field.metadata:
            if isinstance(mark, OneOf) and isinstance(kind, str) and kind in mark.blocks:
                return [mark.blocks[kind]]
    return [model for field in fields for model in alternatives(field)]


def _tag_of(field: Any) -> str | None:
    """The key that tells the blocks of a field apart, whose value stands in the library's paths."""
    if isinstance(getattr(field, "discriminator", None), str):
        return str(field.discriminator)
    inner = [field.annotation] if isinstance(field, FieldInfo) else []
    inner += [*getattr(field, "__metadata__", ()), *get_args(field)]
    inner = [part for part in inner if part is not field and not isinstance(part, str)]
    return next(filter(None, map(_tag_of, inner)), None)


def _is_kind(model: type[BaseModel], tag: str, kind: object) -> bool:
    field = model.model_fields.get(tag)
    return field is None or kind in getattr(field.annotation, "__args__", (kind,))


def _known_keys(models: Sequence[type[BaseModel]]) -> list[str]:
    """Keys of all models of a block."""
    return sorted({field.alias or name for m in models for name, field in m.model_fields.items()})


def _words_of(models: Sequence[type[BaseModel]], key: str) -> list[str]:
    """Words that a key may have in any of the models; none where it has other values."""

    def words(annotation: Any) -> Iterator[str]:
        for part in get_args(annotation):
            if isinstance(part, str):
                yield part
            else:
                yield from words(part)

    return list(dict.fromkeys(w for f in _fields_of(models, key) for w in words(f.annotation)))
