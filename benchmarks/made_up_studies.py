# ruff: noqa: E501, SIM905
"""Made-up studies: records of people that say little of demography. Batteries of questions, trials, choices, sport, pay."""

from __future__ import annotations

import random
from collections.abc import Callable

from benchmarks.made_up_people import Made, Row

FORENAMES = "Alun Beth Carys Dylan Ewan Fiona Gareth Helen Imran Joan Kelly Liam Megan Nia Owen Priya Rhys Sian Tom Zara".split()
SURNAMES = "Ashworth Bevan Corrigan Davies Eames Fairley Gough Hargan Iqbal Jessop Kerr Lomas Morgan Nuttall Okafor Pryce Rowan Stott Tranter Wynn".split()
LABS = "sbp dbp hgb wbc plt creat bili alb chol hdl ldl trig glu insulin crp esr ferritin tsh cd4 cd8 psa fev fvc bmd conc lvef nt_pro gfr urea vit_d ph score1 score2 pain fatigue".split()


def _battery(r: random.Random) -> tuple[list[str], Callable[[int], Row]]:
    stems = r.choice(
        [
            ["A", "B", "C", "D"],
            ["trust_", "agree_"],
            ["item"],
            ["v"],
            ["att", "beh"],
            ["sq", "rq"],
            ["Q2_", "Q3_"],
        ]
    )
    names = [f"{s}{i + 1}" for s in stems for i in range(r.randint(3, 8))]
    low, high = r.choice([0, 1]), r.choice([1, 2, 4, 5, 6, 7, 10])
    words = r.choice(
        [
            None,
            None,
            None,
            ["Agree", "Disagree", "Neither", "Strongly agree"],
            ["yes", "no"],
            ["never", "sometimes", "often"],
        ]
    )
    extra = r.sample(["age", "sex", "gender", "education", "id", "group", "country"], r.randint(0, 4))
    miss = r.choice([0, 0.02, 0.1])

    def row(i: int) -> Row:
        ends = {
            "age": str(r.randint(17, 80)),
            "sex": r.choice("12"),
            "gender": r.choice("12"),
            "education": r.choice("12345"),
            "id": str(i + 1),
            "group": r.choice("AB"),
            "country": "GB",
        }
        cells = [
            ("" if r.random() < miss else r.choice(words) if words else str(r.randint(low, high)))
            for _ in names
        ]
        return cells + [ends[e] for e in extra]

    return names + extra, row


def _clinical(r: random.Random) -> tuple[list[str], Callable[[int], Row]]:
    labs = r.sample(LABS, r.randint(2, 14))
    base = {x: (10 ** r.uniform(-0.5, 2.7), r.choice([0, 1, 2])) for x in labs}
    times = r.choice([[""], [""], ["_0", "_1"], [".pre", ".2m", ".4m"], ["_base", "_wk6"]])
    first = r.sample(
        [
            "id",
            "subject",
            "arm",
            "group",
            "trt",
            "age",
            "sex",
            "gender",
            "race",
            "stage",
            "site",
            "smoker",
            "status",
            "time",
            "death",
            "bmi",
        ],
        r.randint(1, 8),
    )
    names = first + [x + t for x in labs for t in times]

    def row(i: int) -> Row:
        ends = {
            "id": str(i + 1),
            "subject": str(i + 1),
            "arm": r.choice(["placebo", "drug"]),
            "group": r.choice("123"),
            "trt": r.choice("01"),
            "age": str(r.randint(18, 88)),
            "sex": r.choice("MF"),
            "gender": r.choice("01"),
            "race": r.choice("1234"),
            "stage": r.choice(["I", "II", "III"]),
            "site": str(r.randint(1, 9)),
            "smoker": r.choice(["yes", "no"]),
            "status": r.choice("01"),
            "time": str(int(r.expovariate(0.004))),
            "death": r.choice("01"),
            "bmi": f"{r.gauss(27, 4):.1f}",
        }
        labs_ = [f"{base[x][0] * 2.718 ** r.gauss(0, 0.35):.{base[x][1]}f}" for x in labs for _ in times]
        return [ends[f] for f in first] + labs_

    return names, row


