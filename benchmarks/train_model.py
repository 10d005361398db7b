# ruff: noqa: SIM905, E501
"""Train the record model: `make train`, or `python benchmarks/train_model.py [--corpus DIR] [--cross-validate]`.

Trains on made-up tables, on statistics derived from them, and, if given, on a folder of labelled tables:
DIR/manifest.csv with the columns path, name, label (person, aggregate, org, thing, none) names plain UTF-8 CSV
files with a header row. Every table is shown cut to 5, 10, 20, 50, 100 and 300 rows, with its own names, with
names that say nothing, shortened, and with shuffled rows. Writes `detectors/model/records.json`: numbers and
names of measures only. Seeds are fixed and numbers rounded: the same tables give the same file.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import json
import multiprocessing
import os
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "detectors" / "model" / "records.json"
sys.path.insert(0, str(ROOT))
os.environ.setdefault("OMP_NUM_THREADS", "1")  # models are fitted side by side instead

import numpy as np  # noqa: E402
from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: E402

from benchmarks import made_up_others as others  # noqa: E402
from benchmarks.derive import derived  # noqa: E402
from benchmarks.made_up_people import Made, panel_table, person_table  # noqa: E402
from benchmarks.made_up_registers import FAMILIES as REGISTERS  # noqa: E402
from benchmarks.made_up_registers import register_table  # noqa: E402
from benchmarks.made_up_releases import FAMILIES as RELEASES  # noqa: E402
from benchmarks.made_up_releases import release_table  # noqa: E402
from benchmarks.made_up_studies import study_table  # noqa: E402
from benchmarks.made_up_things import FAMILIES as THINGS  # noqa: E402
from benchmarks.made_up_things import thing_family_table  # noqa: E402
from detectors.engine.lexicon import Lexicon  # noqa: E402
from detectors.engine.roster import measured, roster  # noqa: E402
from detectors.engine.view import TableView  # noqa: E402
from detectors.row_subject import OF_NAMES  # noqa: E402

FOR_PEOPLE = (
    "says_demographic says_person says_household says_socioeconomic says_health says_attitude says_activity says_people "
    "people_concepts age_values sex_values birth_values person_concepts person_cells_share answer_cells two_codes "
    "body_values weight_values missing_codes battery rows_repeated "
    "age_and_birth work_and_school choice_of_columns counts_within heaped spans rows_named diagnosis_codes "
    "borne_out codes_as_drawn"
).split()
AGAINST_PEOPLE = (
    "says_aggregate says_economy says_organisation says_thing says_metadata says_area says_others total_row total_column "
    "total_words marks percent_cells thousands multiples_of_five period_names count_by_key published_words "
    "rows_to_hundred symmetric time_key band_key grid_full row_order sorted_share label_unique place_share area_key "
    "codes_in_turn"
).split()
FOR_STATISTICS = (
    "says_aggregate says_area says_economy total_row total_column total_words marks percent_cells thousands "
    "multiples_of_five period_names count_by_key published_words rows_to_hundred symmetric time_key band_key grid_full area_key"
).split()
CUTS = (5, 10, 20, 50, 100)
HEAD = 300
MAKERS = (person_table, study_table, others.wide_table, others.long_table, others.long_table, others.series_table,
          others.area_table, others.thing_table, others.metadata_table, panel_table)  # fmt: skip
SELDOM = (others.means_table, others.firm_table)
FAMILY_SHARE = 5
PEOPLE_WEIGH = 2.0
"""So that an even chance is where flagging a table begins to do more good than harm on the labelled tables."""
LEXICON, DETECTORS = Lexicon.load(), roster({})
Sample = tuple[str, str, str, int, bool, dict[str, float]]


def read_corpus(folder: Path) -> Iterator[Made]:
    """The labelled tables of a folder; at most 2,000 rows of each."""
    with open(folder / "manifest.csv", newline="", encoding="utf-8") as manifest:
        for line in csv.DictReader(manifest):
            with open(folder / line["path"], newline="", encoding="utf-8") as file:
                rows = [row for row, _ in zip(csv.reader(file), range(2001), strict=False)]
            label = {"org": "organisation"}.get(line["label"], line["label"])
            yield Made(line["name"], label, rows[0], rows[1:])


def made_up(count: int) -> Iterator[Made]:
    """Made-up tables, `count` of each maker, and what is derived from the records among them."""
    for seed in range(count):
        for k, maker in enumerate(MAKERS + (SELDOM if seed % 2 == 0 else ())):
            table = maker(2 * seed + k % 2)
            yield table
            if table.label == "person" and k % 2 == 0:
                yield from derived(table, seed)
    for seed in range(count // FAMILY_SHARE):
        for family in REGISTERS:
            table = register_table(seed, family)
            yield table
            if seed % 3 == 0:
                yield from derived(table, seed)
        for family in RELEASES:
            yield release_table(seed, family)
        for family in THINGS:
            yield thing_family_table(seed, family)


def samples(job: tuple[Made, bool]) -> list[Sample]:
    """One table in the shapes it is trained in: (source, label, shape, rows, whole head, measures)."""
    table, real = job
    r = random.Random(f"{table.name}{len(table.rows)}{table.header[:3]}")
    n = len(table.rows)
    sizes = [k for k in CUTS if k < n] if real else [k for k in [r.choice(CUTS)] if k < n]
    out: list[Sample] = []
    for size in (*sizes, min(HEAD, n)):
        whole = size == min(HEAD, n)
        start = r.randint(0, min(n, 2000) - size) if not whole and r.random() < 0.5 else 0
        stem = r.choice(["", "V", "x", "col_"])
        shapes: list[tuple[str, list[str] | None]] = [("kept", table.header)]
        if real or r.random() < 0.4:
            shapes.append(
                ("anonymous", [f"{stem}{i + 1}" for i in range(len(table.header))] if stem else None)
            )
        if (real and whole) or r.random() < 0.1:
            shapes.append(("short", ["".join(h.split())[:4] for h in table.header]))
        out += [_sample(table, s, h, table.rows[start : start + size], whole) for s, h in shapes]
        if whole and n >= 10 and (real or r.random() < 0.3):
            rows = table.rows[:2000]
            r.shuffle(rows)
            out.append(_sample(table, "shuffled", table.header, rows[:size], whole))
    return out


CONTEXTS = (
    "Extract", "Annex A: extract", "Produced 14 March", "Notes", "Source: as supplied", "Contact: the statistics team",
    "1. Figures as supplied", "2. Blank cells are missing values", "Sheet1", "Data", "Export", "Table 1", "data",
)  # fmt: skip


def _context(table: Made, r: random.Random) -> tuple[str, ...]:
    """Text around a table; any table may have some, so that it proves little."""
    return table.context or (tuple(r.sample(CONTEXTS, r.randint(1, 5))) if r.random() < 0.35 else ())


def _sample(table: Made, shape: str, header: list[str] | None, rows: list[list[str]], whole: bool) -> Sample:
    r = random.Random(f"{table.name}{shape}{len(rows)}")
    view = TableView(header, rows, LEXICON, _context(table, r))
    return table.name, table.label, shape, len(rows), whole, measured(view, DETECTORS)


def gather(corpus: Path | None, count: int, cache: Path | None = None) -> list[Sample]:
    """All training samples, in one fixed order; kept in the folder `cache` until anything they depend on changes."""
    kept = cache / f"samples-{digest(corpus, count)}.json.gz" if cache else None
    if kept is not None and kept.exists():
        with gzip.open(kept, "rt", encoding="utf-8") as file:
            return [tuple(json.loads(line)) for line in file]  # type: ignore[misc]
    found = _gathered(corpus, count)
    if kept is not None:
        with gzip.open(kept, "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(sample) + "\n" for sample in found)
    return found


def digest(corpus: Path | None, count: int) -> str:
    """Stands for all that training samples depend on: detectors, lexicon, made-up tables and labelled ones."""
    total = hashlib.sha256(str(count).encode())
    files = [*(ROOT / "detectors").rglob("*.py"), *(ROOT / "detectors").rglob("*.toml")]
    files += [*(ROOT / "benchmarks").glob("made_up_*.py"), ROOT / "benchmarks" / "derive.py", Path(__file__)]
    files += list(corpus.glob("*.csv")) if corpus else []
    for file in sorted(files):
        total.update(file.name.encode() + file.read_bytes())
    return total.hexdigest()[:16]


def _gathered(corpus: Path | None, count: int) -> list[Sample]:
    jobs: list[tuple[Made, bool]] = []
    for table in read_corpus(corpus) if corpus else ():
        jobs.append((table, True))
        if table.label == "person":
            jobs += [(d, False) for seed in (1, 2) for d in derived(table, seed)]
    jobs += [(table, False) for table in made_up(count)]
    with multiprocessing.Pool(2) as pool:
        return [s for part in pool.imap(samples, jobs, chunksize=16) for s in part]


def weights(found: list[Sample]) -> np.ndarray[Any, Any]:
    """Every source counts by the root of its samples; made-up ones less than real ones."""
    times = Counter(s[0] for s in found)
    real = {s[0] for s in found if not s[0].startswith("made_up") and s[1] == "person"}
    own = [
        0.35 if s[0].startswith("made_up") else 0.7 if s[1] == "aggregate" and s[0] in real else 1.0
        for s in found
    ]
    return np.array([w / times[s[0]] ** 0.5 for w, s in zip(own, found, strict=True)])


def directions(measures: list[str], target: str) -> list[int]:
    """Which way a measure may move the score of `target`: more person words never make a table less personal."""
    signs = {m: 1 for m in FOR_PEOPLE} | {m: -1 for m in AGAINST_PEOPLE}
    if target == "aggregate":
        signs = {m: 1 for m in FOR_STATISTICS}
    return [signs.get(m, 0) for m in measures]


def fresh(measures: list[str], target: str) -> HistGradientBoostingClassifier:
    """The untrained model."""
    return HistGradientBoostingClassifier(
        learning_rate=0.04,
        max_iter=300,
        max_leaf_nodes=16,
        min_samples_leaf=20,
        l2_regularization=1.0,
        max_features=0.15,
        monotonic_cst=directions(measures, target),
        early_stopping=False,
        random_state=1,
    )


def exported(model: HistGradientBoostingClassifier, measures: list[str]) -> dict[str, Any]:
    """A trained model as plain numbers. Inner nodes get the mean of their leaves, for the shares of measures."""
    trees = []
    for (predictor,) in model._predictors:
        nodes = predictor.nodes
        means = nodes["value"].astype(float).copy()
        for node in reversed(range(len(nodes))):
            if not nodes["is_leaf"][node]:
                left, right = int(nodes["left"][node]), int(nodes["right"][node])
                n_left, n_right = float(nodes["count"][left]), float(nodes["count"][right])
                means[node] = (means[left] * n_left + means[right] * n_right) / (n_left + n_right)
        leaf = nodes["is_leaf"].astype(bool)
        trees.append(
            {
                "measure": [
                    -1 if is_leaf else int(f) for f, is_leaf in zip(nodes["feature_idx"], leaf, strict=True)
                ],
                "threshold": [
                    0 if is_leaf else float(f"{x:.6g}")
                    for x, is_leaf in zip(nodes["num_threshold"], leaf, strict=True)
                ],
                "left": [int(x) for x in nodes["left"]],
                "right": [int(x) for x in nodes["right"]],
                "mean": [round(float(m), 4) for m in means],
            }
        )
    return {
        "measures": measures,
        "start": round(float(np.ravel(model._baseline_prediction)[0]), 4),
        "trees": trees,
    }


def family_group(name: str, groups: int) -> int:
    """The group of a made-up table's family; whole families are held out together. -1: not of a family."""
    parts = name.split(".")
    if parts[0] != "made_up" or parts[1] not in REGISTERS | RELEASES | THINGS:
        return -1
    return int(hashlib.sha256(parts[1].encode()).hexdigest(), 16) % max(1, groups)


