# ruff: noqa: E501, SIM905
"""Made-up tables that are no records of people: published statistics, lists of things, firms, look-ups, code books."""

from __future__ import annotations

import random
from collections.abc import Callable

from benchmarks.made_up_people import GRADES, POOL, RANKS, REGIONS, Made, Row

MARKS = ("~", "[c]", "..", "-", "*", ":", "[x]", "c", "<5")
NOTES = ("Source: made-up statistics", "Notes", "1. Figures are rounded to the nearest 10", "~ denotes fewer than five", "p provisional",
         "This worksheet contains one table", "Table 3: a made-up table", "Some cells are suppressed", "Headcount", "Per cent")  # fmt: skip
MONTHS = "January February March April May June July August September October November December".split()
AREAS = ("Ashby", "Barrow Vale", "Carn Dyffryn", "Deepwater", "Elmstow", "Farley", "Glen Ard", "Harbour West", "Inverlee", "Kings Marsh", "Lowmoor",
         "Millbrook", "Nant Goch", "Oldcastle", "Penrhos", "Quarry Bank", "Rushden Heath", "Stonebridge", "Thornby", "Upper Don", "Westhaven", "Yarrow")  # fmt: skip


def dimension(r: random.Random) -> tuple[str, list[str]]:
    """A classification of published tables: its name and categories."""
    y = r.randint(1990, 2016)
    return r.choice([
        ("Region", list(REGIONS)), ("Rank", list(RANKS)), ("Grade", list(GRADES)), ("Sex", ["Male", "Female"]), ("Sex", ["Males", "Females"]),
        ("Age group", [f"{a}-{a + 4}" for a in range(15, 70, 5)] + ["70+"]), ("age_band", ["16-24", "25-34", "35-49", "50-64", "65+"]), ("Year", [str(k) for k in range(y, y + r.randint(4, 12))]),
        ("Financial year", [f"{k}/{(k + 1) % 100:02d}" for k in range(y, y + 7)]), ("Quarter", ["Q1", "Q2", "Q3", "Q4"]), ("Month", MONTHS),
        ("Ethnicity", ["White", "Asian", "Black", "Mixed", "Other"]), ("Service", ["Royal Navy", "Army", "RAF"]), ("Marital status", ["Single", "Married", "Divorced", "Widowed"]),
        ("Local authority", r.sample(AREAS, 14)), ("Qualification", ["Degree", "A level", "GCSE", "None"]), ("Tenure", ["Owned", "Mortgage", "Private rented", "Social rented"]),
        ("Cause", ["Cancer", "Circulatory", "Respiratory", "Accident", "Other"]), ("Employment", ["Employed", "Unemployed", "Inactive"]), ("smoker", ["Yes", "No"]),
        ("age", [str(k) for k in range(0, 91)]), ("occupation", [f"{k}" for k in range(1111, 1180, 3)]), ("Oedran", ["16-24", "25-44", "45-64", "65+"]), ("Rhyw", ["Gwryw", "Benyw"]),
    ])  # fmt: skip


def _cell(r: random.Random, base: float, how: str, mark: str) -> str:
    if r.random() < 0.03:
        return mark
    value = base * r.uniform(0.6, 1.5)
    if how == "round":
        return str(round(value / 10) * 10)
    if how == "five":
        return str(round(value / 5) * 5)
    if how == "comma":
        return f"{int(value):,}"
    if how == "percent":
        return f"{min(99.9, value % 100):.1f}" + r.choice(["", "", "%"])
    return f"{value % 60:.2f}" if how == "rate" else str(int(value))


def _how(r: random.Random) -> tuple[str, str, float]:
    return (
        r.choice(["round", "five", "comma", "percent", "rate", "plain", "plain"]),
        r.choice(MARKS),
        10 ** r.uniform(0.7, 5),
    )


def _context(r: random.Random) -> tuple[str, ...]:
    return tuple(r.sample(NOTES, r.randint(1, 5))) if r.random() < 0.4 else ()


def wide_table(seed: int) -> Made:
    """Categories down, categories or years across, often with totals."""
    r = random.Random(f"wide{seed}")
    (down, rows), (_, across) = dimension(r), dimension(r)
    how, mark, base = _how(r)
    across = across[:12]
    total = r.random() < 0.5 and how in ("round", "plain", "five", "comma")
    body, sums = [], [0] * len(across)
    for name in rows[:60]:
        own = base * r.uniform(0.1, 2)
        cells = [_cell(r, own, how, mark) for _ in across]
        sums = [
            s + int(c.replace(",", "")) if total and c.replace(",", "").isdigit() else s
            for s, c in zip(sums, cells, strict=True)
        ]
        body.append([name, *cells])
    if total:
        body.append([r.choice(["Total", "All", "Cyfanswm"]), *map(str, sums)])
    return Made(f"made_up.wide.{seed}", "aggregate", [down, *across], body, _context(r))