def _choice(r: random.Random) -> tuple[list[str], Callable[[int], Row]]:
    """One choice a row among alternatives whose attributes stand beside it, however the names are put together."""
    numbered = r.random() < 0.3
    words = [
        "car",
        "bus",
        "train",
        "air",
        "walk",
        "gas",
        "electric",
        "gc",
        "ec",
        "er",
        "hp",
        "pier",
        "beach",
        "heinz",
        "own",
        "shop",
        "online",
    ]
    alternatives = (
        [str(k + 1) for k in range(r.randint(2, 6))] if numbered else r.sample(words, r.randint(2, 5))
    )
    sep, first = r.choice([".", "_", "", ""]), r.random() < 0.3 and not numbered
    attributes = r.sample(
        ["price", "cost", "time", "wait", "comfort", "range", "op", "ic", "oc", "disp", "feat", "p", "c"],
        r.randint(1, 4),
    )
    front = r.sample(["id", "idcase", "respondent", "choiceid", "hh"], r.randint(0, 2))
    tail = r.sample(
        ["income", "hinc", "psize", "age", "hhsize", "region", "rooms", "college"], r.randint(0, 3)
    )
    grid = [f"{x}{sep}{a}" if first else f"{a}{sep}{x}" for a in attributes for x in alternatives]
    names = [*front, r.choice(["choice", "mode", "chosen", "depvar", "alt"]), *grid, *tail]
    stem, digits = (r.choice(["choice", "alt", ""]) if numbered else ""), r.choice([0, 2])
    level = {g: r.uniform(0.5, 6) for g in grid}

    def row(i: int) -> Row:
        rest = [f"{2.718 ** r.gauss(level[g], 0.4):.{digits}f}" for g in grid]
        return [
            *(str(i // (1 + (f == "hh")) + 1) for f in front),
            stem + r.choice(alternatives),
            *rest,
            *(str(r.randint(1, 60)) for _ in tail),
        ]

    return names, row


def _sport(r: random.Random) -> tuple[list[str], Callable[[int], Row]]:
    stats = r.sample(
        [
            "games",
            "goals",
            "assists",
            "minutes",
            "points",
            "fouls",
            "saves",
            "salary",
            "height",
            "weight",
            "age",
            "position",
            "team",
        ],
        r.randint(3, 9),
    )

    def row(i: int) -> Row:
        ends = {
            "position": r.choice(["GK", "DF", "MF", "FW"]),
            "team": r.choice(["Ashby", "Carn", "Elmstow"]),
            "salary": str(r.randint(300, 9000) * 1000),
            "height": str(r.randint(165, 205)),
            "weight": str(r.randint(60, 110)),
            "age": str(r.randint(18, 38)),
        }
        return [
            f"{r.choice(FORENAMES)} {r.choice(SURNAMES)}",
            *(ends.get(x, str(int(r.expovariate(0.05)))) for x in stats),
        ]

    return [r.choice(["player", "name", "athlete", "runner"]), *stats], row


def _pay(r: random.Random) -> tuple[list[str], Callable[[int], Row]]:
    names = r.sample(
        [
            "wage",
            "lwage",
            "educ",
            "exper",
            "expersq",
            "tenure",
            "union",
            "female",
            "married",
            "black",
            "south",
            "smsa",
            "hours",
            "age",
            "kids",
            "urban",
            "faminc",
            "occupation",
            "fatheduc",
            "motheduc",
            "IQ",
        ],
        r.randint(4, 14),
    )

    def row(i: int) -> Row:
        exper = r.randint(0, 40)
        ends = {
            "wage": f"{2.718 ** r.gauss(2.3, 0.5):.2f}",
            "lwage": f"{r.gauss(2.3, 0.5):.6f}",
            "educ": str(r.randint(8, 18)),
            "exper": str(exper),
            "expersq": str(exper * exper),
            "tenure": str(int(r.expovariate(0.2))),
            "hours": str(r.randint(10, 60)),
            "age": str(r.randint(18, 65)),
            "kids": str(int(r.expovariate(0.9))),
            "faminc": f"{r.uniform(5, 90):.1f}",
            "occupation": str(r.randint(1, 9)),
            "fatheduc": str(r.randint(4, 18)),
            "motheduc": str(r.randint(4, 18)),
            "IQ": str(int(r.gauss(100, 15))),
        }
        return [ends.get(x, str(int(r.random() < 0.3))) for x in names]

    return names, row


def _trial(r: random.Random) -> tuple[list[str], Callable[[int], Row]]:
    names = r.choice(
        [
            ["patient", "time", "status"],
            ["id", "treatment", "pre", "post"],
            ["group", "pretest", "posttest"],
            ["subject", "dose", "time", "conc"],
            ["treat", "survtime", "censor", "age"],
            ["group", "outcome"],
            ["sex", "time", "death", "age"],
            ["person", "score", "condition"],
            ["age_group", "vaccine", "outcome"],
            ["student", "school", "score", "gender"],
        ]
    )

    def row(i: int) -> Row:
        ends = {
            "treatment": r.choice(["control", "treatment"]),
            "group": r.choice(["control", "treated"]),
            "treat": r.choice("12"),
            "status": r.choice("01"),
            "censor": r.choice("01"),
            "death": r.choice("01"),
            "outcome": r.choice(["yes", "no", "improved"]),
            "sex": r.choice(["male", "female"]),
            "gender": r.choice("MF"),
            "age": str(r.randint(18, 85)),
            "dose": f"{r.uniform(1, 6):.2f}",
            "conc": f"{r.expovariate(0.4):.2f}",
            "condition": r.choice("ABC"),
            "age_group": r.choice(["under 50", "50 +"]),
            "vaccine": r.choice(["vaccinated", "unvaccinated"]),
            "school": str(r.randint(1, 30)),
            "time": str(int(r.expovariate(0.01))),
            "survtime": str(int(r.expovariate(0.01))),
        }
        return [
            ends.get(
                x,
                str(i // 2 + 1)
                if x in ("patient", "id", "subject", "person", "student")
                else str(int(r.gauss(50, 12))),
            )
            for x in names
        ]

    return names, row


def _spending(r: random.Random) -> tuple[list[str], Callable[[int], Row]]:
    goods = r.sample(
        ["food", "fuel", "clothes", "alcohol", "transport", "housing", "misc", "tobacco"], r.randint(2, 6)
    )
    prefix = r.choice(["s", "w", "exp_", "share_", ""])
    names = [
        *(prefix + g for g in goods),
        r.choice(["totexp", "expend", "total"]),
        "income",
        *r.sample(["age", "kids", "size", "region", "year", "cars"], r.randint(0, 4)),
    ]

    def row(i: int) -> Row:
        draws = [r.expovariate(1) for _ in goods]
        total = sum(draws) / r.uniform(0.8, 1)
        return [
            *(f"{d / total:.4f}" for d in draws),
            str(r.randint(40, 900)),
            str(r.randint(60, 1500)),
            *(str(r.randint(1, 60)) for _ in names[len(goods) + 2 :]),
        ]

    return names, row


KINDS = (_battery, _clinical, _choice, _sport, _pay, _trial, _spending, _battery, _clinical)


def study_table(seed: int) -> Made:
    """One study of 12 to 500 made-up people."""
    r = random.Random(f"study{seed}")
    names, row = KINDS[seed % len(KINDS)](r)
    if r.random() < 0.2:
        names = [n.upper() if r.random() < 0.5 else n.title() for n in names]
    rows = [row(i) for i in range(int(10 ** r.uniform(1.1, 2.7)))]
    context = (
        tuple(
            r.sample(
                [
                    "Extract",
                    "Produced 14 March",
                    "Notes",
                    "Blank cells are missing values",
                    "Run date",
                    "Requested by",
                    "Source: case system",
                    "As supplied",
                ],
                3,
            )
        )
        if r.random() < 0.3
        else ()
    )
    return Made(f"made_up.study.{seed}", "person", names, rows, context)
