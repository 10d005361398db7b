"""Command line equals page: what a page offers has a command, or a reason why not (console.command).

The table names each route of a page once; one that is in it and not there, or there and not in it, fails.
"""

from __future__ import annotations

import click
import pytest

from console.command import COMMANDS, HERE, console

ONES_OWN = "with a session only: who stole a token must not be able to keep the account by it"
BROWSING = "of a browser only"
REASONS = {ONES_OWN, BROWSING}
COMMAND_OF = {
    ("GET", "/"): BROWSING,
    ("POST", "/sign-out"): BROWSING,
    ("GET", "/account"): ONES_OWN,
    ("POST", "/account/password"): ONES_OWN,
    ("POST", "/account/totp"): ONES_OWN,
    ("POST", "/account/tokens"): ONES_OWN,
    ("POST", "/account/tokens/revoke"): ONES_OWN,
    ("GET", "/alerts"): "alerts list",
    ("GET", "/alerts/{alert_id}"): "alerts show",
    ("POST", "/alerts/decide"): "alerts decide",
    ("POST", "/alerts/assign"): "alerts assign",
    ("POST", "/alerts/note"): "alerts note",
    ("POST", "/alerts/{alert_id}/reopen"): "alerts reopen",
    ("POST", "/views"): "views save",
    ("POST", "/views/forget"): "views forget",
    ("GET", "/agents"): "agents list",
    ("GET", "/agents/{agent_id}"): "agents show",
    ("POST", "/agents/token"): "agents token",
    ("POST", "/agents/{agent_id}/revoke"): "agents revoke",
    ("GET", "/trends"): "trends",
    ("GET", "/custody"): "custody",
    ("GET", "/agreements"): "agreements list",
    ("GET", "/agreements.csv"): "agreements report",
    ("GET", "/agreements/report"): "agreements report",
    ("GET", "/agreements/bundle"): "agreements bundle",
    ("GET", "/requests"): "requests list",
    ("GET", "/exceptions"): "exceptions list",
    ("POST", "/alerts/{alert_id}/exception"): "exceptions propose",
    ("GET", "/papers/{kind}/{number}/revocation"): "exceptions revocation",
    ("GET", "/tuning"): "tuning list",
    ("POST", "/tuning"): "tuning propose",
    ("GET", "/papers/{kind}/{number}"): "agreements show",
    ("GET", "/papers/{kind}/{number}/file"): "agreements document",
    ("POST", "/papers"): "agreements hand-in",
    ("GET", "/audit"): "audit-trail list",
    ("POST", "/audit/verify"): "audit-trail verify",
    ("GET", "/erasure"): "erase",
    ("POST", "/erasure"): "erase",
    ("GET", "/people"): "people list",
    ("POST", "/people"): "people add",
    ("POST", "/people/{name}"): "people change",
}


def commands(group, above=()):
    """Every command of the tree as its words, with itself."""
    for name in group.list_commands(click.Context(group)):
        found = group.get_command(click.Context(group), name)
        if isinstance(found, click.Group):
            yield from commands(found, (*above, name))
        else:
            yield " ".join((*above, name)), found


def test_each_route_of_a_page_has_a_command_or_a_reason(rig):
    offered = {
        (method, route.path)
        for router in rig.app.routes
        if (inner := getattr(router, "original_router", None))
        for route in inner.routes
        for method in route.methods
        if not route.path.startswith(("/api/", "/sign-in"))
    }
    assert offered == set(COMMAND_OF)
    assert set(COMMAND_OF.values()) - REASONS <= {words for words, _ in commands(console)}


@pytest.mark.parametrize(("words", "command"), list(commands(console)))
def test_each_command_speaks_json_and_those_from_afar_know_where_to_ask(words, command):
    options = {name for p in command.params for name in p.opts}
    afar = COMMANDS[words.split()[0]].module != HERE
    assert "--json" in options and command.help
    assert ({"--url", "--token-file", "--ca"} <= options) == afar