def long_table(seed: int) -> Made:
    """Tidy statistics: one row for each combination of one to four classifications, then one to four measures."""
    r = random.Random(f"long{seed}")
    dims: dict[str, list[str]] = {}
    for _ in range(r.randint(1, 4)):
        name, words = dimension(r)
        dims[name] = words + (["Total"] if r.random() < 0.15 else [])
    combos: list[Row] = [[]]
    for words in dims.values():
        combos = [[*c, w] for c in combos for w in words]
    combos = combos[:1500]
    if r.random() < 0.25:
        combos = [c for c in combos if r.random() < 0.85]
    if r.random() < 0.2:
        r.shuffle(combos)
    measures = r.sample(["count", "n", "headcount", "Number of people", "rate", "Percentage", "mean_salary", "median", "OBS_VALUE", "value", "personnel", "lower_ci", "upper_ci", "cases"], r.randint(1, 4))  # fmt: skip
    hows = [_how(r) for _ in measures]
    if r.random() < 0.2:
        hows = [("plain", "0", r.choice([0.8, 2.0, 5.0])) for _ in measures]
    rows = [[*c, *(_cell(r, base, how, mark) for how, mark, base in hows)] for c in combos]
    header = [*dims, *measures]
    if r.random() < 0.3:
        header = [h.lower().replace(" ", "_") for h in header]
    return Made(f"made_up.long.{seed}", "aggregate", header, rows, _context(r))


def means_table(seed: int) -> Made:
    """Moments by category: n, mean, standard deviation and so on."""
    r = random.Random(f"means{seed}")
    name, words = dimension(r)
    what = r.choice(["age", "salary", "income", "hours", "bmi", "score", "height"])
    header = [
        name,
        r.choice(["N", "n", "Count"]),
        f"Mean {what}",
        "SD",
        *(["SE", "Lower CI", "Upper CI"] if r.random() < 0.5 else []),
    ]
    rows = []
    for w in words[:60]:
        m, sd, n = r.uniform(20, 60), r.uniform(2, 15), r.randint(12, 4000)
        rows.append(
            [
                w,
                str(n),
                f"{m:.2f}",
                f"{sd:.2f}",
                f"{sd / n**0.5:.3f}",
                f"{m - 2 * sd / n**0.5:.2f}",
                f"{m + 2 * sd / n**0.5:.2f}",
            ][: len(header)]
        )
    return Made(f"made_up.means.{seed}", "aggregate", header, rows, _context(r))


