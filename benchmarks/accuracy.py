# ruff: noqa: E501
"""Accuracy on a labelled corpus: `make accuracy CORPUS=DIR`, or `python benchmarks/accuracy.py DIR [--models DIR]`.

DIR/manifest.csv has the columns path, name, label, format, expected (flag or ignore) and kind. Every file goes
through the very examination that the service uses. With `--models` (files `fold-K-of-N.json` that `make train`
writes with `--folds N`) each file is judged by the model that never saw its data set: the data set is the name
before "#", and made-up files are judged by the first. Records of organisations and of things, weakly encrypted
files and person tables of one or two columns (kind real_thin) are shown apart.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import multiprocessing
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from detectors.engine.examine import examine  # noqa: E402
from detectors.engine.judge import Judge  # noqa: E402
from detectors.engine.table import ReadLimits  # noqa: E402

Line = dict[str, str]
JUDGES: dict[int, Judge] = {}
APART = ("org", "thing", "weak")


def fold_of(name: str, folds: int) -> int:
    """The fold of a data set, as the trainer counts it."""
    return int(hashlib.sha256(name.split("#")[0].encode()).hexdigest(), 16) % max(1, folds)


def judged(job: tuple[Path, Line, int]) -> dict[str, object]:
    """The verdict on one file, as `scan --json` would print it, with its manifest line."""
    folder, line, fold = job
    data = (folder / line["path"]).read_bytes()
    verdict = examine(io.BytesIO(data), len(data), JUDGES[fold], ReadLimits())
    return verdict.to_json() | {"path": str(folder / line["path"]), "line": line}


def apart(line: Line) -> bool:
    """Whether a file stays out of the main figures."""
    return line["label"] in APART or line["kind"] == "real_thin"


def main_figures(found: Iterable[dict[str, object]]) -> str:
    """Precision, recall and F1 over the files that count."""
    counts: Counter[tuple[bool, bool]] = Counter()
    for verdict in found:
        line = verdict["line"]
        assert isinstance(line, dict)
        if not apart(line):
            counts[line["expected"] == "flag", bool(verdict["flagged"])] += 1
    tp, fn, fp, tn = counts[True, True], counts[True, False], counts[False, True], counts[False, False]
    precision, recall = tp / max(1, tp + fp), tp / max(1, tp + fn)
    f1 = 2 * precision * recall / max(1e-9, precision + recall)
    return f"tp {tp}  fn {fn}  fp {fp}  tn {tn}   precision {precision:.3f}  recall {recall:.3f}  F1 {f1:.3f}"


def table(title: str, found: Iterable[dict[str, object]], key: str) -> None:
    """Share flagged by one column of the manifest, expected and not."""
    groups: dict[str, Counter[str]] = defaultdict(Counter)
    for verdict in found:
        line = verdict["line"]
        assert isinstance(line, dict)
        group = groups[line[key]]
        side = "want" if line["expected"] == "flag" else "avoid"
        group[side] += 1
        group[side + "_flagged"] += bool(verdict["flagged"])
        group["unreadable"] += verdict["outcome"] == "unreadable"
    print(f"\n{title:<26}{'wanted':>16}{'not wanted':>16}{'unreadable':>12}")
    for name, c in sorted(groups.items()):
        want, avoid = f"{c['want_flagged']}/{c['want']}", f"{c['avoid_flagged']}/{c['avoid']}"
        print(f"  {name:<24}{want:>16}{avoid:>16}{c['unreadable']:>12}")


def calibration(found: Iterable[dict[str, object]]) -> None:
    """Of the files given a confidence of being records, how many hold records of people."""
    bins: dict[int, Counter[bool]] = defaultdict(Counter)
    for verdict in found:
        line, sure = verdict["line"], verdict["confidence"]
        assert isinstance(line, dict) and isinstance(sure, float)
        if verdict["outcome"] != "unreadable" and line["kind"].startswith("real"):
            p = sure if verdict["outcome"] == "microdata" else 1 - sure
            bins[min(9, int(p * 10))][line["label"] == "person"] += 1
    print("\nConfidence in records of people, and the share that are (real data sets)")
    for b, c in sorted(bins.items()):
        print(f"  {b / 10:.1f}-{b / 10 + 0.1:.1f}  {c[True]:>5}/{c.total():<5} {c[True] / c.total():.2f}")


def agreement(found: Iterable[dict[str, object]]) -> None:
    """Of all pairs of formats of one and the same table: how many are flagged alike, and which formats stand alone."""
    tables: dict[str, dict[str, tuple[bool, str]]] = defaultdict(dict)
    for verdict in found:
        line = verdict["line"]
        assert isinstance(line, dict)
        if verdict["outcome"] != "unreadable":
            tables[line["name"].split("#")[0]][line["format"]] = (
                bool(verdict["flagged"]),
                str(verdict["outcome"]),
            )
    pairs = alike = same = 0
    alone: dict[str, Counter[bool]] = defaultdict(Counter)
    for formats in tables.values():
        for a, b in combinations(formats.values(), 2):
            pairs, alike, same = pairs + 1, alike + (a[0] == b[0]), same + (a == b)
        usual = Counter(f for f, _ in formats.values()).most_common(1)[0][0]
        for name, (flagged, _) in formats.items():
            alone[name][flagged != usual] += 1
    print(
        f"\nPairs of formats of one table: {pairs}; flagged alike {alike / max(1, pairs):.4f}; outcome too {same / max(1, pairs):.4f}"
    )
    for name, c in sorted(alone.items(), key=lambda item: -item[1][True]):
        if c[True]:
            print(f"  {name:<24}{c[True]:>4} of {c.total()} unlike the most")


def main() -> None:
    """Judge every file and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--models", type=Path, help="folder of fold-K-of-N.json")
    parser.add_argument("--verdicts", type=Path, help="write the verdicts here, one JSON object a line")
    parser.add_argument("--misses", type=int, default=0, help="list so many misses and false alarms")
    parser.add_argument(
        "--agreement", action="store_true", help="the corpus holds the same tables in many formats"
    )
    options = parser.parse_args()
    models = sorted(options.models.glob("fold-*-of-*.json")) if options.models else []
    for k, path in enumerate(models):
        JUDGES[k] = Judge({}, path.read_text("utf-8"))
    if not models:
        JUDGES[0] = Judge({})
    with open(options.corpus / "manifest.csv", newline="", encoding="utf-8") as manifest:
        lines = list(csv.DictReader(manifest))
    jobs = [(options.corpus, line, fold_of(line["name"], len(models))) for line in lines]
    with multiprocessing.get_context("fork").Pool(2) as pool:
        found = list(pool.imap(judged, jobs, chunksize=4))
    if options.verdicts:
        options.verdicts.write_text("".join(json.dumps(v) + "\n" for v in found), "utf-8")
    print(
        "cross-validated by data set"
        if models
        else "with the shipped model (which may have seen these data sets)"
    )
    print(f"{len(found)} files\n" + main_figures(found))
    opened = [v for v in found if v["outcome"] != "unreadable"]
    print("only files that could be opened:\n" + main_figures(opened))
    table("By kind", found, "kind")
    table("By label", found, "label")
    table("By format", found, "format")
    calibration(found)
    if options.agreement:
        agreement(found)
    wrong = [
        v for v in opened if bool(v["flagged"]) != (v["line"]["expected"] == "flag") and not apart(v["line"])
    ]  # type: ignore[index,arg-type]
    for v in wrong[: options.misses]:
        line = v["line"]
        print(f"  {line['expected']:<7}{v['tier']:<10}{v['confidence']:<8}{line['name']:<40}{line['format']}")  # type: ignore[index]


if __name__ == "__main__":
    main()
