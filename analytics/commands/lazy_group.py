"""Group of commands that are imported when they are run, so that none waits for what another needs."""

from collections.abc import Mapping
from importlib import import_module

import click


class LazyGroup(click.Group):
    """Group whose commands are named by their places, each imported when it is run or when its help is shown.

    Parameters
    ----------
    name : str
        Of the group.
    places : mapping of str to str
        ``module:attribute`` of each command by its name.
    help : str
        What the group is for.

    Examples
    --------
    >>> group = LazyGroup("analytics", {"plan": "analytics.commands.plan:plan_command"}, help="Recompute standings.")
    >>> context = click.Context(group)
    >>> group.list_commands(context), group.get_command(context, "plan").name, group.get_command(context, "paln")
    (['plan'], 'plan', None)
    """

    def __init__(self, name: str, places: Mapping[str, str], *, help: str) -> None:  # noqa: A002 (click's name)
        super().__init__(name, help=help)
        self._places = places

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return sorted(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (click's signature)
        if cmd_name not in self._places:
            return None
        module, _, attribute = self._places[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command
