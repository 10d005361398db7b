"""The lexicon: words in names and cells, and what they speak of. Data is in `detectors/lexicon/*.toml`.

A variable's name is split into whole tokens (camelCase, digits, dots, underscores, hyphens), and
tokens or runs of tokens are looked up; suffixes never match ("image" is no age). Shortened names match
more weakly: an unambiguous beginning of four letters or more, the consonants alone, or a compound made
wholly of known parts ("motheduc", "hhinc").
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

_PIECES = re.compile(r"[^\W_]+")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+|\d+")
_RELATIVES = (
    "moth",
    "father",
    "fath",
    "mother",
    "mom",
    "dad",
    "hus",
    "husb",
    "husband",
    "wife",
    "spouse",
    "sp",
    "fam",
    "hh",
    "hhold",
    "resp",
    "child",
    "kid",
    "par",
    "parent",
    "self",
    "partner",
    "head",
    "ln",
    "log",
    "l",
    "r",
    "p",
    "my",
    "cur",
    "curr",
    "last",
    "first",
    "prev",
    "pre",
    "post",
    "tot",
    "total",
    "avg",
    "max",
    "min",
    "num",
    "no",
    "yr",
)
_ENDINGS = (
    "yr",
    "yrs",
    "year",
    "years",
    "sq",
    "cat",
    "grp",
    "group",
    "gp",
    "band",
    "code",
    "cd",
    "num",
    "no",
    "id",
    "lvl",
    "level",
    "status",
    "stat",
    "r",
    "w",
    "p",
    "a",
    "now",
    "ever",
)
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Word:
    """One match: the family and concept a name speaks of, and how sure (1 exact, less if shortened)."""

    family: str
    concept: str
    strength: float


def tokens(name: str) -> list[str]:
    """The whole tokens of a variable's name, folded to lower case."""
    return [part.lower() for piece in _PIECES.findall(name[:_LONGEST]) for part in _PARTS.findall(piece)]


@dataclass(slots=True)
class Lexicon:
    """Words of names by token run, and words of cells."""

    names: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    cells: dict[str, tuple[str, ...]] = field(default_factory=dict)
    context: dict[str, tuple[str, ...]] = field(default_factory=dict)
    terms: frozenset[str] = frozenset()
    families: frozenset[str] = frozenset()
    forenames: frozenset[str] = frozenset()
    _short: dict[str, tuple[str, str] | None] = field(default_factory=dict)

    @classmethod
    def load(cls, extra: Mapping[str, Iterable[str]] | None = None) -> Lexicon:
        """Read the shipped lexicon; `extra` adds an administrator's words as family → words."""
        own = cls()
        folder = resources.files("detectors") / "lexicon"
        terms: set[str] = set()
        cells: dict[str, list[str]] = {}
        for name in ("people.toml", "others.toml"):
            for family, concepts in tomllib.loads((folder / name).read_text("utf-8")).items():
                for concept, words in concepts.items():
                    terms.add(concept)
                    own._add(family, concept, words)
        for family, words in (extra or {}).items():
            own._add(family, family, words)
            terms.add(family)
        values: Any = tomllib.loads((folder / "values.toml").read_text("utf-8"))
        own.context = {kind: tuple(words) for kind, words in values.pop("context").items()}
        for family, concepts in values.items():
            for concept, words in concepts.items():
                terms.add(concept)
                for word in words:
                    cells.setdefault(word, []).append(f"{family}.{concept}")
        own.cells = {word: tuple(concepts) for word, concepts in cells.items()}
        own.forenames = frozenset(
            tomllib.loads((folder / "forenames.toml").read_text("utf-8"))["forenames"].split()
        )
        own.terms = frozenset(terms)
        own.families = frozenset(f for pairs in own.names.values() for f, _ in pairs)
        own._index_short()
        return own

    def _add(self, family: str, concept: str, words: Iterable[str]) -> None:
        for word in words:
            pairs = self.names.setdefault(" ".join(_PARTS.findall(word.lower())) or word, [])
            if (family, concept) not in pairs:
                pairs.append((family, concept))

    def _index_short(self) -> None:
        for word, pairs in list(self.names.items()):
            if " " in word or len(word) < 5 or not word.isalpha():
                continue
            bare = word[0] + re.sub("[aeiou]", "", word[1:])
            shorts = {word[:n] for n in range(4, len(word))} | ({bare} if len(bare) >= 4 else set())
            for short in shorts - self.names.keys():
                known = self._short.get(short, pairs[0])
                same = known is not None and known[0] == pairs[0][0]
                self._short[short] = pairs[0] if same else None

    def match(self, name: str) -> list[Word]:
        """What a variable's name speaks of; longest runs of tokens first, each token used once."""
        parts = tokens(name)
        found: dict[tuple[str, str], float] = {}
        at = 0
        while at < len(parts):
            for length in (4, 3, 2, 1):
                run = " ".join(parts[at : at + length]) if at + length <= len(parts) else ""
                lone = len(run) == 1 and len(parts) > 1  # the "n" of "n1" counts nothing
                pairs = None if lone else self.names.get(run)
                if pairs:
                    for pair in pairs:
                        found[pair] = 1.0
                    at += length
                    break
            else:
                short = self._shortened(parts[at])
                if short is not None:
                    found[short] = max(found.get(short, 0.0), 0.6)
                at += 1
        return [Word(family, concept, strength) for (family, concept), strength in found.items()]

    def _shortened(self, token: str) -> tuple[str, str] | None:
        if len(token) < 4 or not token.isalpha():
            return None
        short = self._short.get(token)
        if short is not None:
            return short
        for before in _RELATIVES if token.startswith(_RELATIVES) else ():
            if token.startswith(before) and len(token) - len(before) >= 3:
                rest = token[len(before) :]
                pairs = self.names.get(rest)
                if pairs:
                    return pairs[0]
        for after in _ENDINGS if token.endswith(_ENDINGS) else ():
            if token.endswith(after) and len(token) - len(after) >= 3:
                pairs = self.names.get(token[: -len(after)])
                if pairs:
                    return pairs[0]
        return None
