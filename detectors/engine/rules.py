"""Identifiers as data: loading of rules, folding of cells, and the decision by column.

A rule is decided by column, never by cell: of the k distinct values of a column, h pass pattern and check;
the column is taken if the share is high and h could hardly happen by chance (binomial tail under the rule's
`pass_rate`), or if its header says so too.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from math import exp, lgamma, log, log1p
from typing import Any

import re2

from detectors.engine.columns import Column
from detectors.engine.lexicon import tokens
from detectors.engine.stanza import StanzaError, options_from
from detectors.engine.validators import CHECKS

STRENGTHS = ("conclusive", "strong", "supporting", "other")
_DROP = dict.fromkeys(
    map(ord, " -/\u00a0\u2009\u202f\u200b\u200c\u200d\ufeff\u00ad\u2010\u2011\u2012\u2013\u2060'\t")
)
_EXPONENT = re.compile(r"\d(?:\.\d+)?[Ee]\+?\d{1,2}")
_ID = re.compile(r"[a-z][a-z0-9_]{0,40}")
_PROBES = 12
_FIRST = 4
_MOST_LOST = 2
_LEAST_BEGINNINGS = 12
_SEARCH_BYTES = 32 * 1024**2
FOLDS = ("compact", "plain")


@dataclass(frozen=True)
class Rule:
    """One kind of identifier. The fields are those of `detectors/rules/*.toml`."""

    id: str = ""
    description: str = ""
    pattern: str = ""
    fold: str = field(default="compact", metadata={"choices": FOLDS})
    check: str = field(default="", metadata={"choices": tuple(CHECKS)})
    pass_rate: float = 0.05
    strength: str = field(default="supporting", metadata={"choices": STRENGTHS})
    subject: str = field(default="person", metadata={"choices": ("person", "organisation", "thing")})
    gated: bool = False
    lost_zeros: int = 0
    headers: tuple[str, ...] = ()
    not_starting: tuple[str, ...] = ()
    text: str = ""
    series: str = ""
    match: tuple[str, ...] = ()
    no_match: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that holds for a column: of `seen` values `matched` pass; `tail` is the chance of it."""

    rule: Rule
    column: int
    seen: int
    matched: int
    tail: float
    headed: bool


class CompiledRule:
    """A rule with its pattern compiled by RE2 and its own examples run."""

    def __init__(self, rule: Rule, key: str) -> None:
        self.rule = rule
        try:
            self._shape = _whole([rule.pattern])
            self.text = re2.compile(rule.text) if rule.text else None
            self._series = re2.compile(rule.series) if rule.series else None
        except re2.error:
            raise StanzaError(
                f"{key}.pattern", "is not a pattern that the linear-time engine takes", "RE2 syntax"
            ) from None
        self._check = CHECKS[rule.check]
        self.headers = tuple(map(said, rule.headers))
        for example in rule.match:
            if not self.passes(example):
                raise StanzaError(f"{key}.match", "a rule does not match its own example")
        for example in rule.no_match:
            if self.passes(example):
                raise StanzaError(f"{key}.no_match", "a rule matches its own counter-example")

    def passes(self, cell: str) -> bool:
        """Whether one cell, folded, fits pattern and check; lost leading zeros are tried again."""
        return self.folded_passes(fold(cell, self.rule.fold))

    def folded_passes(self, text: str, mend: bool = True) -> bool:
        """The same for text that is folded already; `mend` tries lost leading zeros again."""
        rule = self.rule
        if self._fits(text):
            return True
        short = (
            mend
            and len(text) < rule.lost_zeros
            and text.isascii()
            and text.isdigit()
            and rule.lost_zeros - len(text) <= _MOST_LOST
        )
        return short and self._fits(text.zfill(rule.lost_zeros))

    def _fits(self, text: str) -> bool:
        if not self._shape.Match(text) or text.startswith(self.rule.not_starting or ("\0",)):
            return False
        try:
            return self._check(text)
        except (ValueError, IndexError):
            return False

    def is_series(self, values: Sequence[str]) -> bool:
        """Whether these could as well be one series of codes: of a bare shape, and they begin alike."""
        if self._series is None:
            return False
        bare = [v[:2] for v in values if self._series.fullmatch(v.encode()) is not None]
        return 2 * len(bare) > len(values) and len(set(bare)) < min(_LEAST_BEGINNINGS, len(bare) / 2)

    def headed(self, *names: str) -> bool:
        """Whether one of a variable's names, as `said` gives them, says this identifier."""
        return any(h in name for name in names for h in self.headers)


