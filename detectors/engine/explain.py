"""One sentence about a verdict, made only of its codes and numbers.

Runs on the privileged side, so it imports the wire types and nothing else. Every word in the answer is a
constant of this module, a number, or a code of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterable

from detectors.engine.verdict import Finding, Outcome, Polarity, Protection, Role, Subject, Tier, Verdict

_SUBJECTS = {
    Subject.PERSON: ("person", "people, one per row"),
    Subject.HOUSEHOLD: ("household", "households, one per row"),
    Subject.ORGANISATION: ("organisation", "organisations, one per row"),
    Subject.THING: ("thing", "things or events, one per row"),
}
_AGAINST = {
    "total_row": "a row of totals",
    "total_column": "a column of totals",
    "total_words": "rows called total",
    "marks": "withheld or low cells marked",
    "percent_cells": "percentages",
    "multiples_of_five": "counts rounded to 5 or 10",
    "period_names": "years or months as columns",
    "count_by_key": "one count for each combination of codes",
    "published_words": "the words of a published table around it",
    "rows_to_hundred": "rows that add up to 100",
    "symmetric": "a symmetric matrix",
    "time_key": "a row for each point in time",
    "place_share": "names of places",
    "area_key": "a code of an area on each row",
    "band_key": "a row for each age or amount band",
    "grid_full": "one row for each combination of codes",
    "row_order": "rows that follow an order",
    "row_order_share": "rows that follow an order",
    "sorted_share": "sorted columns",
    "label_unique": "a name of its own on each row",
    "related": "columns that move together",
    "says_aggregate": "names of counts and rates",
    "says_area": "names of areas",
    "says_economy": "names of economic series",
    "says_organisation": "names of firms or institutions",
    "says_thing": "names of things",
    "says_metadata": "names of a code book",
    "says_others": "names that speak of no person",
    "valid_share": "numbers of books, goods or firms",
    "large_counts": "large counts",
}
_BETWEEN = {
    "age_and_birth": "an age and a year of birth that agree",
    "work_and_school": "years of work that follow from age and schooling",
    "choice_of_columns": "a choice among the columns",
    "counts_within": "persons numbered within households",
    "spans": "spells that begin and end",
    "diagnosis_codes": "diagnoses",
    "rows_named": "a person's name on each row",
    "battery": "a battery of questions",
}
_NO_STATISTICS = ("no totals", "no rounding")
_MAX_LIST = 4


def explain(verdict: Verdict) -> str:
    """What the file is and the strongest evidence for and against, in one sentence."""
    if verdict.outcome is Outcome.ENCRYPTED:
        if verdict.protection is Protection.STRONG:
            return "Strongly encrypted; its content was not inspected."
        return "Weakly protected, which counts as unprotected; its content was not inspected."
    if verdict.outcome is Outcome.UNREADABLE:
        reason = verdict.reason.value.replace("_", " ") if verdict.reason else "unknown"
        return f"Could not be fully examined ({reason}), so it does not count as clean."
    if verdict.outcome is Outcome.NO_RECORDS:
        return "No table of records and no identifiers of people were found."
    if verdict.outcome is Outcome.MICRODATA:
        return _records(verdict)
    against = _against(verdict.findings)
    what = {
        Outcome.AGGREGATE: "Statistics, not records",
        Outcome.BUSINESS_RECORDS: "Records of organisations, not of people",
        Outcome.OTHER_RECORDS: "Records of things or events, not of people",
    }[verdict.outcome]
    small = "; small counts stand unsuppressed" if "small_cells" in verdict.advisories else ""
    return f"{what}" + (f": {_listed(against)}" if against else "") + f"{small}; no direct identifiers."


def _records(verdict: Verdict) -> str:
    found = verdict.findings
    identifiers = _identifiers(found)
    if any(f.measure == "text_identifiers" for f in found):
        return f"Identifiers of people in running text: {_listed(identifiers)}."
    one, many = _SUBJECTS[verdict.subject or Subject.PERSON]
    n = verdict.records_estimated or 0
    more = "at least " if not verdict.complete and n >= 300 else ""
    start = f"{more}{n:,} {many}" if n != 1 else f"1 {one}"
    if verdict.tier is Tier.POSSIBLE:
        start = f"perhaps {start}"
    parts = _traits(found)
    against = _against(found)
    tail = _listed(against[:2]) if against else ", ".join(_NO_STATISTICS)
    ending = f"against: {tail}" if against else tail
    named = (
        f"direct identifiers: {_listed(identifiers)}"
        if identifiers
        else "no direct identifiers (pseudonymised)"
    )
    sentence = f"{start}: {', '.join(parts) or 'shaped like records'}; {ending}; {named}."
    return sentence[0].upper() + sentence[1:]


def _traits(found: Iterable[Finding]) -> list[str]:
    found = list(found)
    parts: list[str] = []
    low = next((f for f in found if f.measure == "lowest" and f.term == "age"), None)
    high = next((f for f in found if f.measure == "highest" and f.term == "age"), None)
    if low is not None and high is not None and low.value is not None and high.value is not None:
        order = " unsorted" if any(f.measure == "unsorted" for f in found) else ""
        parts.append(f"ages {low.value:g}–{high.value:g}{order}")
    terms = [f.term for f in found if f.measure in ("name_says", "values_like") and f.term]
    told = {"weight", "record", "sample"} | ({"age"} if parts else set())
    words = list(dict.fromkeys(t.replace("_", " ") for t in terms if t not in told))
    if words:
        parts.append("variables on " + _listed(words))
    coded = next((f for f in found if f.measure == "coded_columns"), None)
    if coded is not None and coded.value:
        parts.append(f"{coded.value:g} coded column" + ("s" if coded.value != 1 else ""))
    key = next((f for f in found if f.measure == "unique_share" and f.column is not None), None)
    if key is not None and key.column is not None:
        parts.append(f"column {key.column + 1} unique")
    parts += [
        _BETWEEN[f.measure] for f in found if f.polarity is Polarity.FOR and f.value and f.measure in _BETWEEN
    ]
    if any(f.role is Role.WEIGHT for f in found):
        parts.append("a survey weight")
    return parts


def _identifiers(found: Iterable[Finding]) -> list[str]:
    listed = []
    for f in found:
        if f.role is Role.DIRECT_IDENTIFIER and f.term:
            listed.append(
                f.term.replace("_", " ") + (f" in column {f.column + 1}" if f.column is not None else "")
            )
        elif f.measure == "births":
            listed.append("date of birth" + (f" in column {f.column + 1}" if f.column is not None else ""))
    return listed


def _against(found: Iterable[Finding]) -> list[str]:
    ranked = sorted((f for f in found if f.polarity is Polarity.AGAINST), key=lambda f: f.weight)
    words = [_AGAINST[f.measure] for f in ranked if f.measure in _AGAINST and f.value]
    return list(dict.fromkeys(words))[:_MAX_LIST]


def _listed(words: list[str]) -> str:
    shown = words[:_MAX_LIST]
    more = f" and {len(words) - _MAX_LIST} more" if len(words) > _MAX_LIST else ""
    return ", ".join(shown) + more
