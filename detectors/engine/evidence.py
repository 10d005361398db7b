"""Findings: what speaks for and against, by detector, measure, place and number. No text from the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from detectors.direct_identifiers import BONUS
from detectors.engine.columns import Column
from detectors.engine.rules import Hit
from detectors.engine.verdict import Finding, Polarity, Role
from detectors.engine.view import TableView
from detectors.engine.weigh import Score
from detectors.key_variables import age_like, birth_like
from detectors.named_people import Named
from detectors.plausibility import MEASURES as PLAUSIBILITY_MEASURES
from detectors.survey_design import weight_like

COLUMN_MEASURES = (
    "values_like",
    "name_says",
    "lowest",
    "highest",
    "unsorted",
    "unique_share",
    "valid_share",
    "names",
    "births",
    "coded_columns",
    "values_alone",
    "text_identifiers",
    *PLAUSIBILITY_MEASURES,
)
MAX_COLUMNS = 40
MAX_SCORES = 10
LEAST_SHARE = 0.15
_NOT_PEOPLE = frozenset(
    ["aggregate", "thing", "economy", "area", "time", "metadata", "organisation", "experiment"]
)
_SENSITIVE = frozenset(
    [
        "income",
        "finance",
        "diagnosis",
        "treatment",
        "survival",
        "measures",
        "behaviour",
        "religion",
        "politics",
        "orientation",
        "disability",
        "crime",
        "ethnicity",
    ]
)


def identifier_findings(hits: Iterable[Hit], named: Named, view: TableView, table: int) -> list[Finding]:
    """One finding for each identifier column."""
    found = []
    for h in hits:
        other = h.rule.strength == "other"
        found.append(
            Finding(
                "direct_identifiers",
                Polarity.AGAINST if other else Polarity.FOR,
                "valid_share",
                table,
                h.column,
                h.rule.id,
                None if other else Role.DIRECT_IDENTIFIER,
                round(h.matched / h.seen, 4),
                0.8,
                BONUS[h.rule.strength],
                h.seen,
                h.matched,
            )
        )
    for measure, columns, weight in (("names", named.names, 2.5), ("births", named.births, 1.0)):
        for j in columns:
            role = Role.DIRECT_IDENTIFIER if measure == "names" else Role.KEY_VARIABLE
            term = "name" if measure == "names" else "birth"
            c = view.columns[j]
            found.append(
                Finding(
                    "named_people",
                    Polarity.FOR,
                    measure,
                    table,
                    j,
                    term,
                    role,
                    float(c.distinct),
                    None,
                    weight,
                    view.rows,
                    c.filled,
                )
            )
    return found


def column_findings(view: TableView, table: int, taken: set[int | None]) -> list[Finding]:
    """Key and sensitive variables, weights and record numbers, by position and term."""
    found: list[Finding] = []
    for c, words in zip(view.columns, view.words, strict=True):
        if c.position in taken or len(found) >= MAX_COLUMNS or not c.counts:
            continue
        concepts = [w.concept for w in words if w.family not in _NOT_PEOPLE]
        found += _column(c, concepts, table, view.rows)
    coded = sum(c.low for c in view.used)
    if coded:
        found.append(
            Finding(
                "unit_records",
                Polarity.FOR,
                "coded_columns",
                table,
                value=float(coded),
                records_seen=view.rows,
            )
        )
    return found


def _column(c: Column, concepts: list[str], table: int, rows: int) -> list[Finding]:
    def about(
        measure: str, term: str | None, role: Role, value: float, detector: str = "key_variables"
    ) -> Finding:
        return Finding(
            detector,
            Polarity.FOR,
            measure,
            table,
            c.position,
            term,
            role,
            round(value, 4),
            records_seen=rows,
            records_matched=c.filled,
        )

    if ("age" in concepts and _ages(c)) or age_like(c) >= 1.0:
        low, high = min(c.numbers), max(c.numbers)
        unsorted = c.lag1 is not None and abs(c.lag1) < 0.5 and not c.sorted
        return [
            about("lowest", "age", Role.KEY_VARIABLE, low),
            about("highest", "age", Role.KEY_VARIABLE, high),
            *([about("unsorted", "age", Role.KEY_VARIABLE, 1 - abs(c.lag1 or 0.0))] if unsorted else []),
        ]
    if birth_like(c):
        return [about("values_like", "birth", Role.KEY_VARIABLE, birth_like(c))]
    if weight_like(c) and ("weight" in concepts or not concepts):
        return [about("values_like", "weight", Role.WEIGHT, 1.0, "survey_design")]
    if c.distinct == rows >= 5 and ((c.whole and not concepts) or {"personid", "record"} & set(concepts)):
        return [
            about("unique_share", concepts[0] if concepts else None, Role.RECORD_ID, 1.0, "survey_design")
        ]
    if concepts:
        role = Role.SENSITIVE_VARIABLE if concepts[0] in _SENSITIVE else Role.KEY_VARIABLE
        return [about("name_says", concepts[0], role, 1.0, "row_subject")]
    return []


def _ages(c: Column) -> bool:
    """Numbers that can be ages in years, not the codes of bands; from a name that speaks of age."""
    if not c.numeric or min(c.numbers) < 0 or max(c.numbers) > 120:
        return False
    return max(c.numbers) >= 13 and c.kinds >= min(8, c.filled // 2)


def score_findings(
    person: Score, measures: Mapping[str, float], owner: Mapping[str, str], table: int
) -> list[Finding]:
    """The measures that moved the score most, both ways; the strongest against is always among them."""
    ranked = sorted(person.shares.items(), key=lambda item: (-abs(item[1]), item[0]))
    chosen = [(m, s) for m, s in ranked if abs(s) >= LEAST_SHARE][:MAX_SCORES]
    against = next(((m, s) for m, s in ranked if s < 0), None)
    if against is not None and against not in chosen:
        chosen.append(against)
    return [
        Finding(
            owner[m],
            Polarity.FOR if s > 0 else Polarity.AGAINST,
            m,
            table,
            value=measures[m],
            weight=round(s, 4),
        )
        for m, s in chosen
        if s != 0
    ]
