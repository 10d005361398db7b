# ruff: noqa: E501, SIM905
"""Made-up tables of records of people and households, in many layouts, to train the record model with.

Nobody in them exists. A table is drawn variable by variable out of a pool, with names of variables in
several styles (Title Case, snake, camel, shortened, Welsh) and values as words or as codes.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

Row = list[str]
Person = dict[str, float]
Draw = Callable[[random.Random, Person, int], str]


@dataclass(frozen=True)
class Made:
    """A made-up or derived table with its class: person, aggregate, organisation, thing or none."""

    name: str
    label: str
    header: list[str]
    rows: list[Row]
    context: tuple[str, ...] = ()


def choose(*words: str, skew: float = 1.0) -> Draw:
    """Draw one of `words`, the first ones oftener when `skew` is above 1."""
    return lambda r, p, i: words[min(len(words) - 1, int(len(words) * r.random() ** skew))]


def code(low: int, high: int, missing: float = 0.04) -> Draw:
    """Draw a code, now and then a missing one."""
    return lambda r, p, i: (
        str(r.choice([-9, -8, -1, 99])) if r.random() < missing else str(r.randint(low, high))
    )


def _sex(*words: str) -> Draw:
    return lambda r, p, i: words[int(p["sex"])]


def _amount(low: float, wide: float, step: int) -> Draw:
    return lambda r, p, i: str(int(low * (2.718 ** r.gauss(0, wide)) / step) * step)


def _real(middle: float, wide: float, digits: int) -> Draw:
    return lambda r, p, i: f"{max(0.01, r.gauss(middle, wide)):.{digits}f}"


def _date(first: int, last: int, style: str) -> Draw:
    def draw(r: random.Random, p: Person, i: int) -> str:
        y, m, d = r.randint(first, last), r.randint(1, 12), r.randint(1, 28)
        if style == "iso":
            return f"{y}-{m:02d}-{d:02d}"
        names = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
        return f"{d:02d}/{m:02d}/{y}" if style == "uk" else f"{d:02d}-{names[m - 1]}-{y}"

    return draw


REGIONS = ("South East", "London", "North West", "East of England", "West Midlands", "South West",
           "Yorkshire and The Humber", "East Midlands", "North East", "Scotland", "Wales", "Northern Ireland")  # fmt: skip
RANKS = (
    "Private",
    "Lance Corporal",
    "Corporal",
    "Sergeant",
    "Staff Sergeant",
    "Warrant Officer 2",
    "Captain",
    "Major",
    "Lieutenant Colonel",
)
GRADES = ("AO", "EO", "HEO", "SEO", "Grade 7", "Grade 6", "SCS1", "AA")

# names (long, short, Welsh) → ways to draw the value
POOL: list[tuple[tuple[str, str, str], tuple[Draw, ...]]] = [
    (("age", "age", "oed"), (lambda r, p, i: str(int(p["age"])), lambda r, p, i: str(int(p["age"])), lambda r, p, i: str(int(p["age"]) // 10))),
    (("sex", "sex", "rhyw"), (_sex("1", "2"), _sex("M", "F"), _sex("Male", "Female"), _sex("0", "1"), _sex("male", "female"))),
    (("gender", "gndr", "rhywedd"), (_sex("Male", "Female"), _sex("1", "2"), _sex("m", "f"), _sex("Gwryw", "Benyw"))),
    (("year of birth", "yob", "blwyddyn geni"), (lambda r, p, i: str(2023 - int(p["age"])),)),
    (("date of birth", "dob", "dyddiad geni"), (_date(1944, 2005, "uk"), _date(1944, 2005, "iso"), _date(1944, 2005, "mon"))),
    (("ethnic group", "ethn", "grwp ethnig"), (choose("White", "Asian", "Black", "Mixed", "Other", skew=2.5), code(1, 5), code(1, 18),
                                               choose("White British", "Indian", "Pakistani", "Black African", "Other White", skew=2))),
    (("marital status", "marstat", "statws priodasol"), (choose("Single", "Married", "Divorced", "Widowed", skew=1.5), code(1, 6))),
    (("nationality", "natid", "cenedligrwydd"), (choose("British", "Irish", "Polish", "Indian", skew=3), code(1, 7))),
    (("religion", "relig", "crefydd"), (choose("No religion", "Christian", "Muslim", "Hindu", "Sikh", skew=2), code(1, 9))),
    (("disability", "disab", "anabledd"), (choose("No", "Yes", skew=3), code(0, 1), choose("N", "Y", skew=3))),
    (("region", "rgn", "rhanbarth"), (choose(*REGIONS), code(1, 12, 0))),
    (("highest qualification", "hiqual", "cymhwyster"), (choose("Degree or above", "A level", "GCSE", "No qualifications", "Other qualification"), code(1, 7))),
    (("employment status", "empstat", "cyflogaeth"), (choose("Employed", "Self-employed", "Retired", "Unemployed", "Student", skew=1.5), code(1, 8))),
    (("occupation", "occ", "galwedigaeth"), (lambda r, p, i: str(r.randint(1111, 9279)), choose("Professional", "Clerical", "Skilled manual", "Routine"), code(1, 9))),
    (("industry", "ind", "diwydiant"), (lambda r, p, i: str(r.randint(1, 99)), choose("Construction", "Retail", "Health", "Public administration"))),
    (("hours worked", "hrs", "oriau"), (lambda r, p, i: r.choice(["0", "16", "20", "37", "37", "37", "40", "48"]), _real(34, 9, 1))),
    (("annual income", "inc", "incwm"), (_amount(24000, 0.5, 1), _amount(24000, 0.5, 100), code(1, 10))),
    (("salary", "sal", "cyflog"), (_amount(31000, 0.3, 1), _amount(31000, 0.3, 50))),
    (("pay band", "band", "band cyflog"), (choose("A", "B", "C", "D"), code(1, 9, 0))),
    (("grade", "grd", "gradd"), (choose(*GRADES), code(1, 8))),
    (("rank", "rank", "rheng"), (choose(*RANKS, skew=2), choose("OR-2", "OR-3", "OR-4", "OR-6", "OF-2", "OF-3", skew=2), code(1, 15, 0))),
    (("service", "svc", "gwasanaeth"), (choose("Army", "RN", "RAF"), choose("1", "2", "3"))),
    (("trade", "trd", "crefft"), (choose("Infantry", "Signals", "Logistics", "Engineer", "Medical"), code(10, 40))),
    (("length of service", "los", "hyd gwasanaeth"), (lambda r, p, i: str(int(r.expovariate(0.12))), _real(8, 5, 1))),
    (("deployable", "depl", "lleoli"), (choose("Y", "N", skew=2), choose("MFD", "MLD", "MND", skew=2.5))),
    (("tenure", "ten", "deiliadaeth"), (choose("Owned outright", "Mortgage", "Private rented", "Social rented"), code(1, 5))),
    (("household size", "hhsize", "maint aelwyd"), (lambda r, p, i: str(min(8, 1 + int(r.expovariate(0.7)))),)),
    (("number of children", "nkids", "nifer plant"), (lambda r, p, i: str(min(6, int(r.expovariate(0.9)))),)),
    (("number of cars", "cars", "ceir"), (code(0, 3, 0),)),
    (("general health", "genhlth", "iechyd"), (choose("Very good", "Good", "Fair", "Bad", "Very bad", skew=1.6), code(1, 5))),
    (("smoker", "smk", "ysmygu"), (choose("No", "Yes", "Ex", skew=1.6), code(0, 2), choose("Never", "Former", "Current"))),
    (("alcohol units", "alc", "alcohol"), (lambda r, p, i: str(int(r.expovariate(0.1))),)),
    (("bmi", "bmi", "bmi"), (_real(27, 4.5, 1),)),
    (("height cm", "ht", "taldra"), (lambda r, p, i: str(int(r.gauss(170, 9))),)),
    (("weight kg", "wtkg", "pwysau"), (lambda r, p, i: str(int(r.gauss(76, 14))), _real(76, 14, 1))),
    (("systolic bp", "sbp", "pwysedd"), (lambda r, p, i: str(int(r.gauss(128, 15))),)),
    (("primary diagnosis", "diag", "diagnosis"), (lambda r, p, i: r.choice("ACEFIJKMNRS") + f"{r.randint(0, 99):02d}.{r.randint(0, 9)}",)),
    (("treatment", "trt", "triniaeth"), (choose("Placebo", "Active"), code(0, 1, 0), choose("A", "B", "C"))),
    (("admission date", "admdt", "dyddiad"), (_date(2022, 2023, "uk"), _date(2022, 2023, "iso"))),
    (("died", "dead", "marw"), (code(0, 1, 0), choose("No", "Yes", skew=4))),
    (("follow up days", "futime", "dilyniant"), (lambda r, p, i: str(int(r.expovariate(0.002))),)),
    (("life satisfaction", "lifesat", "boddhad"), (code(0, 10), choose("Satisfied", "Dissatisfied", "Very satisfied"))),
    (("trust in government", "trstgov", "ymddiried"), (code(1, 5), choose("Agree", "Disagree", "Strongly agree", "Neither", "Strongly disagree"))),
    (("party", "pty", "plaid"), (choose("Labour", "Conservative", "Green", "Plaid Cymru", "None"), code(1, 8))),
    (("welsh speaker", "welsh", "siarad cymraeg"), (choose("Yes", "No"), code(1, 2))),
    (("exam score", "score", "sgor"), (lambda r, p, i: str(int(r.gauss(58, 14))), _real(0.5, 1, 3))),
    (("absence days", "abs", "absenoldeb"), (lambda r, p, i: str(int(r.expovariate(0.3))),)),
    (("benefit claimed", "ben", "budd dal"), (code(0, 1, 0), choose("None", "UC", "PIP", "ESA", skew=2))),
    (("lsoa", "lsoa", "lsoa"), (lambda r, p, i: f"E0{r.randint(1000001, 1033768)}",)),
    (("job title", "job", "swydd"), (choose("Analyst", "Clerk", "Driver", "Nurse", "Engineer", "Manager", "Porter"),)),
    (("offence", "off", "trosedd"), (choose("Theft", "Assault", "Drugs", "Fraud", "Public order"), code(1, 20))),
]  # fmt: skip


def _weight(r: random.Random, p: Person, i: int) -> str:
    return f"{0.3 + r.expovariate(1.4):.4f}"


def _style(r: random.Random) -> Callable[[tuple[str, str, str]], str]:
    kind = r.choice(["long", "snake", "camel", "short", "short", "upper", "welsh", "coded", "cut"])
    mark = r.choice(["V", "var", "q", "x"])
    counter = iter(range(1, 999))

    def name(names: tuple[str, str, str]) -> str:
        long, short, welsh = names
        if kind == "welsh":
            return welsh.capitalize()
        if kind == "coded":
            return f"{mark}{next(counter)}"
        styles = {"long": long.title(), "snake": long.replace(" ", "_"), "camel": long.title().replace(" ", ""),
                  "upper": short.upper(), "cut": long.replace(" ", "")[:4]}  # fmt: skip
        return styles.get(kind, short)

    return name


def person_table(seed: int) -> Made:
    """One table of records: 5 to 600 made-up people or households."""
    r = random.Random(f"person{seed}")
    n = int(10 ** r.uniform(1.2, 2.7))
    chosen = r.sample(POOL, r.randint(3, 14))
    style = _style(r)
    header, draws = [], []
    if r.random() < 0.6:
        first = r.randint(1, 90000)
        header.append(
            style(
                (
                    r.choice(["person id", "case id", "serial", "record", "ref no"]),
                    r.choice(["id", "pid", "caseid", "serial"]),
                    "cyf",
                )
            )
        )
        draws.append(
            r.choice(
                [
                    lambda r, p, i: str(first + i),
                    lambda r, p, i: f"{r.getrandbits(48):012x}",
                    lambda r, p, i: f"P{r.randint(10000, 99999)}",
                ]
            )
        )
    for names, ways in chosen:
        header.append(style(names))
        draws.append(r.choice(ways))
    if r.random() < 0.3:
        stem, low, high = (
            r.choice(["q", "Q", "item", "att_"]),
            r.choice([0, 1]),
            r.choice([1, 3, 4, 5, 7, 10]),
        )
        missing = r.choice([0, 0.05, 0.15])
        for k in range(r.randint(3, 30)):
            header.append(f"{stem}{k + 1}")
            draws.append(code(low, high, missing))
    if r.random() < 0.3:
        header.append(style(("weight", "wt", "pwysiad")))
        draws.append(_weight)
    rows = []
    for i in range(n):
        p = {
            "sex": float(r.random() < 0.5),
            "age": float(r.randint(16, 94) if r.random() < 0.8 else r.randint(17, 64)),
        }
        rows.append([d(r, p, i) for d in draws])
    blank = r.choice([0.0, 0.0, 0.03, 0.1])
    if blank:
        rows = [[("" if r.random() < blank else x) for x in row] for row in rows]
    if r.random() < 0.15:
        r2 = r.randrange(len(header))
        rows.sort(key=lambda row: row[r2])
    said = (
        "Extract",
        "Run date: 3 May",
        "Notes",
        "Source: personnel system",
        "Requested by",
        "Official",
        "As at 1 April",
    )
    context = tuple(r.sample(said, 3)) if r.random() < 0.35 else ()
    return Made(f"made_up.person.{seed}", "person", header, rows, context)


def panel_table(seed: int) -> Made:
    """Repeated records of the same people: visits, months or waves."""
    r = random.Random(f"panel{seed}")
    people, times = r.randint(6, 60), r.randint(2, 12)
    chosen = r.sample(POOL, r.randint(1, 5))
    style = _style(r)
    when = r.choice(
        [
            ("month", "mth", "mis"),
            ("visit", "visit", "ymweliad"),
            ("wave", "wave", "ton"),
            ("year", "yr", "blwyddyn"),
        ]
    )
    fixed = [r.choice(ways) for _, ways in chosen]
    level, wide = r.choice([(150, 12), (5, 2), (27, 4), (60, 15)])
    header = [
        style(("person id", "id", "cyf")),
        style(when),
        *(style(n) for n, _ in chosen),
        style(("score", "score", "sgor")),
    ]
    rows = []
    for i in range(people):
        p = {"sex": float(r.random() < 0.5), "age": float(r.randint(16, 90))}
        ident = str(1000 + 3 * i if seed % 2 else r.randint(100000, 999999))
        own = [d(r, p, i) for d in fixed]
        start = r.gauss(level, wide)
        rows += [
            [
                ident,
                str(t + 1 + (2015 if when[0] == "year" else 0)),
                *own,
                str(round(start + r.gauss(0, wide / 3), 1)),
            ]
            for t in range(times)
        ]
    return Made(f"made_up.panel.{seed}", "person", header, rows)
