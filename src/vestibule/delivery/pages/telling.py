"""Visits as the owner reads them: what happened, and what to do now."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from vestibule.base.errors import Refused
from vestibule.base.i18n import t
from vestibule.delivery.pages.arriving import HUB
from vestibule.delivery.rules.home import Home, Key
from vestibule.delivery.rules.networks import allowed, network_of
from vestibule.delivery.rules.visits import Outcome, Visit

# Where the next step is done; refusals that stand not here have none but to connect again.
_GO: Final = {
    Outcome.USERNAME_UNKNOWN: f"{HUB}#needs",
    Outcome.OFF: HUB,
    Outcome.KEY_NOT_REGISTERED: f"{HUB}/keys/add",
    Outcome.NO_KEY_OFFERED: f"{HUB}/programs",
    Outcome.ALGORITHM_TOO_OLD: f"{HUB}/programs",
    Outcome.SIGNATURE_WRONG: f"{HUB}/keys/add",
}
_NAMING_PROGRAM: Final = frozenset(
    {
        Outcome.ACCEPTED,
        Outcome.NO_KEY_OFFERED,
        Outcome.ALGORITHM_TOO_OLD,
        Outcome.SIGNATURE_WRONG,
        Outcome.TIMED_OUT,
    }
)
_ENDINGS: Final = frozenset(
    {
        Outcome.OFF,
        Outcome.ADDRESS_NOT_ALLOWED,
        Outcome.KEY_NOT_REGISTERED,
        Outcome.TIMED_OUT,
        Outcome.TOO_MANY,
        Outcome.LOST,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A visit with what its sentence and its next step need."""

    visit: Visit
    what: str
    """Which sentence tells it."""
    facts: dict[str, str | int]
    offered: tuple[str, ...]
    """Fingerprints of the keys that were shown."""
    settled: bool
    """Whether what it was refused for has been put right since."""
    allow: str
    """The network to allow by one press; empty where that is not the next step."""
    allow_shown: str
    """The same, as people write it."""
    go: str
    """The page of the next step; empty: none."""
    ended: str
    """Why an accepted one ended, where that is worth a word."""
    names_program: frozenset[Outcome] = _NAMING_PROGRAM


class Telling:
    """Tells the visits to one home, by its keys and its settings of now."""

    def __init__(self, home: Home | None, keys: Sequence[Key], language: str = "en") -> None:
        self._home = home
        self._labels = {key.id: key.label for key in keys}
        self._fingerprints = frozenset(key.fingerprint for key in keys)
        self._by_fingerprint = {key.fingerprint: key.label for key in keys}
        self._language = language

    def line(self, visit: Visit) -> Line:
        """One visit."""
        offered = visit.detail.get("offered")
        shown = tuple(offered) if isinstance(offered, list) else ()
        shown = shown or ((visit.fingerprint,) if visit.fingerprint else ())
        settled = self._settled(visit, shown)
        refused_address = visit.outcome is Outcome.ADDRESS_NOT_ALLOWED and not settled
        allow = _network(visit.address) if refused_address else ""
        key = self._key(visit)
        keyless = visit.outcome is Outcome.ACCEPTED and not key
        ended = visit.ended_as if visit.ended_as in _ENDINGS else None
        return Line(
            visit=visit,
            what="accepted_removed" if keyless else visit.outcome.value,
            facts={
                # Programs write their names as one word.
                "program": visit.program.replace("_", " ")
                or t("delivery.log.some_program", self._language),
                "key": key,
                "address": visit.address,
                "username": visit.username,
                "right": self._home.username if self._home else "",
            },
            offered=shown,
            settled=settled,
            allow=allow,
            allow_shown=allow.removesuffix("/32"),
            go="" if settled else _GO.get(visit.outcome, ""),
            ended=ended.value if ended else "",
        )

    def _key(self, visit: Visit) -> str:
        known = self._labels.get(visit.key_id or "")
        return known or self._by_fingerprint.get(visit.fingerprint or "", "")

    def _settled(self, visit: Visit, shown: tuple[str, ...]) -> bool:
        if self._home is None:
            return False
        match visit.outcome:
            case Outcome.OFF:
                return self._home.enabled
            case Outcome.ADDRESS_NOT_ALLOWED:
                return allowed(self._home.networks, visit.address)
            case Outcome.KEY_NOT_REGISTERED:
                return any(one in self._fingerprints for one in shown)
            case _:
                return False


def _network(address: str) -> str:
    try:
        return network_of(address)
    except Refused:
        return ""
