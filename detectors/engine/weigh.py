"""The record model: small trees over measures, as numbers in JSON, evaluated in plain Python.

No tree is walked. For each measure the thresholds of all trees stand in order, each with the leaves that can
still be reached when the measure lies above it and all lower ones, as a field of bits for every tree in one
long number. Those numbers of all measures, joined by AND, leave in each field the leaf that is reached as
its lowest bit (C. Lucchese et al., "QuickScorer", SIGIR 2015).

The answer comes with each measure's share in it: down a path, the change of the mean from a node to its
child is put down to the measure asked there, so that the shares and the start add up to the score
(A. Saabas' decomposition). A detector's `weight` scales the shares of its measures; switched off, they are 0.
"""

from __future__ import annotations

import json
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import accumulate
from math import exp, fsum
from operator import and_
from struct import Struct
from typing import Any

Path = tuple[tuple[int, float], ...]
"""From a tree's root to a leaf: each measure asked, and by how much the mean changed with the answer."""


def chance(score: float) -> float:
    """The probability that belongs to a score in log-odds."""
    return 1 / (1 + exp(-max(-30.0, min(30.0, score))))


@dataclass(frozen=True, slots=True)
class Score:
    """A score in log-odds and what each measure added to it."""

    total: float
    start: float
    shares: dict[str, float]


class Model:
    """Trees that were trained elsewhere (`make train`); only numbers and names of measures are read.

    Means, thresholds and ways lie in arrays: a process forked from ours that only reads them copies no page.
    """

    def __init__(self, plain: Mapping[str, Any]) -> None:
        self.measures: tuple[str, ...] = tuple(plain["measures"])
        trees = [_Tree(tree) for tree in plain["trees"]]
        most = max(len(tree.leaves) for tree in trees)
        width, code = next(field for field in _FIELDS if field[0] >= most)
        self._fields = Struct(f"<{len(trees)}{code}")
        self._ones = sum(1 << (width * number) for number in range(len(trees)))
        self._all = (1 << (width * len(trees))) - 1
        self._origins = range(-1, most * len(trees) - 1, most)
        told = zip(self.measures, *self._questions(trees, width), strict=True)
        self._asked = [asked for asked in told if asked[1]]
        self._base = float(plain["start"])
        self.start = self._base + sum(tree.mean for tree in trees)
        self._means = array("d")
        self._ends = array("I", [0])
        self._path_measures, self._path_changes = array("H"), array("d")
        for tree in trees:
            spare = most - len(tree.leaves)
            self._means.extend(tree.leaves + [0.0] * spare)
            for path in tree.paths + [()] * spare:
                self._path_measures.extend(measure for measure, _ in path)
                self._path_changes.extend(change for _, change in path)
                self._ends.append(len(self._path_changes))

    def _questions(self, trees: Sequence[_Tree], width: int) -> tuple[list[array[float]], list[list[int]]]:
        """By measure: its thresholds in order, and what can be reached above none, one, two ... of them."""
        cuts: list[dict[float, int]] = [{} for _ in self.measures]
        for number, tree in enumerate(trees):
            for measure, threshold, first, last in tree.questions:
                lost = ((1 << last) - (1 << first)) << (width * number)
                before = cuts[measure].get(threshold, self._all)
                cuts[measure][threshold] = before & ~lost
        ordered = [sorted(cut.items()) for cut in cuts]
        return (
            [array("d", [threshold for threshold, _ in cut]) for cut in ordered],
            [[*accumulate([self._all, *(left for _, left in cut)], and_)] for cut in ordered],
        )

    def _leaves(self, measured: Mapping[str, float]) -> Iterator[int]:
        """The place of the leaf that each tree comes to."""
        left = self._all
        for name, thresholds, reached in self._asked:
            left &= reached[bisect_left(thresholds, measured[name])]
        lowest = left ^ (left - self._ones)  # in each field the lowest bit that is set, and all below it
        fields = self._fields.unpack(lowest.to_bytes(self._fields.size, "little"))
        return map(int.__add__, self._origins, map(int.bit_length, fields))

    def total(self, measured: Mapping[str, float], weights: Sequence[float]) -> float:
        """The score of one sample alone: less work where no detector's weight changes a share."""
        if tuple(weights).count(1.0) < len(weights):
            return self.score(measured, weights).total
        return self._base + fsum(map(self._means.__getitem__, self._leaves(measured)))

    def score(self, measured: Mapping[str, float], weights: Sequence[float] | None = None) -> Score:
        """Evaluate for one sample; `weights` are the detectors' weights by measure."""
        shares = [0.0] * len(self.measures)
        measures, changes, ends = self._path_measures, self._path_changes, self._ends
        for leaf in self._leaves(measured):
            way = slice(ends[leaf], ends[leaf + 1])
            for measure, change in zip(measures[way], changes[way], strict=True):
                shares[measure] += change
        if weights is not None:
            shares = [s * w for s, w in zip(shares, weights, strict=True)]
        return Score(self.start + fsum(shares), self.start, dict(zip(self.measures, shares, strict=True)))


_FIELDS = ((8, "B"), (16, "H"), (32, "I"), (64, "Q"))
"""Bits of a field, and its code; a tree has at most as many leaves."""


class _Tree:
    """One tree: its leaves (their means, the ways to them) from left to right, and its questions: measure,
    threshold, first of the leaves to the left and the one behind them.
    """

    def __init__(self, plain: Mapping[str, Any]) -> None:
        self._plain = plain
        self.mean = float(plain["mean"][0])
        self.leaves: list[float] = []
        self.paths: list[Path] = []
        self.questions: list[tuple[int, float, int, int]] = []
        self._walk(0, ())

    def _walk(self, at: int, path: Path) -> None:
        plain = self._plain
        measure, mean = int(plain["measure"][at]), float(plain["mean"][at])
        if measure < 0:
            self.leaves.append(mean)
            self.paths.append(path)
            return
        first = len(self.leaves)
        for side in ("left", "right"):
            below = int(plain[side][at])
            self._walk(below, (*path, (measure, float(plain["mean"][below]) - mean)))
            if side == "left":
                self.questions.append((measure, float(plain["threshold"][at]), first, len(self.leaves)))


def load_models(text: str | None = None) -> tuple[dict[str, Model], str]:
    """The models by name (`person`, `values`, `aggregate`) and their text; the shipped ones unless given."""
    text = text or (resources.files("detectors") / "model" / "records.json").read_text("utf-8")
    plain = json.loads(text)
    return {name: Model(m) for name, m in plain["models"].items()}, text
