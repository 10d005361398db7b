"""The model is numbers only; its shares add up to its score; the shipped one fits the detectors."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from importlib import resources
from typing import Any

import pytest

from detectors.engine.judge import Judge
from detectors.engine.weigh import Model, chance, load_models
from detectors.row_subject import OF_NAMES

TREE = {
    "measure": [0, -1, -1],
    "threshold": [0.5, 0, 0],
    "left": [1, 0, 0],
    "right": [2, 0, 0],
    "mean": [0.1, -1.0, 2.0],
}
PLAIN = {"measures": ["a", "b"], "start": -0.5, "trees": [TREE, TREE]}


def test_shares_and_start_add_up_to_the_score() -> None:
    score = Model(PLAIN).score({"a": 1.0, "b": 9.0})
    assert score.total == pytest.approx(3.5) == pytest.approx(score.start + sum(score.shares.values()))
    assert score.shares["b"] == 0


def test_a_weight_scales_only_its_measure() -> None:
    model = Model(PLAIN)
    assert model.score({"a": 1, "b": 0}, (0.0, 1.0)).total == pytest.approx(
        model.score({"a": 1, "b": 0}).start
    )


def test_chance_is_bounded_for_any_score() -> None:
    assert 0 < chance(-1e9) < chance(0) == 0.5 < chance(1e9) <= 1


def test_the_shipped_model_is_numbers_and_fits_the_detectors() -> None:
    models, text = load_models()
    assert set(models) == {"person", "values", "aggregate"} and json.loads(text)["format"] == 1
    measured = {m for d in Judge().bench.detectors.values() for m in d.measures}
    assert set(models["person"].measures) == set(models["aggregate"].measures) == measured
    assert set(models["values"].measures) == measured - OF_NAMES
    assert len((resources.files("detectors") / "model" / "records.json").read_bytes()) < 1_000_000


def test_the_total_alone_is_that_of_all_shares() -> None:
    models, _ = load_models()
    model = models["person"]
    for value in (-1.0, 0.0, 0.4, 3.0):
        measured = dict.fromkeys(model.measures, value)
        ones = (1.0,) * len(model.measures)
        assert model.total(measured, ones) == pytest.approx(model.score(measured).total)
        halves = (0.5,) * len(model.measures)
        assert model.total(measured, halves) == pytest.approx(model.score(measured, halves).total)


def test_each_tree_comes_to_the_leaf_to_which_its_questions_lead() -> None:
    models, text = load_models()
    rng = random.Random(7)
    for name, plain in json.loads(text)["models"].items():
        asked: dict[int, list[float]] = {}
        for tree in plain["trees"]:
            for measure, threshold in zip(tree["measure"], tree["threshold"], strict=True):
                asked.setdefault(measure, [0.0]).append(threshold)
        for _ in range(20):
            x = [
                rng.choice(asked.get(i, [0.0])) + rng.choice((-1e-6, 0.0, 1e-6))
                for i in range(len(plain["measures"]))
            ]
            walked = plain["start"] + sum(_walked(tree, x) for tree in plain["trees"])
            measured = dict(zip(plain["measures"], x, strict=True))
            assert models[name].total(measured, (1.0,) * len(x)) == pytest.approx(walked, abs=1e-9)
            assert models[name].score(measured).total == pytest.approx(walked, abs=1e-9)


def _walked(tree: Mapping[str, Any], x: list[float]) -> float:
    at = 0
    while (measure := tree["measure"][at]) >= 0:
        at = tree["left" if x[measure] <= tree["threshold"][at] else "right"][at]
    return float(tree["mean"][at])