def said(name: str) -> str:
    """The whole tokens of a name, each between blanks."""
    return " " + " ".join(tokens(name)) + " "


def fold(cell: str, how: str) -> str:
    """Undo what typing and spreadsheets do: case, spaces, full-width digits, ".0", exponents."""
    text = cell.strip()
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    if how == "plain":
        return text.lower()
    if text.endswith(".0") and text[:-2].isdigit():
        text = text[:-2]
    elif "+" in text and _EXPONENT.fullmatch(text):
        text = str(int(float(text)))
    bare = text.upper()
    return bare if bare.isalnum() else bare.translate(_DROP)


def tail(seen: int, matched: int, rate: float) -> float:
    """P(X ≥ matched) for X ~ Binomial(seen, rate)."""
    if matched <= 0:
        return 1.0
    total = 0.0
    for h in range(matched, seen + 1):
        chance = (
            lgamma(seen + 1)
            - lgamma(h + 1)
            - lgamma(seen - h + 1)
            + h * log(rate)
            + (seen - h) * log1p(-rate)
        )
        total += exp(chance)
    return min(1.0, total)


def _whole(patterns: Iterable[str]) -> Any:
    """A search that says by position which of some patterns a whole text fits. Raises `re2.error`."""
    found = re2.Set.FullMatchSet(_roomy())
    for pattern in patterns:
        found.Add(pattern)
    found.Compile()
    return found


class _Shapes:
    """One search for the rules of one folding of which a cell has the shape, lost leading zeros heeded."""

    def __init__(self, rules: Sequence[CompiledRule]) -> None:
        self._ids = [c.rule.id for c in rules]
        self._any = _whole([c.rule.pattern for c in rules])
        self._zeros = sorted({c.rule.lost_zeros for c in rules} - {0})

    def of(self, folded: Iterable[str]) -> set[str]:
        """The rules, by id, that one of some cells might pass."""
        found: set[int] = set()
        for text in folded:
            found.update(self._any.Match(text) or ())
            if text.isascii() and text.isdigit():
                short = [places for places in self._zeros if 0 < places - len(text) <= _MOST_LOST]
                found.update(*(self._any.Match(text.zfill(places)) or () for places in short))
        return {self._ids[i] for i in found}


def _roomy() -> Any:
    """Room for the states of a search for all rules at once: with less, the engine takes a slower way."""
    options = re2.Options()
    options.max_mem = _SEARCH_BYTES
    options.log_errors = False
    return options


def _any_of(patterns: Iterable[str]) -> Any:
    """One search for some patterns, those left out that are empty; None of none."""
    given = [f"(?:{pattern})" for pattern in patterns if pattern]
    return re2.compile("|".join(given), _roomy()) if given else None


