"""The record model: small trees over measures, as numbers in JSON, evaluated in plain Python.

Its answer comes with each measure's share in it: walking down a tree, the change of the mean from a node to
its child is put down to the measure asked there, so that the shares and the start add up to the score
(A. Saabas' decomposition). A detector's `weight` scales the shares of its measures; switched off, they are 0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from math import exp
from typing import Any

Node = tuple[int, float, Any, Any, float]
"""Measure asked (-1: none, a leaf), threshold, nodes left and right of it, mean less that of its parent."""


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
    """Trees that were trained elsewhere (`make train`); only numbers and names of measures are read."""

    def __init__(self, plain: Mapping[str, Any]) -> None:
        self.measures: tuple[str, ...] = tuple(plain["measures"])
        self.start = float(plain["start"])
        self.trees = [_node(t, 0) for t in plain["trees"]]
        self._plain = [_plain(t, 0) for t in plain["trees"]]

    def total(self, measured: Mapping[str, float], weights: Sequence[float]) -> float:
        """The score of one sample alone: half the work where no detector's weight changes a share."""
        if any(w != 1.0 for w in weights):
            return self.score(measured, weights).total
        x = [measured[name] for name in self.measures]
        total = self.start
        for node in self._plain:
            while node.__class__ is tuple:
                at, threshold, left, right = node
                node = left if x[at] <= threshold else right
            total += node
        return total

    def score(self, measured: Mapping[str, float], weights: Sequence[float] | None = None) -> Score:
        """Evaluate for one sample; `weights` are the detectors' weights by measure."""
        x = [measured[name] for name in self.measures]
        shares = [0.0] * len(x)
        start = self.start
        for at, threshold, left, right, mean in self.trees:
            start += mean
            while at >= 0:
                came = at
                at, threshold, left, right, change = left if x[at] <= threshold else right
                shares[came] += change
        if weights is not None:
            shares = [s * w for s, w in zip(shares, weights, strict=True)]
        return Score(start + sum(shares), start, dict(zip(self.measures, shares, strict=True)))


def _plain(tree: Mapping[str, Any], at: int) -> Any:
    """The node at a place of a tree's lists: (measure, threshold, left, right), or a leaf's mean."""
    measure = int(tree["measure"][at])
    if measure < 0:
        return float(tree["mean"][at])
    left, right = (_plain(tree, int(tree[side][at])) for side in ("left", "right"))
    return measure, float(tree["threshold"][at]), left, right


def _node(tree: Mapping[str, Any], at: int, before: float = 0.0) -> Node:
    """The node at a place of a tree's lists, with all that is below it; `before` is its parent's mean."""
    measure, mean = int(tree["measure"][at]), float(tree["mean"][at])
    left, right = (
        (_node(tree, int(tree[side][at]), mean) for side in ("left", "right"))
        if measure >= 0
        else (None, None)
    )
    return measure, float(tree["threshold"][at]), left, right, mean - before


def load_models(text: str | None = None) -> tuple[dict[str, Model], str]:
    """The models by name (`person`, `values`, `aggregate`) and their text; the shipped ones unless given."""
    text = text or (resources.files("detectors") / "model" / "records.json").read_text("utf-8")
    plain = json.loads(text)
    return {name: Model(m) for name, m in plain["models"].items()}, text