def source_fold(name: str, folds: int) -> int:
    """The fold of a data set and of all that was derived from it."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % max(1, folds)


def fitted(job: tuple[str, list[Sample], list[str]]) -> tuple[str, dict[str, Any]]:
    """One model on some of the samples: (target, plain numbers)."""
    target, found, measures = job
    x = np.array([[s[5][m] for m in measures] for s in found])
    y = np.array([s[1] == ("aggregate" if target == "aggregate" else "person") for s in found])
    w = weights(found) * np.where(y & (target != "aggregate"), PEOPLE_WEIGH, 1.0)
    return target, exported(fresh(measures, target).fit(x, y, sample_weight=w), measures)


def jobs_of(found: list[Sample]) -> list[tuple[str, list[Sample], list[str]]]:
    """What to fit: people by all measures, people by values alone (tables without names), statistics."""
    nameless = [s for s in found if s[5]["named"] == 0]
    whole = sorted(found[0][5])
    values = [m for m in whole if m not in OF_NAMES]
    return [("person", found, whole), ("values", nameless, values), ("aggregate", found, whole)]


def write(out: Path, found: list[Sample], use: list[bool], pool: Any) -> None:
    """Fit both models on the samples in use and write them as one file."""
    chosen = [s for s, own in zip(found, use, strict=True) if own]
    models = dict(pool.map(fitted, jobs_of(chosen), chunksize=1))
    text = json.dumps({"format": 1, "models": models}, separators=(",", ":"))
    out.write_text(text.replace('{"measure"', '\n{"measure"') + "\n", "utf-8")
    print(
        f"{out.name}: {len(chosen)} of {len(found)} samples, {len({s[0] for s in chosen})} sources",
        flush=True,
    )


def main() -> None:
    """Train and write: the model, and on demand models that did not see some data sets or some families."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--corpus", type=Path, help="folder of labelled tables")
    parser.add_argument("--made-up", type=int, default=150, help="made-up tables of each kind")
    parser.add_argument(
        "--folds", type=int, default=0, help="write fold-K-of-FOLDS.json beside it, by data set"
    )
    parser.add_argument(
        "--families", type=int, default=0, help="write family-K-of-FAMILIES.json, by made-up family"
    )
    parser.add_argument(
        "--cache", type=Path, help="folder that keeps the measures of all samples between runs"
    )
    parser.add_argument(
        "--out", type=Path, help="default: the shipped model if --corpus is given, else build/records.json"
    )
    options = parser.parse_args()
    if options.out is None:
        options.out = SHIPPED if options.corpus else ROOT / "build" / "records.json"
        options.out.parent.mkdir(exist_ok=True)
    if options.corpus is None:
        print("made-up tables alone make a weaker model than the shipped one, which stays as it is")
    found = gather(options.corpus, options.made_up, options.cache)
    folds, families = options.folds, options.families
    with multiprocessing.Pool(2) as pool:
        write(options.out, found, [True] * len(found), pool)
        for k in range(folds):
            use = [source_fold(s[0], folds) != k for s in found]
            write(options.out.with_name(f"fold-{k}-of-{folds}.json"), found, use, pool)
        for k in range(families):
            use = [family_group(s[0], families) != k for s in found]
            write(options.out.with_name(f"family-{k}-of-{families}.json"), found, use, pool)


if __name__ == "__main__":
    main()
