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
import hashlib
import json
import multiprocessing
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from sklearn.ensemble import GradientBoostingClassifier  # noqa: E402

from benchmarks import made_up_others as others  # noqa: E402
from benchmarks.derive import derived  # noqa: E402
from benchmarks.made_up_people import Made, panel_table, person_table  # noqa: E402
from detectors.engine.lexicon import Lexicon  # noqa: E402
from detectors.engine.roster import measured, roster  # noqa: E402
from detectors.engine.view import TableView  # noqa: E402

CUTS = (5, 10, 20, 50, 100)
HEAD = 300
MAKERS = (person_table, person_table, others.wide_table, others.long_table, others.long_table, others.series_table,
          others.area_table, others.thing_table, others.metadata_table)  # fmt: skip
SELDOM = (panel_table, others.means_table, others.firm_table)
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


def _sample(table: Made, shape: str, header: list[str] | None, rows: list[list[str]], whole: bool) -> Sample:
    view = TableView(header, rows, LEXICON, table.context)
    return table.name, table.label, shape, len(rows), whole, measured(view, DETECTORS)


def gather(corpus: Path | None, count: int) -> list[Sample]:
    """All training samples, in one fixed order."""
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


def fresh(seed: int) -> GradientBoostingClassifier:
    """The untrained model."""
    return GradientBoostingClassifier(
        n_estimators=250, max_depth=4, learning_rate=0.06, subsample=0.5, max_features=0.25, min_samples_leaf=12, random_state=seed
    )  # fmt: skip


def exported(model: GradientBoostingClassifier, measures: list[str]) -> dict[str, Any]:
    """A trained model as plain numbers. Inner nodes get the mean of their leaves, for the shares of measures."""
    rate, trees = model.learning_rate, []
    for (regressor,) in model.estimators_:
        t = regressor.tree_
        means = t.value[:, 0, 0].copy()
        for node in reversed(range(t.node_count)):
            left, right = t.children_left[node], t.children_right[node]
            if left >= 0:
                n_left, n_right = t.weighted_n_node_samples[left], t.weighted_n_node_samples[right]
                means[node] = (means[left] * n_left + means[right] * n_right) / (n_left + n_right)
        trees.append(
            {
                "measure": [int(f) if f >= 0 else -1 for f in t.feature],
                "threshold": [
                    float(f"{x:.6g}") if f >= 0 else 0 for x, f in zip(t.threshold, t.feature, strict=True)
                ],
                "left": [int(x) for x in t.children_left],
                "right": [int(x) for x in t.children_right],
                "mean": [round(float(m) * rate, 5) for m in means],
            }
        )
    start = float(np.log(model.init_.class_prior_[1] / model.init_.class_prior_[0]))
    return {"measures": measures, "start": round(start, 5), "trees": trees}


def main() -> None:
    """Train and write, or cross-validate and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--corpus", type=Path, help="folder of labelled tables")
    parser.add_argument("--made-up", type=int, default=300, help="made-up tables of each kind")
    parser.add_argument(
        "--folds", type=int, default=0, help="write out-of-fold models FOLDS/person-K.json as well"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "detectors" / "model" / "records.json")
    options = parser.parse_args()
    found = gather(options.corpus, options.made_up)
    measures = sorted(found[0][5])
    x = np.array([[s[5][m] for m in measures] for s in found])
    w = weights(found)
    targets = {
        "person": np.array([s[1] == "person" for s in found]),
        "aggregate": np.array([s[1] == "aggregate" for s in found]),
    }
    fold = np.array(
        [int(hashlib.sha256(s[0].encode()).hexdigest(), 16) % max(1, options.folds) for s in found]
    )
    for k in (None, *range(options.folds)):
        use = np.ones(len(found), bool) if k is None else fold != k
        models = {
            name: exported(fresh(7).fit(x[use], y[use], sample_weight=w[use]), measures)
            for name, y in targets.items()
        }
        text = json.dumps({"format": 1, "models": models}, separators=(",", ":")).replace(
            '{"measure"', '\n{"measure"'
        )
        out = options.out if k is None else options.out.with_name(f"fold-{k}-of-{options.folds}.json")
        out.write_text(text + "\n", "utf-8")
        print(
            f"{out.name}: {len(found)} samples of {len(set(s[0] for s in found))} sources, {int(use.sum())} used"
        )


if __name__ == "__main__":
    main()
