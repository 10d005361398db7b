"""From one sample of a table to what it is: scores, identifiers, caps, tier, subject, findings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from typing import Any

from detectors import aggregate_shape, direct_identifiers, named_people, plausibility, small_cells
from detectors.engine.conclusion import Conclusion
from detectors.engine.evidence import column_findings, identifier_findings, score_findings
from detectors.engine.lexicon import tokens
from detectors.engine.roster import Detector, measured
from detectors.engine.rules import Hit, RuleBook
from detectors.engine.verdict import Finding, Outcome, Polarity, Subject, Tier
from detectors.engine.view import TableView
from detectors.engine.weigh import Model, chance
from detectors.row_subject import PEOPLE

MIN_ROWS = 3
_RISING = (Tier.NONE, Tier.POSSIBLE, Tier.LIKELY, Tier.CONFIRMED)


@dataclass(frozen=True)
class Bench:
    """What all assessments of one configuration share."""

    detectors: Mapping[str, Detector]
    models: Mapping[str, Model]
    book: RuleBook
    forenames: frozenset[str]
    factors: Mapping[str, tuple[float, ...]]
    owner: Mapping[str, str]

    def options(self, detector: str) -> Any:
        """The options of one detector."""
        return self.detectors[detector].options


@dataclass(slots=True)
class Assessment:
    """One sample's evidence: the model's log-odds as they are (`person`) and hedged (`score`).

    `bonus` is what identifiers add.
    """

    view: TableView
    measures: dict[str, float]
    person: float
    aggregate: float
    score: float
    hits: list[Hit] = field(default_factory=list)
    named: named_people.Named = field(default_factory=named_people.Named)
    capped: bool = False
    factors: tuple[float, float] = (1.0, 1.0)
    doubts: list[plausibility.Doubt] | None = None

    @property
    def bonus(self) -> float:
        """Log-odds that identifiers add, by the weights of the two detectors that find them."""
        identifiers = sum(direct_identifiers.BONUS[h.rule.strength] for h in self.hits)
        named = 2.5 * bool(self.named.names) + 1.0 * bool(self.named.births)
        total = self.factors[0] * identifiers + self.factors[1] * named
        # a name on each row of a table of statistics is a label of that row
        lone = self.is_contacts and (not self.is_headed or self.is_credit)
        counts = not lone and (self.aggregate < 0.5 or self.decisive)
        return total if counts else min(total, 0.5)

    def matched(self, *strengths: str) -> int:
        """Most distinct values that one identifier column of these strengths holds."""
        return max((h.matched for h in self.hits if h.rule.strength in strengths), default=0)

    @property
    def is_contacts(self) -> bool:
        """Names or e-mail addresses, and nothing more about people."""
        m = self.measures
        if self.named.births or m["age_values"] or m["sex_values"]:
            return False
        return bool(self.hits or self.named.names) and all(h.rule.id == "email" for h in self.hits)

    @property
    def is_headed(self) -> bool:
        """Whether a header speaks of people or their addresses: "N" and "E" do not."""
        return any(w.family in PEOPLE and w.strength > 0.5 for words in self.view.words for w in words)

    @property
    def is_credit(self) -> bool:
        """Contacts of those who made something, as its words say."""
        if not self.is_contacts:
            return False
        credit = set(self.view.lexicon.context["credit"])
        told = [*self.view.context, *(c.name or "" for c in self.view.columns)]
        told += [text for c in self.view.columns if c.coded or c.filled < 8 for text in list(c.counts)[:8]]
        return any(credit.intersection(tokens(line)) for line in told)

    @property
    def decisive(self) -> bool:
        """Identifiers that override what the shape says."""
        return self.matched("conclusive") >= 2 or (
            bool(self.named.names) and (bool(self.hits) or bool(self.named.births))
        )


def assess(bench: Bench, view: TableView) -> Assessment:
    """Weigh one sample."""
    measures = measured(view, bench.detectors)
    model = _model_of(measures)
    person = bench.models[model].total(measures, bench.factors[model])
    aggregate = chance(bench.models["aggregate"].total(measures, bench.factors["aggregate"]))
    found = Assessment(view, measures, person, aggregate, _hedged(bench, measures, person, aggregate))
    found.hits, found.named = identified(bench, view)
    found.capped = bench.options("aggregate_shape").enabled and _capped(found)
    found.factors = (bench.detectors["direct_identifiers"].factor, bench.detectors["named_people"].factor)
    return found


def identified(bench: Bench, view: TableView) -> tuple[list[Hit], named_people.Named]:
    """Identifiers, and what names and births there are beside them, as far as their detectors are on."""
    hits: list[Hit] = []
    named = named_people.Named()
    if bench.detectors["direct_identifiers"].options.enabled:
        hits = direct_identifiers.find(view, bench.book, bench.options("direct_identifiers"))
    if bench.detectors["named_people"].options.enabled:
        taken = {h.column for h in hits}
        found = named_people.find(view, bench.forenames, bench.options("named_people"))
        named = named_people.Named(tuple(n for n in found.names if n not in taken), found.births)
    return hits, named


def _model_of(measures: Mapping[str, float]) -> str:
    return "person" if measures["named"] else "values"


def _hedged(bench: Bench, measures: dict[str, float], person: float, aggregate: float) -> float:
    """Names may take away at most half of what values say, unless the table looks like statistics."""
    options = bench.options("aggregate_shape")
    if aggregate >= options.doubt_from:
        return person - (options.doubt if options.enabled else 0.0)
    if not measures["named"]:
        return person
    values = bench.models["values"].total(measures, bench.factors["values"])
    return max(person, (person + values) / 2)


def _capped(a: Assessment) -> bool:
    """Plainly statistics: a row with a count for each combination of codes, totals, shares of a whole."""
    m = a.measures
    by_key = m["count_by_key"] > 0.95 and a.aggregate > 0.4
    totals = m["total_words"] > 0 and (m["total_row"] > 0.4 or m["total_column"] > 0)
    square = m["symmetric"] > 0.95
    return by_key or totals or square or aggregate_shape.are_shares(a.view)


def conclude(bench: Bench, a: Assessment, score: float, rows: int, table: int) -> Conclusion:
    """The conclusion about a table of which `a` is the telling sample and `score` the pooled log-odds.

    `rows` is how many were read of it in all.
    """
    if not a.view.used or a.view.rows == 0:
        return Conclusion(records_estimated=0)
    if _is_one_line_again_and_again(a.view) and not (a.hits or a.decisive):
        return Conclusion(records_estimated=0)
    score += bench.options("row_subject").bonus
    if a.capped and not a.decisive:
        cap = bench.options("aggregate_shape").cap
        score = min(score, log(max(cap, 1e-9) / (1 - cap)))
    p = chance(score + a.bonus)

    def doubts() -> list[plausibility.Doubt]:
        return _doubts(bench, a, p)

    def findings() -> tuple[Finding, ...]:
        return _findings(bench, a, doubts(), table)

    tier = _tier(bench.options("record_model"), a, doubts, p, chance(score), rows)
    subject = _subject(a)

    if tier is not Tier.NONE:
        layout = a.view.layout
        return Conclusion(Outcome.MICRODATA, tier, subject, round(p, 4), rows, findings, layout=layout)
    outcome, other = _other(a)
    sure = a.aggregate if outcome is Outcome.AGGREGATE else 1 - p
    advisories = _advisories(bench, a) if outcome is Outcome.AGGREGATE else ()
    return Conclusion(outcome, Tier.NONE, other, round(sure, 4), rows, findings, advisories)


def _is_one_line_again_and_again(view: TableView) -> bool:
    """A beat of a log, a line of dashes: rows that are all the same tell of nobody."""
    return view.rows > 1 and all(c.distinct == 1 and c.filled == view.rows for c in view.used)


def _doubts(bench: Bench, a: Assessment, p: float) -> list[plausibility.Doubt]:
    """Why a shape with the chance `p` must not decide; looked for only where it would, or is told of."""
    options = bench.options("plausibility")
    if a.doubts is None:
        a.doubts = plausibility.find(a.view, a.measures, options) if options.enabled else []
    doubts = [d for d in a.doubts if not plausibility.outweighed(d, a.view, p, options)]
    if options.enabled and not (a.hits or a.named.names or a.named.births):
        doubts += plausibility.unspoken(a.view, a.measures, p, options)
    return doubts


def _tier(
    options: Any,
    a: Assessment,
    doubts: Callable[[], Sequence[plausibility.Doubt]],
    p: float,
    shape: float,
    rows: int,
) -> Tier:
    by_identifiers = _identified(a, shape)
    if by_identifiers is Tier.CONFIRMED or not options.enabled:
        return by_identifiers
    by_shape = Tier.NONE
    if p >= options.confirmed and rows >= options.confirmed_rows and _designed(a):
        by_shape = Tier.CONFIRMED
    elif p >= options.likely and rows >= options.likely_rows:
        by_shape = Tier.LIKELY
    elif p >= options.possible and rows >= MIN_ROWS:
        by_shape = Tier.POSSIBLE
    if by_shape is not Tier.NONE:
        ceilings = [d.ceiling for d in doubts()] + [Tier.POSSIBLE] * a.is_credit
        by_shape = min([by_shape, *ceilings], key=_RISING.index)
    if by_shape is Tier.CONFIRMED or by_identifiers is Tier.NONE:
        return by_shape
    return Tier.LIKELY if Tier.LIKELY in (by_shape, by_identifiers) else Tier.POSSIBLE


def _designed(a: Assessment) -> bool:
    """No sign of statistics, and a record number, a weight or labels of values."""
    m = a.measures
    trace = (
        m["key_dense"]
        or m["key_wide"]
        or m["key_runs"]
        or m["weight_values"]
        or any(c.value_labels for c in a.view.columns)
    )
    return bool(trace) and not a.capped and a.aggregate < 0.1


def _identified(a: Assessment, shape: float) -> Tier:
    """The tier that identifiers alone give.

    Who made something is named everywhere, and a list of addresses without a header, or of two, may be that.
    """
    tier = _by_identifiers(a, shape)
    lone = a.is_contacts and (not a.is_headed or a.view.rows < MIN_ROWS or a.is_credit)
    return min(tier, Tier.POSSIBLE, key=_RISING.index) if lone else tier


def _by_identifiers(a: Assessment, shape: float) -> Tier:
    conclusive, strong = a.matched("conclusive"), a.matched("strong")
    columns = len({h.rule.id for h in a.hits if h.rule.strength != "other"})
    names, births = bool(a.named.names), bool(a.named.births)
    personal = (
        columns
        + names
        + births
        + (shape >= 0.5)
        + (a.measures["age_values"] > 0)
        + (a.measures["sex_values"] > 0)
    )
    rows = a.view.rows
    if conclusive >= 5 and personal >= 2:
        return Tier.CONFIRMED
    if rows >= 5 and names and (births or conclusive):
        return Tier.CONFIRMED
    if conclusive >= 2 or (names and columns and rows >= 2) or (names and births):
        return Tier.LIKELY
    described = births and rows >= 10 and a.measures["person_concepts"] >= 1
    if described or (strong >= 3 and personal >= 2):
        return Tier.LIKELY
    return Tier.POSSIBLE if conclusive or strong >= 3 else Tier.NONE


def _subject(a: Assessment) -> Subject:
    m = a.measures
    concepts = {w.concept for words in a.view.words for w in words}
    about_one = bool(a.hits or a.named.names) or "personid" in concepts or m["says_demographic"] >= 0.75
    return (
        Subject.HOUSEHOLD
        if m["says_household"] > 0.3 and "household" in concepts and not about_one
        else Subject.PERSON
    )


def _other(a: Assessment) -> tuple[Outcome, Subject | None]:
    m = a.measures
    if a.aggregate >= 0.5:
        return Outcome.AGGREGATE, None
    if a.view.rows < MIN_ROWS or m["says_metadata"] >= 0.6:
        return Outcome.NO_RECORDS, None
    firm = any(h.rule.subject == "organisation" for h in a.hits)
    if firm or m["says_organisation"] > max(0.3, m["says_thing"]):
        return Outcome.BUSINESS_RECORDS, Subject.ORGANISATION
    return Outcome.OTHER_RECORDS, Subject.THING


def _advisories(bench: Bench, a: Assessment) -> tuple[str, ...]:
    options = bench.options("small_cells")
    return ("small_cells",) if options.enabled and small_cells.find(a.view, options) else ()


def _findings(
    bench: Bench, a: Assessment, doubts: Sequence[plausibility.Doubt], table: int
) -> tuple[Finding, ...]:
    found = identifier_findings(a.hits, a.named, a.view, table)
    found += column_findings(a.view, table, {f.column for f in found})
    found += [
        Finding(
            "plausibility", Polarity.AGAINST, d.measure, table, value=round(d.value, 4), threshold=d.bound
        )
        for d in doubts
    ]
    model = _model_of(a.measures)
    person = bench.models[model].score(a.measures, bench.factors[model])
    found += score_findings(person, a.measures, bench.owner, table)
    if a.score > a.person:
        gain = round(a.score - a.person, 4)
        found.append(Finding("record_model", Polarity.FOR, "values_alone", table, weight=gain))
    return tuple(found)
