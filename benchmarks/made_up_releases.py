# ruff: noqa: E501
"""Made-up official statistics and other tables about people that hold no record of anyone, family by family.

Release workbooks with titles and notes, defence tables with `~` and rounding, long tidy tables with codes and labels, census
tables full of ones and twos, several header rows, league tables, schools, hospitals, life tables, panels of areas, results of
models. `FAMILIES` is the whole list; a family can be held out of training to see what the model makes of its kind.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import product

from benchmarks.made_up_others import AREAS, MARKS, MONTHS, dimension
from benchmarks.made_up_people import GRADES, RANKS, REGIONS, Made, Row

TITLES = (
    "Table 2: Headcount by grade and sex", "This worksheet contains one table", "Source: made-up statistics", "Figures are rounded to the nearest 10", "~ denotes fewer than five", "[c] confidential", "Back to contents", "p provisional, r revised",
    "Year ending March", "Notes", "1. Totals may not sum because of rounding", "Tabl 4: Nifer y bobl", "Percentages are of all who answered", "Contact: the statistics team", "Extract", "Data", "As at 1 April", "Released 14 March",
)  # fmt: skip


def titles(r: random.Random) -> tuple[str, ...]:
    """Text around a table, or none."""
    return tuple(r.sample(TITLES, r.randint(1, 6))) if r.random() < 0.45 else ()


def rounded(r: random.Random, how: str) -> Callable[[float], str]:
    """How counts are shown: plain, rounded to 5 or 10 with small ones hidden, with commas."""
    mark = r.choice(MARKS)
    if how == "five":
        return lambda v: mark if 0 < v < 5 else str(round(v / 5) * 5)
    if how == "ten":
        return lambda v: mark if 0 < v < 5 else str(round(v / 10) * 10)
    if how == "comma":
        return lambda v: f"{int(v):,}"
    return lambda v: str(int(v))


def _style(r: random.Random, header: Sequence[str]) -> list[str]:
    kind = r.choice(["as", "as", "snake", "lower", "upper", "camel"])
    styles: dict[str, Callable[[str], str]] = {
        "snake": lambda h: h.lower().replace(" ", "_"),
        "lower": str.lower,
        "upper": lambda h: h.upper().replace(" ", "_"),
        "camel": lambda h: h.title().replace(" ", ""),
    }
    return [styles[kind](h) if kind in styles else h for h in header]


def workbook(r: random.Random, name: str) -> Made:
    """Wide table with two folded header rows: sexes or services over years."""
    (down, rows), (_, top), (_, under) = dimension(r), dimension(r), dimension(r)
    top, under = top[: r.randint(2, 4)], under[: r.randint(2, 5)]
    across = [f"{a}{r.choice(['|', ' ', ' - '])}{b}" for a in top for b in under]
    show, base = rounded(r, r.choice(["five", "ten", "comma", "plain"])), 10 ** r.uniform(1, 4)
    body = [[w, *(show(base * r.uniform(0.05, 2)) for _ in across)] for w in rows[:40]]
    if r.random() < 0.5:
        body.append(["Total", *(show(base * len(body)) for _ in across)])
    return Made(name, "aggregate", [down if r.random() < 0.7 else "", *across], body, titles(r))


def strength(r: random.Random, name: str) -> Made:
    """Defence tables: rank or trade by date or service, `~`, rounding, percentages beside counts."""
    rows = list(
        r.choice(
            [
                RANKS,
                GRADES,
                ("Officers", "Other ranks", "Trained", "Untrained", "Regular", "Reserve"),
                (
                    "OF-6",
                    "OF-5",
                    "OF-4",
                    "OF-3",
                    "OF-2",
                    "OF-1",
                    "OR-9",
                    "OR-8",
                    "OR-7",
                    "OR-6",
                    "OR-4",
                    "OR-2",
                ),
            ]
        )
    )
    y = r.randint(2008, 2020)
    across = r.choice(
        [
            [f"1 April {k}" for k in range(y, y + r.randint(3, 7))],
            [f"{k}/{(k + 1) % 100:02d}" for k in range(y, y + 6)],
            ["Royal Navy", "Army", "RAF", "All Services"],
            ["Male", "Female", "% Female"],
            ["Intake", "Outflow", "Net change", "Outflow rate (%)"],
        ]
    )
    show = rounded(r, r.choice(["five", "ten", "ten", "comma"]))
    body: list[Row] = []
    for w in rows:
        own = 10 ** r.uniform(0.3, 4)
        body.append(
            [w, *(f"{r.uniform(1, 40):.1f}" if "%" in a else show(own * r.uniform(0.8, 1.2)) for a in across)]
        )
    if r.random() < 0.6:
        body.append(
            [r.choice(["Total", "All ranks", "All"]), *(show(30_000 * r.uniform(0.9, 1.1)) for _ in across)]
        )
    return Made(name, "aggregate", [r.choice(["Rank", "Grade", "Paid rank", ""]), *across], body, titles(r))


def _code(words: Sequence[str], word: str) -> str:
    return f"{word[:1].upper()}{words.index(word) + 1}"


def observations(r: random.Random, name: str) -> Made:
    """One observation a row: codes beside labels, period, measure, unit, value, status."""
    dims = [dimension(r) for _ in range(r.randint(1, 3))]
    y = r.randint(1995, 2015)
    times = (
        [str(k) for k in range(y, y + r.randint(2, 14))]
        if r.random() < 0.7
        else [f"{k}-Q{q}" for k in range(y, y + 3) for q in range(1, 5)]
    )
    areas = [(f"E{r.randint(6, 12):02d}{k:06d}", a) for k, a in enumerate(r.sample(AREAS, r.randint(1, 12)))]
    labels = r.random() < 0.7
    header = [
        r.choice(["TIME_PERIOD", "calendar-years", "Time", "year", "Blwyddyn"]),
        r.choice(["GEOGRAPHY_CODE", "administrative-geography", "geography code", "REF_AREA"]),
        *(["Geography"] if labels else []),
    ]
    for n, _ in dims:
        header += [f"{n.lower().replace(' ', '-')}"] + ([n] if labels else [])
    extra = r.sample(
        ["UNIT_MEASURE", "OBS_STATUS", "Lower CI", "Upper CI", "FREQ", "Data Marking"], r.randint(0, 3)
    )
    header += [*extra, r.choice(["OBS_VALUE", "value", "v4_1", "Observation", "Count", "Rate", "data"])]
    mean, decimals = 10 ** r.uniform(0.2, 4), r.choice([0, 0, 1, 2])
    draws = {
        "UNIT_MEASURE": lambda: "PS",
        "OBS_STATUS": lambda: r.choice(["A", "A", "E", "p"]),
        "FREQ": lambda: "A",
        "Data Marking": lambda: r.choice(["", "", "[c]"]),
        "Lower CI": lambda: f"{r.uniform(1, 9):.1f}",
        "Upper CI": lambda: f"{r.uniform(9, 20):.1f}",
    }
    rows = []
    for t, (code, area), *picks in product(times, areas, *(words[: r.randint(2, 20)] for _, words in dims)):
        cells = [t, code, *([area] if labels else [])]
        for (_, words), w in zip(dims, picks, strict=True):
            cells += [_code(words, w)] + ([w] if labels else [])
        rows.append([*cells, *(draws[e]() for e in extra), f"{mean * 2.7 ** r.gauss(0, 0.8):.{decimals}f}"])
        if len(rows) >= 1500:
            break
    if r.random() < 0.3:
        r.shuffle(rows)
    elif r.random() < 0.4:
        at = r.randrange(len(header) - 1)
        rows.sort(key=lambda row: row[at])
    return Made(name, "aggregate", header, rows[: r.randint(20, 700)], titles(r))


def small_areas(r: random.Random, name: str) -> Made:
    """Census counts by small area: noughts, ones and twos beside totals, no order in them."""
    (what, words), n = dimension(r), r.randint(15, 300)
    words = words[: r.randint(3, 14)]
    mean = r.choice([1.0, 3.0, 12.0, 60.0])
    first = r.choice([1, 33_000])
    header = [
        r.choice(["geography code", "OA21CD", "lsoa21cd", "mnemonic", "ward"]),
        *([r.choice(["Total: All usual residents", "All people", "total"])] if r.random() < 0.7 else []),
        *(f"{what}: {w}" if r.random() < 0.3 else w for w in words),
    ]
    rows = []
    for k in range(n):
        cells = [int(r.expovariate(1 / (mean * (1 + j % 3)))) for j in range(len(words))]
        rows.append(
            [
                f"E00{first + k:06d}",
                *([str(sum(cells))] if len(header) == len(words) + 2 else []),
                *map(str, cells),
            ]
        )
    return Made(name, "aggregate", header, rows, titles(r))


def flows(r: random.Random, name: str) -> Made:
    """Counts between pairs of places or categories, most of them small."""
    (a, down), (b, across) = dimension(r), dimension(r)
    if r.random() < 0.5:
        a, b, down, across = (
            "origin",
            "destination",
            [f"E0{7000001 + k}" for k in range(25)],
            [f"E0{7000001 + k}" for k in range(25)],
        )
    pairs = [(x, z) for x in down[:30] for z in across[:30] if r.random() < 0.7] or [(down[0], across[0])]
    rows = [[x, z, str(1 + int(r.expovariate(r.choice([0.7, 0.1, 0.02]))))] for x, z in pairs]
    return Made(
        name,
        "aggregate",
        _style(r, [a, b, r.choice(["count", "flow", "n", "Freq", "value", "persons", "obs"])]),
        rows,
        titles(r),
    )


def crosstab(r: random.Random, name: str) -> Made:
    """A contingency table in long form, codes for categories, from two to five ways."""
    ways = r.randint(2, 5)
    levels = [
        r.choice(
            [
                ("0", "1"),
                ("1", "2"),
                ("Yes", "No"),
                ("Male", "Female"),
                ("1", "2", "3"),
                ("low", "medium", "high"),
                ("white", "black"),
                ("a", "b", "c", "d"),
                ("<50", "50+"),
            ]
        )
        for _ in range(ways)
    ]
    names = r.sample(
        [
            "sex",
            "age",
            "race",
            "smoker",
            "status",
            "dose",
            "treatment",
            "outcome",
            "vote",
            "party",
            "education",
            "income",
            "region",
            "victim",
            "race of accused",
            "admit",
            "class",
            "survived",
            "marital",
            "religion",
            "happy",
        ],
        ways,
    )
    rows = [[*combo, str(int(r.expovariate(r.choice([0.3, 0.05, 0.01]))))] for combo in product(*levels)]
    last = r.choice(["Freq", "count", "n", "counts", "y", "number", "f", "frequency", "wt"])
    if r.random() < 0.3:
        rows = [[*row, str(int(row[-1]) + r.randint(0, 50))] for row in rows]
        names.append(last)
        last = r.choice(["total", "trials", "population", "exposed"])
    return Made(name, "aggregate", [*names, last], rows, titles(r))


def grouped(r: random.Random, name: str) -> Made:
    """Groups of people with their size and their outcome: events and person-years, deaths and numbers at risk."""
    a = r.sample(
        [
            "age",
            "agegrp",
            "smoke",
            "sex",
            "dose",
            "city",
            "year",
            "exposure",
            "hospital",
            "cohort",
            "type",
            "stage",
        ],
        r.randint(1, 3),
    )
    b = r.choice(
        [
            ["deaths", "pyears"],
            ["cases", "population"],
            ["n", "events"],
            ["y", "m"],
            ["claims", "insured"],
            ["dead", "total"],
            ["ncases", "ncontrols"],
            ["accidents", "exposure"],
            ["success", "trials", "rate"],
        ]
    )
    levels = {
        k: [str(v) for v in range(r.choice([0, 1, 40]), 60, r.choice([1, 5, 10]))][: r.randint(2, 8)]
        if k in ("age", "year", "dose")
        else [str(v) for v in range(1, r.randint(3, 7))]
        for k in a
    }
    rows = []
    for combo in product(*levels.values()):
        n = int(10 ** r.uniform(1, 3.6))
        y = int(n * r.betavariate(1, 8))
        rows.append([*combo, str(y), str(n), *([f"{y / n:.4f}"] if len(b) == 3 else [])])
    return Made(name, "aggregate", [*a, *b], rows[:400], titles(r))


def league(r: random.Random, name: str) -> Made:
    """Ranked lists of clubs, hospitals, councils or countries."""
    n = r.randint(10, 120)
    what = r.choice(["Team", "Trust", "Local authority", "Country", "University", "Constituency"])
    heads = {
        "Team": ["P", "W", "D", "L", "GF", "GA", "Pts"],
        "Trust": ["Attendances", "Within 4 hours", "Percentage", "Emergency admissions"],
        "Constituency": ["Electorate", "Turnout", "Con", "Lab", "LD", "Majority"],
    }.get(what, ["Score", "Students", "Ratio", "Index", "Change"])
    rows = []
    top = r.uniform(60, 100)
    for k in range(n):
        top *= r.uniform(0.97, 1)
        rows.append(
            [
                *([str(k + 1)] if len(heads) > 4 else []),
                f"{AREAS[k % 22]}{'' if k < 22 else f' {k // 22 + 1}'}",
                *(f"{top * r.uniform(0.9, 1.1) * (1 + j):.{r.choice([0, 1])}f}" for j in range(len(heads))),
            ]
        )
    return Made(
        name,
        "aggregate" if what != "Team" else "thing",
        [*(["Rank"] if len(heads) > 4 else []), what, *heads],
        rows,
        titles(r),
    )


def institutions(r: random.Random, name: str) -> Made:
    """One row for each school, practice, ward or care home, with the composition of its people."""
    kind, n = r.choice(["school", "practice", "home", "prison"]), r.randint(15, 300)
    heads = r.sample(
        [
            "pupils",
            "pct girls",
            "pct fsm",
            "mean age",
            "patients",
            "list size",
            "male patients",
            "female patients",
            "pct over 65",
            "staff",
            "teachers",
            "pct white",
            "pct english second language",
            "average score",
            "attendance rate",
            "beds",
            "occupancy",
            "rating",
            "complaints",
            "deaths",
            "capacity",
            "population",
        ],
        r.randint(3, 9),
    )
    scale = {
        h: (r.uniform(5, 95), 1) if "pct" in h or "rate" in h else (r.uniform(20, 1500), 0) for h in heads
    }
    rows = [
        [
            str(100_000 + k * r.randint(1, 3)),
            f"{AREAS[k % 22]} {r.choice(['Primary', 'High', 'House', 'Surgery', 'Road'])}",
            r.choice(REGIONS),
            *(f"{max(0, scale[h][0] * 2.7 ** r.gauss(0, 0.3)):.{scale[h][1]}f}" for h in heads),
        ]
        for k in range(n)
    ]
    keep = [0, *r.sample([1, 2], r.randint(0, 2)), *range(3, 3 + len(heads))]
    header = [r.choice(["URN", "code", "id", "establishment"]), f"{kind} name", "region", *heads]
    return Made(
        name, "organisation", [header[k] for k in keep], [[row[k] for k in keep] for row in rows], titles(r)
    )


def answers(r: random.Random, name: str) -> Made:
    """Results of a survey: answers down, groups across, percentages and bases."""
    groups = r.sample(
        [
            "All",
            "Male",
            "Female",
            "16-34",
            "35-54",
            "55+",
            "England",
            "Wales",
            "Scotland",
            "Officers",
            "Ranks",
            "AB",
            "C1",
            "C2",
            "DE",
        ],
        r.randint(3, 8),
    )
    scale = r.choice(
        [
            ["Strongly agree", "Agree", "Neither", "Disagree", "Strongly disagree"],
            ["Very satisfied", "Satisfied", "Neutral", "Dissatisfied"],
            ["Yes", "No", "Don't know"],
            ["Excellent", "Good", "Fair", "Poor"],
        ]
    )
    rows: list[Row] = []
    for q in range(r.randint(1, 14)):
        rows += [
            [
                *([f"Q{q + 1}"] if len(scale) > 3 else [f"Question {q + 1}"]),
                s,
                *(f"{r.uniform(2, 60):.0f}{'%' if q % 2 else ''}" for _ in groups),
            ]
            for s in scale
        ]
        rows.append([f"Q{q + 1}", "Unweighted base", *(str(r.randint(80, 4000)) for _ in groups)])
    return Made(name, "aggregate", ["Question", "Answer", *groups], rows, titles(r))


def life_table(r: random.Random, name: str) -> Made:
    """Mortality or rates by single years of age."""
    rows, alive = [], 100_000.0
    for age in range(r.choice([0, 16]), r.choice([90, 101])):
        q = min(0.9, 0.0002 * 1.09**age * r.uniform(0.9, 1.1))
        rows.append(
            [
                str(age),
                f"{q * 1.01:.6f}",
                f"{q:.6f}",
                f"{alive:.1f}",
                f"{alive * q:.1f}",
                f"{max(1.0, 82 - age * 0.93):.2f}",
            ]
        )
        alive *= 1 - q
    return Made(
        name,
        "aggregate",
        r.choice(
            [
                ["age", "mx", "qx", "lx", "dx", "ex"],
                ["Age", "Central rate", "Probability of dying", "Survivors", "Deaths", "Life expectancy"],
            ]
        ),
        rows,
        titles(r),
    )


def area_panel(r: random.Random, name: str) -> Made:
    """Areas by year with rates, laws and incomes: the panels of policy studies."""
    places, years = r.randint(4, 50), range(r.choice([1, 1970, 1982, 2004]), 3000)
    stock = [
        "mrall",
        "beertax",
        "unrate",
        "perinc",
        "vmiles",
        "crmrte",
        "prbarr",
        "polpc",
        "murder",
        "robbery",
        "density",
        "pop",
        "pm1029",
        "avginc",
        "gsp",
        "hwy",
        "emp",
        "wage index",
        "fatal",
        "aidspc",
        "enroll",
        "expp",
        "teen births",
        "divorce rate",
        "turnout",
        "gini",
        "life expectancy",
        "smokers pct",
    ]
    heads = r.sample(stock, r.randint(2, 12))
    laws = r.sample(
        [
            "law",
            "jaild",
            "comserd",
            "shall",
            "seatbelt",
            "west",
            "urban",
            "sb_use",
            "spircons",
            "death penalty",
            "compulsory",
        ],
        r.randint(0, 4),
    )
    level = {h: (10 ** r.uniform(-1.5, 4), r.choice([0, 1, 2, 3, 4])) for h in heads}
    coded, rows = r.random() < 0.5, []
    for p in range(places):
        own = {h: level[h][0] * 2.7 ** r.gauss(0, 0.4) for h in heads}
        law = {h: str(int(r.random() < 0.4)) for h in laws}
        for _, y in zip(range(r.choice([5, 7, 7, 12])), years, strict=False):
            own = {h: v * (1 + r.gauss(0.01, 0.05)) for h, v in own.items()}
            law = {h: "1" if v == "1" or r.random() < 0.06 else "0" for h, v in law.items()}
            rows.append(
                [
                    str(p + 1) if coded else AREAS[p % 22] + ("" if p < 22 else str(p // 22)),
                    str(y),
                    *law.values(),
                    *(f"{v:.{level[h][1]}f}" for h, v in own.items()),
                ]
            )
    return Made(
        name,
        "aggregate",
        [r.choice(["state", "county", "area", "country", "fips", "district"]), "year", *laws, *heads],
        rows,
        titles(r),
    )


def countries(r: random.Random, name: str) -> Made:
    """Countries, regions or cities at one time, with codes and dummies; some with codes instead of names."""
    heads = r.sample(
        [
            "gdp per capita",
            "literacy",
            "infant mortality",
            "oecd",
            "oil",
            "population",
            "fertility",
            "urban pct",
            "region",
            "democracy",
            "investment",
            "school",
            "popgrowth",
            "co2",
            "contraception",
            "religion",
            "freedom",
            "doctors",
            "civil war",
            "calories",
            "women in parliament",
            "income group",
        ],
        r.randint(3, 12),
    )
    kind = {
        h: r.choice(["real", "real", "code", "whole"]) if h not in ("oecd", "oil", "civil war") else "flag"
        for h in heads
    }
    draws: dict[str, Callable[[], str]] = {
        "real": lambda: f"{2.7 ** r.gauss(2, 1):.2f}",
        "code": lambda: str(r.randint(1, 5)),
        "whole": lambda: str(int(2.7 ** r.gauss(5, 1.5))),
        "flag": lambda: str(int(r.random() < 0.3)),
    }
    named, n = r.random() < 0.7, r.randint(20, 190)
    rows = [
        [*([f"{AREAS[k % 22]}{k // 22 or ''}"] if named else []), *(draws[kind[h]]() for h in heads)]
        for k in range(n)
    ]
    return Made(
        name,
        "aggregate",
        [*([r.choice(["country", "nation", "city", "region"])] if named else []), *heads],
        rows,
        titles(r),
    )


def results(r: random.Random, name: str) -> Made:
    """Coefficients, studies of a meta-analysis, or a matrix of correlations."""
    names = r.sample(
        [
            "age",
            "sex",
            "income",
            "education",
            "grade",
            "region",
            "smoker",
            "bmi",
            "tenure",
            "hours",
            "married",
            "children",
            "rank",
            "service",
        ],
        r.randint(4, 12),
    )
    kind = r.choice(["terms", "studies", "matrix"])
    if kind == "terms":
        rows = [
            [
                n,
                f"{r.gauss(0, 1):.3f}",
                f"{r.uniform(0.05, 0.6):.3f}",
                f"{r.gauss(0, 3):.2f}",
                f"{r.random():.3f}",
            ]
            for n in ["(Intercept)", *names]
        ]
        return Made(
            name, "aggregate", ["term", "estimate", "std.error", "statistic", "p.value"], rows, titles(r)
        )
    if kind == "studies":
        rows = [
            [
                f"Study {k + 1}",
                str(r.randint(1978, 2020)),
                *(str(r.randint(2, 300)) for _ in range(4)),
                f"{r.gauss(0, 0.4):.3f}",
            ]
            for k in range(r.randint(8, 40))
        ]
        return Made(name, "aggregate", ["author", "year", "ai", "n1i", "ci", "n2i", "yi"], rows, titles(r))
    cells = {(a, b): 1.0 if a == b else r.uniform(-0.6, 0.9) for a in names for b in names if a <= b}
    rows = [[a, *(f"{cells[min(a, b), max(a, b)]:.3f}" for b in names)] for a in names]
    return Made(name, "aggregate", ["", *names], rows, titles(r))


def monthly(r: random.Random, name: str) -> Made:
    """Series with months down or across, indices, counts and rates; quarters, weeks and daily counts."""
    k, n, start = r.randint(1, 6), r.randint(10, 200), r.randint(1960, 2018)
    heads = r.sample(
        [
            "Unemployed",
            "Claimant count",
            "Admissions",
            "Deaths",
            "Births",
            "CPI",
            "Index 2015=100",
            "Visits",
            "Vacancies",
            "Calls",
            "Cases",
            "Arrivals",
            "Driver deaths",
            "Accidents",
            "Weekly earnings",
            "Temperature",
        ],
        k,
    )
    level = [10 ** r.uniform(0.5, 5) for _ in heads]
    when = r.choice(["ym", "text", "split", "quarter", "date"])
    rows = []
    for t in range(n):
        level = [max(1.0, v * (1 + r.gauss(0, 0.06))) for v in level]
        y, m = start + t // 12, t % 12
        stamp = {
            "ym": [f"{y}-{m + 1:02d}"],
            "text": [f"{MONTHS[m][:3]} {y}"],
            "split": [str(y), str(m + 1)],
            "quarter": [f"{start + t // 4} Q{t % 4 + 1}"],
            "date": [f"{t % 28 + 1:02d}/{m + 1:02d}/{y}"],
        }[when]
        rows.append([*stamp, *(f"{v:.{1 if v < 500 else 0}f}" for v in level)])
    return Made(
        name,
        "aggregate",
        [
            *(["Year", "Month"] if when == "split" else [r.choice(["Period", "Month", "date", "Time"])]),
            *heads,
        ],
        rows,
        titles(r),
    )


def nearly_records(r: random.Random, name: str) -> Made:
    """The hardest: rates or counts by area, period, age, sex and group, all in codes, sorted or not, most cells small."""
    dims = r.sample(
        [
            ("state", 12),
            ("year", 6),
            ("age", 8),
            ("sex", 2),
            ("race", 3),
            ("educ", 4),
            ("method", 5),
            ("cause", 6),
            ("grade", 7),
            ("marital", 4),
            ("region", 9),
        ],
        r.randint(3, 5),
    )
    base = {n: r.choice([0, 1, 1]) if n not in ("year", "age") else r.choice([1, 15, 1990]) for n, _ in dims}
    step = {n: 5 if n == "age" and r.random() < 0.5 else 1 for n, _ in dims}
    combos = list(product(*([str(base[n] + step[n] * k) for k in range(size)] for n, size in dims)))
    if r.random() < 0.5:
        combos = r.sample(combos, max(10, int(len(combos) * r.uniform(0.3, 0.9))))
    kind = r.choice(["count", "rate", "both"])
    rows = []
    for c in combos[:900]:
        n = int(r.expovariate(r.choice([0.5, 0.05])))
        rows.append(
            [
                *c,
                *([str(n)] if kind != "rate" else []),
                *([f"{n / r.uniform(50, 900):.4f}"] if kind != "count" else []),
            ]
        )
    last = {
        "count": [["n"], ["deaths"], ["Freq"]],
        "rate": [["rate"], ["prop"]],
        "both": [["count", "rate"], ["cases", "pct"]],
    }[kind]
    return Made(name, "aggregate", [*(n for n, _ in dims), *r.choice(last)], rows, titles(r))


FAMILIES: dict[str, Callable[[random.Random, str], Made]] = {
    f.__name__: f
    for f in (
        workbook, strength, observations, small_areas, flows, crosstab, grouped, league, institutions, answers, life_table,
        area_panel, countries, results, monthly, nearly_records,
    )
}  # fmt: skip


def release_table(seed: int, family: str = "") -> Made:
    """The made-up table of a seed: families in turn, or of one family."""
    kinds = list(FAMILIES)
    kind = family or kinds[seed % len(kinds)]
    return FAMILIES[kind](random.Random(f"release{kind}{seed}"), f"made_up.{kind}.{seed}")
