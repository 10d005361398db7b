# ruff: noqa: E501
"""Other names, few rows, unseen families: `python benchmarks/shapes.py TABLES --models MODELS [--families N]`.

TABLES is the folder that the trainer was given, MODELS that of `fold-K-of-N.json` (and `family-K-of-N.json`) that
it wrote with `--folds` (and `--families`). Every table is judged by the model that never saw its data set: under its
own names, in Welsh, cut to four letters, with no names; and its first 50, 20, 10 and 5 rows. With `--families` the
made-up tables of every family are judged by the model that never saw a table of that family.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.accuracy import fold_of  # noqa: E402
from benchmarks.made_up_people import POOL, Made  # noqa: E402
from benchmarks.made_up_programs import FAMILIES as PROGRAMS  # noqa: E402
from benchmarks.made_up_programs import program_table  # noqa: E402
from benchmarks.made_up_registers import FAMILIES as REGISTERS  # noqa: E402
from benchmarks.made_up_registers import register_table  # noqa: E402
from benchmarks.made_up_releases import FAMILIES as RELEASES  # noqa: E402
from benchmarks.made_up_releases import release_table  # noqa: E402
from benchmarks.made_up_things import FAMILIES as THINGS  # noqa: E402
from benchmarks.made_up_things import thing_family_table  # noqa: E402
from benchmarks.train_model import family_group, read_corpus  # noqa: E402
from detectors.engine.judge import Conclusion, Judge  # noqa: E402
from detectors.engine.table import Table  # noqa: E402
from detectors.engine.verdict import Tier  # noqa: E402

OTHER_WELSH = {
    "income": "incwm", "education": "addysg", "educ": "addysg", "id": "cyf", "weight": "pwysau", "height": "taldra", "race": "hil",
    "wage": "cyflog", "name": "enw", "year": "blwyddyn", "married": "priod", "health": "iechyd", "children": "plant", "hours": "oriau",
    "score": "sgor", "time": "amser", "group": "grwp",
}  # fmt: skip
WELSH = {word: names[2] for names, _ in POOL for word in names[:2]} | OTHER_WELSH
CUTS = (50, 20, 10, 5)
APART = ("thing", "organisation")


def shapes(t: Made) -> Iterator[tuple[str, list[str] | None, list[list[str]]]]:
    """A table in every shape it is shown in: (shape, names, rows)."""
    yield "own names", t.header, t.rows
    yield "Welsh, where a word is known", [WELSH.get(h.lower(), h) for h in t.header], t.rows
    yield "cut to four letters", ["".join(h.split())[:4] for h in t.header], t.rows
    yield "V1…Vn, or none", None, t.rows
    for cut in CUTS:
        if len(t.rows) > cut:
            yield f"{cut} rows", t.header, t.rows[:cut]


def judged(judge: Judge, header: list[str] | None, rows: list[list[str]]) -> Conclusion:
    """The conclusion about one table, as a file with nothing else in it."""
    judgement = judge.begin()
    judgement.table(Table(header, iter(rows)))
    return judgement.conclude()


def scored(counts: Counter[str]) -> str:
    """Precision, recall, F1 and what was flagged besides, of one shape."""
    tp, fn, fp = counts["person yes"], counts["person no"], counts["aggregate yes"]
    precision, recall = tp / max(1, tp + fp), tp / max(1, tp + fn)
    f1 = 2 * precision * recall / max(1e-9, precision + recall)
    of = fp + counts["aggregate no"]
    others = f"{counts['other yes']}/{counts['other yes'] + counts['other no']}"
    tiers = f"{counts['confirmed']}/{counts['likely']}/{counts['possible']}"
    return f"| {precision:.3f} | {recall:.3f} | {f1:.3f} | {fp}/{of} | {others} | {tiers} |"


def names_and_cuts(tables: Path, judges: list[Judge]) -> None:
    """Print the table of shapes. Five rows can be no more than POSSIBLE, so that counts as found there."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for t in read_corpus(tables):
        if t.label == "person" and len(t.header) <= 2:
            continue
        side = "other" if t.label in APART else "person" if t.label == "person" else "aggregate"
        for shape, header, rows in shapes(t):
            found = judged(judges[fold_of(t.name, len(judges))], header, rows)
            yes = found.tier is not Tier.NONE if shape == "5 rows" else found.flagged
            counts[shape][f"{side} {'yes' if yes else 'no'}"] += 1
            counts[shape][found.tier.value] += side == "person"
    print("| | precision | recall | F1 | statistics flagged | things, organisations | people by tier |")
    print("|---|---|---|---|---|---|---|")
    for shape, c in counts.items():
        print(f"| {shape} {scored(c)}")


def families(models: Path, groups: int, each: int = 40) -> None:
    """Print, by made-up family, the share flagged by the model that never saw the family."""
    judges = [Judge({}, (models / f"family-{k}-of-{groups}.json").read_text("utf-8")) for k in range(groups)]
    for title, kinds, make in (
        ("records", REGISTERS, register_table),
        ("statistics", RELEASES, release_table),
        ("things", THINGS, thing_family_table),
    ):
        total = hits = 0
        parts = []
        for family in kinds:
            judge = judges[family_group(f"made_up.{family}.0", groups)]
            found = [t for seed in range(1000, 1000 + each) if len((t := make(seed, family)).rows) >= 10]
            yes = sum(judged(judge, t.header, t.rows).flagged for t in found)
            total, hits = total + len(found), hits + yes
            parts.append(f"{family} {yes}/{len(found)}")
        print(
            f"\nMade-up {title}, no family in training and test: flagged {hits}/{total}\n  "
            + ", ".join(parts)
        )


def programs(each: int = 40) -> None:
    """Print what the shipped model flags of tables out of programs' files, on which no model was trained."""
    judge, total, hits, parts = Judge(), 0, 0, []
    for family in PROGRAMS:
        found = [t for seed in range(1000, 1000 + each) if len((t := program_table(seed, family)).rows) >= 10]
        yes = sum(judged(judge, t.header, t.rows).flagged for t in found)
        total, hits = total + len(found), hits + yes
        parts.append(f"{family} {yes}/{len(found)}")
    print(f"\nMade-up tables of programs' files: flagged {hits}/{total}\n  " + ", ".join(parts))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("tables", type=Path)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--families", type=int, default=0)
    options = parser.parse_args()
    judges = [Judge({}, path.read_text("utf-8")) for path in sorted(options.models.glob("fold-*-of-*.json"))]
    names_and_cuts(options.tables, judges)
    if options.families:
        families(options.models, options.families)
    programs()


if __name__ == "__main__":
    main()
