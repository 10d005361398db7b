"""Whom or what do the variables' names speak of: a person, a household, an organisation, an area, a thing?

Runbook: names alone mislead (an age-by-sex table has a person's words), so this detector never decides by
itself. Add words with `words_person`, `words_thing` and so on if a department's own names are not known.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from detectors.engine.stanza import Bounds
from detectors.engine.view import TableView

PEOPLE = ("demographic", "person", "household", "socioeconomic", "health", "attitude", "activity", "design")
OTHERS = ("experiment", "aggregate", "time", "area", "economy", "organisation", "thing", "metadata")
FEATURES = (
    *(f"says_{f}" for f in PEOPLE + OTHERS),
    "says_people",
    "says_others",
    "named",
    "words_known",
    "name_length",
    "people_concepts",
)
OF_NAMES = frozenset(
    (*FEATURES, "names_alike", "period_names", "count_by_key", "choice_of_columns", "alternatives")
)
"""The measures that are nothing without names; the model of values alone does not know them."""


@dataclass(frozen=True)
class Options:
    """Tuning of this detector; the lists add words to a family of the lexicon."""

    enabled: bool = True
    weight: float = 1.0
    words_person: tuple[str, ...] = ()
    words_aggregate: tuple[str, ...] = ()
    words_organisation: tuple[str, ...] = ()
    words_thing: tuple[str, ...] = ()
    bonus: float = field(default=0.0, metadata={"bounds": Bounds(-5.0, 5.0)})


def measure(t: TableView) -> dict[str, float]:
    """By family of words: how much of the table's names speak of it (0 none, up to 2)."""
    m = max(1, len(t.columns))
    hits = dict.fromkeys(PEOPLE + OTHERS, 0.0)
    concepts: set[str] = set()
    people = others = known = 0.0
    for words in t.words:
        if not words:
            continue
        known += 1
        mine: dict[str, float] = {}
        for w in words:
            mine[w.family] = max(mine.get(w.family, 0.0), w.strength)
            if w.family in PEOPLE and w.family != "design" and w.strength > 0.5:
                concepts.add(w.concept)
        for family, strength in mine.items():
            hits[family] = hits.get(family, 0.0) + strength
        person = any(f in mine for f in PEOPLE if f != "design")
        other = any(f in mine for f in OTHERS if f not in ("time", "experiment"))
        people += person and not other
        others += other and not person
    lengths = [len(c.name) for c in t.columns if c.name]
    found = {f"says_{f}": min(1.0, h / 4) + h / m for f, h in hits.items() if f in PEOPLE + OTHERS}
    return found | {
        "says_people": people / m,
        "says_others": others / m,
        "named": t.named,
        "words_known": known / m,
        "name_length": sum(lengths) / len(lengths) if lengths else 0.0,
        "people_concepts": min(10.0, float(len(concepts))),
    }
