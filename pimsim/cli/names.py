"""Words that a shell completes: names of what comes with pimsim, and files."""

from __future__ import annotations

from collections.abc import Callable

import click
from click.shell_completion import CompletionItem

Completion = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def completed(kind: str) -> Completion:
    """Completion of an argument or option that takes a file or a bundled name.

    Parameters
    ----------
    kind
        A kind of bundled file (`pimsim.config.bundled.FOLDERS`), `network`, or `data`.
    """

    def complete(
        context: click.Context, parameter: click.Parameter, begun: str
    ) -> list[CompletionItem]:
        found = [CompletionItem(name) for name in names_of(kind) if name.startswith(begun)]
        # the shell's own files follow
        return [*found, CompletionItem(begun, type="file")]

    return complete


def names_of(kind: str) -> list[str]:
    """Names of a kind that commands take."""
    if kind == "data":
        from pimsim.data.catalog import EMBEDDED, ON_DISK

        return [*EMBEDDED, *ON_DISK]
    if kind == "network":
        from pimsim.config.load import bundled_networks

        return bundled_networks()
    from pimsim.config.bundled import bundled_names

    return bundled_names(kind)