def series_table(seed: int) -> Made:
    """Time series: yearly, monthly or daily, one to eight measures, perhaps for several places."""
    r = random.Random(f"series{seed}")
    k, n, start = r.randint(1, 8), r.randint(12, 300), r.randint(1900, 2000)
    kind = r.choice(["year", "month", "day", "none"])
    places = r.sample(AREAS, r.randint(2, 14)) if r.random() < 0.4 else [""]
    pool = [
        "gdp",
        "inflation",
        "unemployment",
        "price index",
        "exports",
        "rainfall",
        "temperature",
        "population",
        "rate",
        "deaths",
        "births",
        "sales",
        "income per capita",
        "crime rate",
    ]
    header = [kind if kind != "none" else "obs", *r.sample(pool, k)]
    rows = []
    for place in places:
        levels = [10 ** r.uniform(-1, 5) for _ in range(k)]
        for t in range(n // len(places) + 4):
            levels = [max(0.001, v * (1 + r.gauss(0.01, 0.03))) for v in levels]
            when = {
                "year": str(start + t),
                "month": f"{start + t // 12}-{t % 12 + 1:02d}",
                "day": f"2019-{t // 28 % 12 + 1:02d}-{t % 28 + 1:02d}",
            }.get(kind, str(t + 1))
            rows.append(
                [*([place] if place else []), when, *(f"{v:.{2 if v < 100 else 0}f}" for v in levels)]
            )
    return Made(f"made_up.series.{seed}", "aggregate", [*(["area"] if places[0] else []), *header], rows)


def area_table(seed: int) -> Made:
    """One row for each area, with rates and totals about its people."""
    r = random.Random(f"area{seed}")
    n = r.randint(8, 300)
    what = r.sample(["population", "median age", "pct female", "income per capita", "poverty rate", "pct black", "unemployment rate", "crime rate", "pct degree",
                     "births", "deaths", "households", "life expectancy", "density", "pct smokers", "mean wage", "pupils", "turnout"], r.randint(3, 12))  # fmt: skip
    levels = [(10 ** r.uniform(0.5, 5), r.choice([0, 1, 1, 2])) for _ in what]
    named = r.random() < 0.7
    rows = [
        [
            f"{AREAS[i % 22]} {i // 22 + 1}" if named else f"E0{6000000 + i}",
            *(f"{v * 2.7 ** r.gauss(0, 0.4):.{d}f}" for v, d in levels),
        ]
        for i in range(n)
    ]
    return Made(
        f"made_up.area.{seed}",
        "aggregate",
        [r.choice(["area", "Local authority", "district", "lad_code", "county"]), *what],
        rows,
    )


def thing_table(seed: int) -> Made:
    """One row for each thing or event: goods, sensors, invoices, buildings, animals, matches, machines."""
    r = random.Random(f"thing{seed}")
    n = int(10 ** r.uniform(1, 2.7))
    temp = r.uniform(5, 25)
    kinds: list[tuple[list[str], Callable[[int], Row]]] = [
        (["sku", "description", "material", "price", "stock"], lambda i: [f"SKU-{r.randint(10000, 99999)}", f"{r.choice(['Bolt', 'Nut', 'Hinge'])} M{r.randint(3, 20)}", r.choice(["steel", "brass"]), f"{r.uniform(0.1, 90):.2f}", str(r.randint(0, 900))]),
        (["timestamp", "sensor", "temp_c", "humidity"], lambda i: [f"2024-01-{i // 24 % 28 + 1:02d} {i % 24:02d}:00:00", str(r.randint(1, 5)), f"{temp + r.gauss(0, 3):.2f}", f"{r.uniform(30, 70):.1f}"]),
        (["Invoice", "Date", "Supplier", "Net", "VAT"], lambda i: [f"INV{1000 + i}", f"2024-{i % 12 + 1:02d}-{i % 28 + 1:02d}", r.choice(["Acme Ltd", "Borth plc", "Cwm Ltd"]), f"{r.uniform(50, 9000):.2f}", f"{r.uniform(10, 1800):.2f}"]),
        (["price", "sqft", "bedrooms", "bathrooms", "year built", "garage"], lambda i: [str(r.randint(90, 900) * 1000), str(r.randint(600, 3500)), str(r.randint(1, 5)), str(r.randint(1, 3)), str(r.randint(1890, 2020)), r.choice(["Y", "N"])]),
        (["species", "sex", "body mass", "wing length", "age"], lambda i: [r.choice(["robin", "wren", "tit"]), r.choice("MF"), f"{r.gauss(20, 3):.1f}", f"{r.gauss(70, 5):.1f}", r.choice(["adult", "juvenile"])]),
        (["litter", "sex", "weight", "dose", "strain"], lambda i: [str(i // 6 + 1), r.choice("MF"), f"{r.gauss(24, 4):.1f}", r.choice(["0", "5", "10"]), r.choice(["B6", "C3H"])]),
        (["plot", "block", "variety", "fertilizer", "yield"], lambda i: [str(i + 1), str(i % 4 + 1), r.choice("ABC"), r.choice(["N", "P", "K"]), f"{r.gauss(50, 9):.1f}"]),
        (["date", "home team", "away team", "home goals", "away goals"], lambda i: [f"2022-{i % 12 + 1:02d}-{i % 28 + 1:02d}", r.choice(AREAS), r.choice(AREAS), str(r.randint(0, 5)), str(r.randint(0, 4))]),
        (["make", "model", "mpg", "cylinders", "weight", "year"], lambda i: [r.choice(["Arden", "Brio", "Corva"]), f"{r.choice('ABX')}{r.randint(1, 9)}", f"{r.uniform(15, 60):.1f}", r.choice("468"), str(r.randint(900, 2200)), str(r.randint(1995, 2020))]),
        (["asset tag", "hostname", "ip", "os", "ram gb"], lambda i: [f"A{r.randint(10000, 99999)}", f"ws{i:04d}", f"10.0.{r.randint(0, 9)}.{r.randint(1, 254)}", r.choice(["Windows 11", "Debian 12"]), r.choice(["8", "16"])]),
        (["time", "path", "status", "bytes"], lambda i: [f"2024-03-14T{i // 60 % 24:02d}:{i % 60:02d}:00Z", r.choice(["/", "/about", "/img"]), r.choice(["200", "304", "404"]), str(r.randint(200, 90000))]),
        (["title", "genre", "year", "rating", "votes"], lambda i: [f"The {r.choice(['Red', 'Long', 'Last'])} {r.choice(['Road', 'Night', 'Sea'])} {i}", r.choice(["Drama", "Comedy"]), str(r.randint(1950, 2020)), f"{r.uniform(2, 9):.1f}", str(r.randint(9, 99999))]),
        ([f"x{j}" for j in range(8)], lambda i: [f"{r.gauss(0, 1):.5f}" for _ in range(8)]),
        (["week", *MONTHS[:7]], lambda i: [f"Week {i + 1}", *(r.choice(["Early", "Late", "Night", "Rest"]) for _ in range(7))]),
        (["machine", "shift", "operator", "pressure", "defects"], lambda i: [f"M{i % 4}", r.choice("123"), r.choice("ABC"), f"{r.gauss(30, 2):.2f}", str(int(r.expovariate(0.5)))]),
        (["sample", "ph", "iron", "calcium", "depth"], lambda i: [f"S{i + 1}", f"{r.gauss(7, 0.5):.2f}", f"{r.expovariate(1):.3f}", f"{r.gauss(40, 9):.1f}", str(r.randint(1, 90))]),
        (["isbn", "copies"], lambda i: [f"978{r.randint(10**9, 10**10 - 1)}", str(r.randint(1, 9))]),
        (["serial number"], lambda i: [f"07{r.randint(100, 999)} {r.randint(100000, 999999)}"]),
        (["machine", "time", "status", "stress", "temp"], lambda i: [f"M{i + 1}", str(int(r.expovariate(0.002))), r.choice("01"), r.choice(["10", "20"]), str(r.choice([150, 170, 190]))]),
        (["mouse", "strain", "dose", "days", "tumor"], lambda i: [str(i + 1), r.choice(["B6", "C3H"]), r.choice(["0", "5", "10"]), str(int(r.gauss(90, 30))), r.choice("01")]),
        (["rat", "group", "week", "weight"], lambda i: [str(i // 5 + 1), r.choice("ABC"), str(i % 5), f"{r.gauss(240, 40):.0f}"]),
        (["course", "department", "title", "units", "capacity", "term"], lambda i: [f"C{r.randint(100, 499)}", r.choice(["Law", "Maths"]), f"Topics {i}", r.choice("234"), str(r.randint(10, 200)), r.choice(["Fall", "Spring"])]),
        (["spam", "num_char", "line_breaks", "format", "attach", "winner", "number"], lambda i: [r.choice("01"), f"{r.expovariate(0.1):.3f}", str(r.randint(3, 900)), r.choice("01"), r.choice("0012"), r.choice(["yes", "no"]), r.choice(["none", "small", "big"])]),
        (["auction", "bids", "price", "condition", "seller rating", "shipping"], lambda i: [str(10**9 + r.randint(1, 10**8)), str(r.randint(1, 30)), f"{r.uniform(5, 90):.2f}", r.choice(["new", "used"]), str(r.randint(0, 9000)), r.choice(["standard", "priority"])]),
        (["run", "conc", "density"], lambda i: [str(i // 16 + 1), f"{0.05 * 2 ** (i % 8):.4f}", f"{r.uniform(0, 2):.3f}"]),
        (["lot area", "street", "zoning", "roof style", "year built", "overall cond", "bldg type", "heating", "sale price", "garage cars"], lambda i: [str(r.randint(2000, 20000)), r.choice(["Pave", "Grvl"]), r.choice(["RL", "RM"]), r.choice(["Gable", "Hip"]), str(r.randint(1890, 2010)), r.choice("3456789"), r.choice(["1Fam", "Duplex"]), r.choice(["GasA", "GasW"]), str(r.randint(60, 700) * 1000), r.choice("0123")]),
        (["favorite", "spread", "fav score", "und score", "home", "ranked"], lambda i: [r.choice("01"), f"{r.uniform(0, 25):.1f}", str(r.randint(40, 110)), str(r.randint(40, 100)), r.choice("01"), r.choice("01")]),
        (["site", "transect", "species", "count", "cover", "burned"], lambda i: [str(i // 10 + 1), r.choice("123"), r.choice(["oak", "ash"]), str(int(r.expovariate(0.3))), str(r.randint(0, 100)), r.choice(["yes", "no"])]),
        (["solder", "opening", "mask", "pad", "panel", "skips"], lambda i: [r.choice(["Thick", "Thin"]), r.choice(["L", "M", "S"]), r.choice(["A1", "B3"]), r.choice(["D4", "W9"]), str(i % 3 + 1), str(int(r.expovariate(0.2)))]),
        (["item", "type", "colour", "price", "worn", "year bought"], lambda i: [f"Shirt {i}", r.choice(["shirt", "tie"]), r.choice(["blue", "white"]), f"{r.uniform(5, 80):.2f}", str(r.randint(0, 60)), str(r.randint(2005, 2020))]),
        (["flight", "carrier", "dep delay", "distance", "tailnum"], lambda i: [str(r.randint(1, 2500)), r.choice(["BX", "QA"]), str(r.randint(-10, 120)), str(r.randint(90, 3000)), f"N{r.randint(100, 999)}UA"]),
    ]  # fmt: skip
    header, row = kinds[seed % len(kinds)]
    return Made(f"made_up.thing.{seed}", "thing", header, [row(i) for i in range(n)])


def firm_table(seed: int) -> Made:
    """One row for each organisation."""
    r = random.Random(f"firm{seed}")
    cols: dict[str, Callable[[int], str]] = {
        "company": lambda i: f"{r.choice(AREAS)} {r.choice(['Ltd', 'plc', 'Trading', 'Holdings'])}", "turnover": lambda i: str(int(2.7 ** r.gauss(13, 2))), "employees": lambda i: str(int(2.7 ** r.gauss(3, 1.5))),
        "sic code": lambda i: str(r.randint(1110, 99000)), "profit": lambda i: str(int(r.gauss(50000, 200000))), "region": lambda i: r.choice(REGIONS), "school": lambda i: f"{r.choice(AREAS)} Primary School",
        "pupils": lambda i: str(r.randint(40, 1500)), "pct free meals": lambda i: f"{r.uniform(0, 60):.1f}", "pupil teacher ratio": lambda i: f"{r.gauss(20, 3):.1f}", "ofsted": lambda i: r.choice("1234"), "assets": lambda i: str(int(2.7 ** r.gauss(14, 2))),
    }  # fmt: skip
    chosen = r.sample(list(cols), r.randint(3, 7))
    rows = [[cols[c](i) for c in chosen] for i in range(r.randint(12, 300))]
    return Made(f"made_up.firm.{seed}", "organisation", chosen, rows)


def metadata_table(seed: int) -> Made:
    """A code book, a value list, a look-up of areas, or an empty form: speaks of people's variables, holds none."""
    r = random.Random(f"meta{seed}")
    kind = seed % 4
    if kind == 0:
        rows = [
            [
                n[0].replace(" ", "_"),
                r.choice(["string", "code", "date"]),
                f"{n[0].capitalize()} of the person",
                r.choice(["yes", "no"]),
            ]
            for n, _ in r.sample(POOL, r.randint(8, 40))
        ]
        return Made(f"made_up.meta.{seed}", "none", ["Variable", "Type", "Description", "Identifying"], rows)
    if kind == 1:
        name, words = dimension(r)
        return Made(
            f"made_up.meta.{seed}",
            "none",
            ["code", name + " label"],
            [[str(i + 1), w] for i, w in enumerate(words)],
        )
    if kind == 2:
        rows = [
            [
                f"{r.choice('ABCDE')}{r.randint(1, 99)} {r.randint(1, 9)}AA",
                f"E0{r.randint(1000001, 1033768)}",
                f"E0200{r.randint(1000, 6999)}",
                f"E0{r.randint(6, 9)}0000{r.randint(10, 99)}",
            ]
            for _ in range(r.randint(30, 400))
        ]
        return Made(f"made_up.meta.{seed}", "none", ["pcds", "lsoa11cd", "msoa11cd", "ladcd"], rows)
    header = [n[0].title() for n, _ in r.sample(POOL, r.randint(4, 10))]
    return Made(
        f"made_up.meta.{seed}", "none", header, [["" for _ in header] for _ in range(r.randint(1, 6))]
    )