class RuleBook:
    """All rules of a configuration, shipped ones first; none where identifiers are not `wanted`."""

    def __init__(
        self, extra: Iterable[Mapping[str, Any]] = (), disabled: Iterable[str] = (), wanted: bool = True
    ) -> None:
        found: list[CompiledRule] = []
        folder = resources.files("detectors") / "rules"
        for name in ("people.toml", "others.toml"):
            shipped = tomllib.loads((folder / name).read_text("utf-8"))["rule"]
            found += [
                CompiledRule(options_from(Rule, f"{name}.{r['id']}", r), f"{name}.{r['id']}") for r in shipped
            ]
        for i, stanza in enumerate(extra):
            key = f"detectors.direct_identifiers.rules[{i}]"
            rule = options_from(Rule, key, stanza)
            if not _ID.fullmatch(rule.id) or any(c.rule.id == rule.id for c in found):
                raise StanzaError(f"{key}.id", "must be a new name of small letters, digits and underscores")
            if not rule.pattern or not rule.match or not 0 < rule.pass_rate < 1:
                raise StanzaError(key, "needs pattern, match examples and a pass_rate between 0 and 1")
            found.append(CompiledRule(rule, key))
        unknown = set(disabled) - {c.rule.id for c in found}
        if unknown:
            raise StanzaError("detectors.direct_identifiers.disabled", "names a rule that does not exist")
        self.rules = [c for c in found if wanted and c.rule.id not in set(disabled)]
        self.ids = frozenset(c.rule.id for c in found)
        self._shaped = {how: _Shapes([c for c in self.rules if c.rule.fold == how]) for how in FOLDS}
        self.any_text = _any_of(c.rule.text for c in self.rules)
        self.any_conclusive = _any_of(c.rule.text for c in self.rules if c.rule.strength == "conclusive")

    def shaped(self, how: str, folded: Iterable[str]) -> set[str]:
        """The rules, by id, that one of these cells, folded as `how` says, could pass by its shape."""
        return self._shaped[how].of(folded)

    def column(self, column: Column, min_share: float = 0.8) -> Hit | None:
        """The rule that best explains a column, or None."""
        texts = list(column.counts)[:500]
        if not texts or (column.numeric and not column.whole and not any("+" in t for t in texts[:_PROBES])):
            return None  # blank, or measured amounts
        shaped = {r for how in FOLDS for r in self.shaped(how, [fold(t, how) for t in texts[:_FIRST]])}
        if not shaped:
            return None
        folds = {how: [fold(t, how) for t in texts[:_PROBES]] for how in FOLDS}
        names = [said(name) for name in (column.name, column.label) if name]
        full: dict[str, list[str]] = {}
        best: Hit | None = None
        for c in self.rules:
            rule = c.rule
            if rule.id not in shaped:
                continue
            headed = c.headed(*names)
            if rule.gated and not headed:
                continue
            probes = folds[rule.fold]
            mend = headed or bool(rule.check)  # an epoch is no telephone number that lost its zero
            if not any(c.folded_passes(p, mend) for p in probes[:_FIRST]):
                continue
            if sum(c.folded_passes(p, mend) for p in probes) < 0.6 * len(probes):
                continue
            if rule.fold not in full:
                full[rule.fold] = list(dict.fromkeys(fold(t, rule.fold) for t in texts))
            hit = _decide(c, column, full[rule.fold], headed, min_share)
            if hit is not None and (best is None or (hit.headed, -hit.tail) > (best.headed, -best.tail)):
                best = hit
        return best


def _decide(c: CompiledRule, column: Column, values: list[str], headed: bool, min_share: float) -> Hit | None:
    mend = headed or bool(c.rule.check)
    matched = sum(c.folded_passes(v, mend) for v in values)
    seen = len(values)
    if matched < min_share * seen:
        return None
    chance = tail(seen, matched, c.rule.pass_rate)
    if c.rule.gated:
        distinct_enough = seen >= 2 and seen >= 0.3 * column.filled
        return Hit(c.rule, column.position, seen, matched, chance, True) if distinct_enough else None
    counting = (
        column.whole and column.sorted and seen > 4 and max(column.numbers) - min(column.numbers) < 3 * seen
    )
    if not headed and (counting or c.is_series(values)):
        return None
    if chance < 1e-6 or (headed and matched >= 2) or (headed and c.rule.pass_rate <= 0.02):
        return Hit(c.rule, column.position, seen, matched, chance, headed)
    return None
