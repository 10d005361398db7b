"""Who may do what: the roles, the deeds, and the one table between them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody is here. One person may be several."""

    ANALYST = "analyst"
    INFORMATION_ASSET_OWNER = "information_asset_owner"
    DATA_PROTECTION_OFFICER = "data_protection_officer"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


class Deed(StrEnum):
    """What can be done. Reading counts."""

    VIEW_ALERTS = "view_alerts"
    DECIDE = "decide"
    ASSIGN = "assign"
    VIEW_AGENTS = "view_agents"
    ENROL_AGENTS = "enrol_agents"
    VIEW_TRENDS = "view_trends"
    VIEW_CUSTODY = "view_custody"
    VIEW_AUDIT = "view_audit"
    MANAGE_PEOPLE = "manage_people"
    ERASE = "erase"
    VIEW_PAPERS = "view_papers"
    FILE_PAPERS = "file_papers"
    VIEW_TUNING = "view_tuning"
    FILE_TUNING = "file_tuning"
    PROPOSE_TUNING = "propose_tuning"


_OVERSIGHT = frozenset({
    Deed.VIEW_ALERTS, Deed.VIEW_AGENTS, Deed.VIEW_TRENDS, Deed.VIEW_CUSTODY, Deed.VIEW_PAPERS,
    Deed.VIEW_TUNING,
})  # fmt: skip
_FILING = frozenset({Deed.FILE_PAPERS, Deed.FILE_TUNING})

_RUNNING = frozenset({
    Deed.VIEW_AGENTS, Deed.ENROL_AGENTS, Deed.MANAGE_PEOPLE, Deed.VIEW_TUNING, Deed.FILE_TUNING,
    Deed.PROPOSE_TUNING,
})  # fmt: skip

MAY: dict[Role, frozenset[Deed]] = {
    Role.ANALYST: _OVERSIGHT | _FILING | {Deed.DECIDE, Deed.ASSIGN},
    Role.INFORMATION_ASSET_OWNER: (_OVERSIGHT - {Deed.VIEW_AGENTS}) | _FILING,
    Role.DATA_PROTECTION_OFFICER: _OVERSIGHT | _FILING | {Deed.VIEW_AUDIT, Deed.ERASE},
    Role.ADMINISTRATOR: _RUNNING,
    Role.AUDITOR: _OVERSIGHT | {Deed.VIEW_AUDIT},
}
"""An administrator runs the console and sees no alert; whoever is both has both roles."""


class Forbidden(Exception):
    """None of the caller's roles may do this."""

    def __init__(self, deed: Deed) -> None:
        super().__init__(deed.value)
        self.deed = deed


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who has proved who they are, for one request."""

    name: str
    roles: frozenset[Role]
    session: str = ""
    """The digest of the browser's session; "" for a token or the command line."""
    csrf: str = ""
    has_totp: bool = False

    def may(self, deed: Deed) -> bool:
        return any(deed in MAY[role] for role in self.roles)

    def require(self, deed: Deed) -> None:
        """Raises `Forbidden`."""
        if not self.may(deed):
            raise Forbidden(deed)


def roles_of(text: str) -> frozenset[Role]:
    """Out of the database's words; one that is not known counts for nothing."""
    return frozenset(Role(word) for word in text.split() if word in set(Role))


def text_of(roles: frozenset[Role]) -> str:
    """The words for the database."""
    return " ".join(sorted(roles))
