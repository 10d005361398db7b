# ruff: noqa: E501
"""Made-up registers and surveys of a department: what microdata looks like at work, family by family.

Each family is one kind of file: personnel, pay, absence, care, casework, panels, diaries, linked data. Names of variables
come in several dialects and values as words or codes, and no row has a name in it: these are the files without identifiers.
Nobody in them exists. `FAMILIES` is the whole list; a family can be held out of training to see what the model makes of its kind.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from benchmarks.made_up_people import GRADES, RANKS, Made, Row

Draw = Callable[[], str]
Fields = list[tuple[str, str, Draw]]
"""By variable: its full name, its short name, and how one value is drawn."""

WAYS = ("long", "snake", "camel", "short", "upper", "bare")
PLACES = (
    "Ashby",
    "Barrow Vale",
    "Deepwater",
    "Elmstow",
    "Harbour West",
    "Lowmoor",
    "Nant Goch",
    "Oldcastle",
    "Penrhos",
    "Thornby",
)
NOTES = ("Extract", "Run date 3 May", "OFFICIAL-SENSITIVE", "As supplied", "Source: case system", "Notes", "Data", "Sheet1", "Query 4")  # fmt: skip


def pick(r: random.Random, *words: str, skew: float = 1.0) -> Draw:
    """Draw one of `words`, the first ones oftener when `skew` is above 1."""
    return lambda: words[min(len(words) - 1, int(len(words) * r.random() ** skew))]


def number(r: random.Random, low: int, high: int) -> Draw:
    """Draw a whole number."""
    return lambda: str(r.randint(low, high))


def about(r: random.Random, middle: float, wide: float, digits: int = 0) -> Draw:
    """Draw a number around a middle, never below nought."""
    return lambda: f"{max(0.0, r.gauss(middle, wide)):.{digits}f}"


def seldom(r: random.Random, mean: float) -> Draw:
    """Draw a count that is mostly small."""
    return lambda: str(int(r.expovariate(1 / mean)))


def day(r: random.Random, first: int, last: int) -> Draw:
    """Draw a date, all of one column in one style."""
    style = r.choice(["{y}-{m:02d}-{d:02d}", "{d:02d}/{m:02d}/{y}", "{d:02d}-{n}-{y}", "{y}{m:02d}{d:02d}"])
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

    def draw() -> str:
        m = r.randint(1, 12)
        return style.format(y=r.randint(first, last), m=m, d=r.randint(1, 28), n=months[m - 1])

    return draw


def coded(r: random.Random, *words: str, skew: float = 1.0) -> Draw:
    """Words, or codes for them with a missing code now and then."""
    if r.random() < 0.5:
        return pick(r, *words, skew=skew)
    missing = r.choice([0.0, 0.0, 0.04])
    own = pick(r, *(str(i + 1) for i in range(len(words))), skew=skew)
    return lambda: str(r.choice([-9, -8, -1, 99])) if r.random() < missing else own()


def sex(r: random.Random) -> Draw:
    """Sex in one of its codings."""
    return pick(r, *r.choice([("1", "2"), ("M", "F"), ("Male", "Female"), ("0", "1"), ("m", "f"), ("1", "2", "9"), ("Gwryw", "Benyw")]), skew=1.1)  # fmt: skip


def reference(r: random.Random) -> Draw:
    """A pseudonym for a person: hashed, random or running."""
    running = iter(range(r.randint(1, 90_000), 10**9, r.choice([1, 1, 3])))
    return r.choice([lambda: f"{r.getrandbits(48):012x}", lambda: str(r.randint(10**5, 10**7)), lambda: str(next(running)), lambda: f"P{r.randint(10**4, 10**6)}"])  # fmt: skip


def several(r: random.Random, least: int, most: int) -> list[str]:
    """Pseudonyms of a few people, each of whom may have many rows."""
    draw = reference(r)
    return [draw() for _ in range(r.randint(least, most))]


def written(r: random.Random, full: str, short: str, way: str) -> str:
    """A variable's name in one dialect."""
    if way in ("short", "upper"):
        return short.upper() if way == "upper" else short
    styles = {
        "long": full.capitalize(),
        "snake": full.replace(" ", "_"),
        "camel": full.title().replace(" ", ""),
        "bare": full.replace(" ", ""),
    }
    return styles[way]


def listed(r: random.Random, name: str, fields: Fields, n: int, least: int = 3) -> Made:
    """A table of `n` records with the first variable and some of the others, some cells blank."""
    keep = r.randint(min(least, len(fields)), len(fields))
    first = fields[:1] if r.random() < 0.75 else []
    chosen = first + r.sample(fields[1:], min(len(fields) - 1, max(2, keep - len(first))))
    if r.random() < 0.5:
        chosen.sort(key=fields.index)
    way, blank = r.choice(WAYS), r.choice([0.0, 0.0, 0.02, 0.12])
    holes = {c[0] for c in chosen if r.random() < 0.4}
    rows = [["" if c[0] in holes and r.random() < blank else c[2]() for c in chosen] for _ in range(n)]
    if r.random() < 0.15:
        at = r.randrange(len(chosen))
        rows.sort(key=lambda row: row[at])
    return Made(name, "person", [written(r, c[0], c[1], way) for c in chosen], rows, said(r))


def said(r: random.Random) -> tuple[str, ...]:
    """Text around a table, or none."""
    return tuple(r.sample(NOTES, r.randint(1, 3))) if r.random() < 0.3 else ()


def size(r: random.Random) -> int:
    """How many records: 8 to 400."""
    return int(10 ** r.uniform(0.9, 2.6))


def personnel(r: random.Random, name: str) -> Made:
    """One row for each member of staff or of the forces."""
    forces = r.random() < 0.5
    fields: Fields = [
        ("employee reference", "empref", reference(r)), ("sex", "sex", sex(r)), ("age", "age", number(r, 17, 66)), ("ethnicity", "ethn", coded(r, "White", "Asian", "Black", "Mixed", "Not declared", skew=2.5)),
        ("disability", "disab", coded(r, "No", "Yes", "Not declared", skew=3)), ("religion or belief", "relig", coded(r, "Christian", "No religion", "Muslim", "Not declared", skew=1.5)),
        ("start date", "startdt", day(r, 1990, 2023)), ("length of service", "los", seldom(r, 9)), ("leaver", "leaver", coded(r, "N", "Y", skew=4)), ("reason for leaving", "lvrsn", coded(r, "Resignation", "Retirement", "End of contract", "", skew=0.4)),
        ("location", "loc", pick(r, *PLACES)), ("working pattern", "wkpat", coded(r, "Full time", "Part time", skew=2)), ("line manager reference", "mgrref", number(r, 1000, 9999)), ("cost centre", "cc", number(r, 10000, 99999)),
    ]  # fmt: skip
    if forces:
        fields += [
            ("rank", "rank", pick(r, *RANKS, skew=2)), ("service", "svc", coded(r, "Army", "RN", "RAF")), ("trade group", "trdgrp", coded(r, "Infantry", "Signals", "Logistics", "Medical")), ("trained", "trnd", coded(r, "Trained", "Untrained", skew=2)),
            ("medical deployability", "meddep", pick(r, "MFD", "MLD", "MND", skew=2)), ("assignment unit", "uin", lambda: f"{r.choice('ADNF')}{r.randint(1000, 9999)}{r.choice('AB')}"), ("engagement type", "engtype", number(r, 1, 6)), ("commitment", "commit", coded(r, "Regular", "Reserve", skew=2)),
        ]  # fmt: skip
    else:
        fields += [
            ("grade", "grade", coded(r, *GRADES)), ("fte", "fte", pick(r, "1.00", "0.80", "0.60", "0.50", skew=3)), ("profession", "prof", coded(r, "Policy", "Analysis", "Digital", "Operational")), ("salary", "sal", lambda: str(round(r.gauss(38000, 12000) / 50) * 50)),
            ("contract type", "contr", coded(r, "Permanent", "Fixed term", "Loan", skew=2)), ("performance rating", "perf", number(r, 1, 5)), ("security clearance", "clr", coded(r, "BPSS", "CTC", "SC", "DV")),
        ]  # fmt: skip
    return listed(r, name, fields, size(r), 5)


def payroll(r: random.Random, name: str) -> Made:
    """Pay by employee and period."""
    fields: Fields = [
        ("payroll number", "payno", reference(r)), ("pay period", "per", number(r, 1, 12)), ("basic pay", "basic", about(r, 2600, 700, 2)), ("overtime", "ot", lambda: f"{r.expovariate(0.01):.2f}" if r.random() < 0.4 else "0.00"), ("allowances", "allow", seldom(r, 60)),
        ("tax code", "taxcode", pick(r, "1257L", "BR", "0T", "K475", "S1257L", "1100L", skew=2)), ("ni category", "nicat", pick(r, "A", "B", "C", "H", "M", skew=3)), ("employee pension", "eepen", about(r, 160, 60, 2)), ("tax deducted", "tax", about(r, 350, 120, 2)),
        ("student loan", "sloan", lambda: f"{r.uniform(10, 140):.2f}" if r.random() < 0.3 else "0"), ("net pay", "net", about(r, 2050, 500, 2)), ("hours", "hrs", pick(r, "37.00", "36.00", "30.00", "18.50", skew=2)), ("grade", "grd", coded(r, *GRADES)),
    ]  # fmt: skip
    return listed(r, name, fields, size(r), 5)


def absences(r: random.Random, name: str) -> Made:
    """Spells of absence, several for some people."""
    ids = several(r, 5, 80)
    fields: Fields = [
        ("staff number", "staffno", lambda: r.choice(ids)), ("first day absent", "start", day(r, 2021, 2024)), ("last day absent", "end", day(r, 2021, 2024)), ("working days lost", "wdl", seldom(r, 4)),
        ("absence reason", "rsn", coded(r, "Cold or flu", "Back problems", "Anxiety, stress, depression", "Surgery", "Headache", "Injury")), ("return to work interview", "rtw", coded(r, "Y", "N")), ("certificate", "cert", coded(r, "Self", "Medical")),
        ("age", "age", number(r, 18, 65)), ("sex", "sex", sex(r)), ("grade", "grade", coded(r, *GRADES)), ("team", "team", pick(r, *PLACES)),
    ]  # fmt: skip
    return listed(r, name, fields, size(r))


def episodes(r: random.Random, name: str) -> Made:
    """Hospital episodes in the national coding."""

    def icd() -> str:
        return r.choice("ACEFIJKMNRSZ") + f"{r.randint(0, 99):02d}{r.choice(['', '.'])}{r.randint(0, 9)}"

    fields: Fields = [
        ("patient pseudonym", "encryptid", reference(r)), ("episode start", "epistart", day(r, 2019, 2024)), ("episode end", "epiend", day(r, 2019, 2024)), ("start age", "startage", number(r, 0, 98)), ("sex", "sex", sex(r)), ("ethnic category", "ethnos", pick(r, "A", "B", "C", "H", "N", "Z", "99", skew=2)),
        ("admission method", "admimeth", pick(r, "11", "12", "21", "22", "28", "31", "81")), ("discharge destination", "disdest", pick(r, "19", "29", "51", "79", skew=2)), ("primary diagnosis", "diag_01", icd), ("secondary diagnosis", "diag_02", lambda: icd() if r.random() < 0.6 else ""),
        ("operation", "opertn_01", lambda: f"{r.choice('ABCHJKTW')}{r.randint(1, 99):02d}{r.randint(1, 9)}" if r.random() < 0.7 else "-"), ("length of stay", "spelldur", seldom(r, 4)), ("provider code", "procode", lambda: f"R{r.choice('ABCDEGHJ')}{r.choice('1ABCDX')}"), ("specialty", "mainspef", pick(r, "100", "110", "300", "320", "430", "501")),
        ("lsoa", "lsoa11", lambda: f"E0{r.randint(1000001, 1033768)}"), ("imd decile", "imd04_decile", number(r, 1, 10)), ("died in hospital", "dismeth4", coded(r, "0", "1", skew=5)),
    ]  # fmt: skip
    return listed(r, name, fields, size(r), 4)


def appointments(r: random.Random, name: str) -> Made:
    """Booked contacts: when, where, whether attended, whose."""
    fields: Fields = [
        ("booking reference", "bkref", reference(r)), ("appointment date", "apptdt", day(r, 2022, 2024)), ("appointment time", "appttm", lambda: f"{r.randint(8, 17):02d}:{r.choice(['00', '15', '30', '45'])}"), ("clinic", "clin", coded(r, "Audiology", "Physio", "Dental", "Mental health", "Eye")), ("attendance", "att", coded(r, "Attended", "DNA", "Cancelled", skew=2)),
        ("mode", "mode", coded(r, "Face to face", "Telephone", "Video")), ("days waited", "wait", seldom(r, 30)), ("age at appointment", "age", number(r, 0, 92)), ("gender", "gndr", sex(r)), ("gp practice", "gpprac", lambda: f"{r.choice('ABCDGW')}{r.randint(80000, 89999)}"), ("interpreter", "interp", coded(r, "N", "Y", skew=5)), ("outcome", "outc", number(r, 1, 5)),
    ]  # fmt: skip
    return listed(r, name, fields, size(r), 4)


def training(r: random.Random, name: str) -> Made:
    """Courses taken, results, fitness tests."""
    ids = several(r, 8, 200)
    fields: Fields = [
        ("learner id", "learner", lambda: r.choice(ids)), ("course code", "course", lambda: f"{r.choice(['IT', 'HS', 'LD', 'DP'])}{r.randint(100, 140)}"), ("completed on", "compdt", day(r, 2018, 2024)), ("score", "score", number(r, 35, 100)), ("result", "result", coded(r, "Pass", "Fail", "Merit", skew=1.5)), ("attempt", "attempt", pick(r, "1", "2", "3", skew=4)),
        ("mandatory", "mand", coded(r, "Y", "N")), ("rank", "rank", pick(r, *RANKS, skew=2)), ("age", "age", number(r, 17, 55)), ("sex", "sex", sex(r)), ("run time", "runtime", lambda: f"{r.randint(8, 14)}:{r.randint(0, 59):02d}"), ("press ups", "pressups", about(r, 42, 12)), ("sit ups", "situps", about(r, 50, 12)),
    ]  # fmt: skip
    return listed(r, name, fields, size(r))


def claims(r: random.Random, name: str) -> Made:
    """Travel and expenses by claimant."""
    ids = several(r, 5, 60)
    fields: Fields = [
        ("claimant", "claimant", lambda: r.choice(ids)), ("claim date", "clmdt", day(r, 2022, 2024)), ("journey from", "from", pick(r, *PLACES)), ("journey to", "to", pick(r, *PLACES)), ("miles", "miles", seldom(r, 60)), ("rate", "rate", pick(r, "0.45", "0.25")), ("amount claimed", "amt", about(r, 45, 30, 2)), ("receipt", "rcpt", coded(r, "Y", "N")),
        ("purpose", "purp", coded(r, "Meeting", "Training", "Site visit", "Interview")), ("authorised by", "auth", lambda: r.choice(ids)), ("grade", "grade", coded(r, *GRADES)), ("home postcode district", "pcd", lambda: f"{r.choice(['BS', 'SP', 'CF', 'LS'])}{r.randint(1, 30)}"),
    ]  # fmt: skip
    return listed(r, name, fields, size(r), 5)


def casework(r: random.Random, name: str) -> Made:
    """Cases, complaints, benefit claims, tribunal, police stops: one person each."""
    fields: Fields = [
        ("case reference", "caseref", reference(r)), ("date opened", "opened", day(r, 2018, 2024)), ("date closed", "closed", day(r, 2018, 2024)), ("stage", "stage", coded(r, "1", "2", "3")), ("claimant age", "age", number(r, 16, 90)), ("claimant sex", "sex", sex(r)), ("age band", "ageband", pick(r, "16-24", "25-34", "35-49", "50-64", "65+")), ("self-defined ethnicity", "sde", pick(r, "W1", "A2", "B1", "M9", "NS")),
        ("outcome", "outc", coded(r, "Upheld", "Not upheld", "Withdrawn", "No further action", "Arrest", skew=1.5)), ("benefit", "ben", coded(r, "UC", "PIP", "ESA", "AFCS", "War pension")), ("award", "award", lambda: f"{r.choice([0, 23.2, 61.1, 89.6, 151.4])}"), ("condition", "cond", coded(r, "Musculoskeletal", "Mental disorder", "Hearing", "Injury", "Cancer")), ("nationality", "nat", coded(r, "British", "Irish", "Polish", "Romanian", "Fijian", "Nepalese", skew=2)),
        ("represented", "rep", coded(r, "No", "Yes")), ("postcode sector", "pcs", lambda: f"{r.choice(['BS', 'SP', 'CF', 'LS'])}{r.randint(1, 30)} {r.randint(1, 9)}"), ("caseworker", "cw", number(r, 1, 40)), ("days taken", "days", seldom(r, 40)), ("repeat offender", "reoff", coded(r, "0", "1")), ("offence group", "offgrp", coded(r, "Violence", "Theft", "Drug", "Public order", "Fraud")),
    ]  # fmt: skip
    return listed(r, name, fields, size(r), 4)


def survey_wave(r: random.Random, name: str) -> Made:
    """A wave of a survey: prefixed names, routed questions, -1 and -9 for what was not asked or answered."""
    wave = r.choice(["", "", "a_", "w3", "c_", "W8"])
    out: Fields = [("pidp", "pidp", reference(r))]
    names = r.sample(["sex", "dvage", "age", "jbstat", "mastat", "hiqual_dv", "tenure", "nkids", "sf1", "scghq1", "scghq2", "sclfsato", "vote1", "jbhrs", "jbsoc10", "jbnssec", "fimngrs", "ncigs", "health", "disdif1", "racel", "urban_dv", "gor_dv", "netuse", "qfhigh", "hhsize", "marstat", "jbsat", "carer", "lkmove", "payu", "paygu", "smever", "smnow", "drnk", "bmi", "wellb", "anx", "happy", "trust"], r.randint(4, 24))  # fmt: skip
    for n in names:
        top = {
            "sex": 2,
            "dvage": 94,
            "age": 94,
            "jbhrs": 60,
            "jbsoc10": 9279,
            "fimngrs": 5200,
            "bmi": 40,
            "paygu": 3900,
        }.get(n, r.choice([2, 4, 5, 6, 7, 9, 10, 11]))
        low = {"dvage": 16, "age": 16, "jbsoc10": 1115, "fimngrs": 120, "bmi": 17}.get(
            n, r.choice([0, 1, 1, 1])
        )
        gone = r.choice([(0.0,), (0.05, -9, -2, -1), (0.3, -8, -1), (0.6, -1, -8), (0.1, 98, 99)])
        out.append(
            (
                n,
                n,
                lambda low=low, top=top, gone=gone: (
                    str(r.choice(gone[1:])) if r.random() < gone[0] else str(r.randint(low, top))
                ),
            )
        )  # type: ignore[misc]
    if r.random() < 0.4:
        out.append(("weight", "indinus_xw", lambda: f"{0.2 + r.expovariate(1.2):.5f}"))
    made = listed(r, name, out, size(r), 5)
    style = r.choice([str, str, str.upper])
    return Made(
        name,
        "person",
        [style(h if h.lower() == "pidp" else wave + h.lower()) for h in made.header],
        made.rows,
        made.context,
    )


def household_members(r: random.Random, name: str) -> Made:
    """People within households: the person number starts again at 1."""
    heads = r.choice(
        [
            ("hhid", "pno"),
            ("hserial", "persno"),
            ("household", "person"),
            ("HHOLD", "PERSON"),
            ("serialno", "sporder"),
            ("h_id", "p_num"),
        ]
    )
    rows, number_of = [], r.randint(1000, 90_000)
    words = r.random() < 0.5
    extra: Fields = [("econ status", "econ", coded(r, "Employed", "Inactive", "Student", "Retired")), ("qualification", "qual", number(r, 0, 7)), ("health", "genhealth", number(r, 1, 5)), ("ethnic", "eth", number(r, 1, 18)), ("country of birth", "cob", coded(r, "UK", "Ireland", "India", "Poland", skew=3)), ("tenure", "ten", number(r, 1, 5)), ("religion", "rel", number(r, 1, 9)), ("nssec", "nssec", pick(r, *(str(k) for k in range(1, 9)))), ("income", "inc", about(r, 310, 190))]  # fmt: skip
    chosen = r.sample(extra, r.randint(0, 6))
    for _ in range(r.randint(4, 90)):
        number_of += r.randint(1, 5)
        base = r.randint(22, 80)
        for p in range(min(8, 1 + int(r.expovariate(0.7)))):
            age = (
                base
                if p == 0
                else max(0, base + r.randint(-5, 5))
                if p == 1
                else max(0, base - r.randint(20, 38))
            )
            kin = ("Head", "Spouse", "Child")[min(p, 2)] if words else str(min(p, 2) + 1)
            rows.append(
                [
                    str(number_of),
                    str(p + 1),
                    kin,
                    r.choice("MF" if words else "12"),
                    str(age),
                    *(c[2]() for c in chosen),
                ]
            )
    keep = [0, 1, *sorted(r.sample([2, 3, 4], r.randint(1, 3))), *range(5, 5 + len(chosen))]
    header = [
        *heads,
        r.choice(["rel", "relhrp", "relationship"]),
        r.choice(["sex", "gender"]),
        r.choice(["age", "dvage", "AGEP"]),
        *(c[1] for c in chosen),
    ]
    return Made(name, "person", [header[k] for k in keep], [[row[k] for k in keep] for row in rows], said(r))


def diary(r: random.Random, name: str) -> Made:
    """Diaries and trials: many short rows for each person."""
    kind = r.choice(["time", "travel", "food", "reaction", "symptom"])
    heads, draws = {
        "time": (["mainid", "diaryday", "slot", "act1", "act2", "where", "whowith"], [number(r, 1, 7), number(r, 1, 144), number(r, 0, 999), number(r, -1, 999), number(r, 10, 40), number(r, 1, 8)]),
        "travel": (["IndividualID", "DayID", "TripPurpose", "MainMode", "TripDisIncSW", "TripTotalTime", "NumStages"], [number(r, 1, 7), number(r, 1, 23), number(r, 1, 26), about(r, 6, 5, 1), number(r, 3, 90), pick(r, "1", "2", "3", skew=4)]),
        "food": (["respondent", "day", "meal", "foodcode", "grams", "kcal"], [number(r, 1, 4), coded(r, "Breakfast", "Lunch", "Dinner", "Snack"), number(r, 1000, 9999), about(r, 130, 70), about(r, 210, 90)]),
        "reaction": (["subject", "block", "condition", "rt", "correct", "response"], [number(r, 1, 6), coded(r, "congruent", "incongruent"), about(r, 540, 130), pick(r, "1", "0", skew=3), number(r, 1, 4)]),
        "symptom": (["patient", "visit", "pain", "fatigue", "sleep", "dose"], [number(r, 1, 8), number(r, 0, 10), number(r, 0, 10), about(r, 6.6, 1.2, 1), pick(r, "0", "5", "10")]),
    }[kind]  # fmt: skip
    rows: list[Row] = []
    for i in range(r.randint(4, 50)):
        person = str(i + 1 if r.random() < 0.6 else r.randint(10**4, 10**6))
        rows += [[person, *(d() for d in draws)] for _ in range(r.randint(3, 14))]
    keep = [0, *sorted(r.sample(range(1, len(heads)), r.randint(2, len(heads) - 1)))]
    way = r.choice([str, str, str.lower, str.upper])
    return Made(
        name, "person", [way(heads[k]) for k in keep], [[row[k] for k in keep] for row in rows], said(r)
    )


def spells(r: random.Random, name: str) -> Made:
    """Person-period files: months, waves, tax years, spells of benefit or of work."""
    heads = r.choice(
        [
            ("id", "year", "state"),
            ("pid", "wave", "jbstat"),
            ("person", "month", "status"),
            ("CASEID", "SPELL", "STATE"),
            ("nr", "year", "union"),
            ("idcode", "year", "msp"),
        ]
    )
    extra: Fields = [("income", "inc", about(r, 1800, 700)), ("hours", "hours", about(r, 35, 8)), ("lwage", "lwage", about(r, 2.4, 0.5, 4)), ("sick days", "sick", seldom(r, 3)), ("claims", "claims", pick(r, "0", "1", skew=3)), ("age", "age", number(r, 18, 60)), ("region", "rgn", number(r, 1, 12)), ("contract", "ctr", number(r, 1, 4)), ("married", "married", pick(r, "0", "1"))]  # fmt: skip
    chosen = r.sample(extra, r.randint(0, 5))
    rows: list[Row] = []
    start, times, even = r.choice([1, 1, 1991, 2014]), r.randint(2, 12), r.random() < 0.5
    for i in range(r.randint(6, 60)):
        state = r.choice("1234")
        for t in range(times if even else r.randint(1, times)):
            state = state if r.random() < 0.7 else r.choice("1234")
            rows.append([str(101 + 7 * i), str(start + t), state, *(c[2]() for c in chosen)])
    return Made(name, "person", [*heads, *(c[1] for c in chosen)], rows, said(r))


def linked(r: random.Random, name: str) -> Made:
    """Linked administrative data: pseudonyms, tax years, standard classifications."""
    fields: Fields = [
        ("pseudonymised id", "ash_id", reference(r)), ("tax year", "taxyr", pick(r, "2019/20", "2020/21", "2021/22")), ("annual pay", "annpay", lambda: str(int(2.718 ** r.gauss(10, 0.6)))), ("soc2020", "soc20", number(r, 1111, 9269)), ("sic2007", "sic07", number(r, 1110, 96090)), ("ns-sec", "nssec8", lambda: r.choice(["1.1", "1.2", "2.0", "3.0", "4.0", "5.0", "6.0", "7.0", "8.0"])),
        ("benefit flag", "benflag", pick(r, "0", "1", skew=2)), ("lsoa21cd", "lsoa21cd", lambda: f"{r.choice(['E01', 'W01'])}{r.randint(0, 34000):06d}"), ("lad23cd", "lad23cd", lambda: f"E0{r.choice([6, 7, 8, 9])}{r.randint(1, 300):06d}"), ("month of birth", "mob", number(r, 1, 12)), ("year of birth", "yob", number(r, 1935, 2005)), ("sex", "sex", sex(r)), ("ethnic group 19", "ethgrp19", number(r, 1, 19)),
        ("match quality", "mq", number(r, 1, 5)), ("highest qualification", "hiqual", number(r, 0, 8)), ("date of death", "dod", lambda: f"{r.randint(2015, 2023)}-{r.randint(1, 12):02d}-{r.randint(1, 28):02d}" if r.random() < 0.1 else ""), ("icd underlying", "icd", lambda: f"{r.choice('CIJFG')}{r.randint(10, 99)}{r.randint(0, 9)}"), ("employees at workplace", "empsize", number(r, 1, 5)),
    ]  # fmt: skip
    return listed(r, name, fields, size(r), 4)


def events(r: random.Random, name: str) -> Made:
    """Logs of what people did, by the person's number: doors, systems, calls, stops."""
    ids = several(r, 5, 60)
    fields: Fields = [
        ("user id", "userid", lambda: r.choice(ids)), ("date", "dt", day(r, 2023, 2024)), ("time", "tm", lambda: f"{r.randint(0, 23):02d}:{r.randint(0, 59):02d}:{r.randint(0, 59):02d}"), ("event", "evt", coded(r, "Entry", "Exit", "Log on", "Log off", "Refused", skew=1.4)), ("door", "door", number(r, 1, 30)), ("pass type", "passtype", coded(r, "Staff", "Contractor", "Visitor", skew=2)), ("department", "dept", coded(r, "HR", "Finance", "IT", "Ops")),
        ("duration", "dur", seldom(r, 200)), ("age", "age", number(r, 17, 70)), ("gender", "gender", sex(r)), ("call handler", "ch", number(r, 1, 30)), ("reason", "rsn", number(r, 1, 12)),
    ]  # fmt: skip
    return listed(r, name, fields, size(r), 4)


def pupils(r: random.Random, name: str) -> Made:
    """One row for each pupil or student."""
    fields: Fields = [
        ("pupil reference", "pmr", reference(r)), ("national curriculum year", "ncyear", number(r, 1, 13)), ("gender", "gender", sex(r)), ("free school meals", "fsm", coded(r, "0", "1", skew=3)), ("sen provision", "sen", pick(r, "N", "K", "E", skew=4)), ("first language", "lang", coded(r, "ENG", "OTH", "WEL", skew=3)), ("ethnicity", "eth", pick(r, "WBRI", "AIND", "BAFR", "MWBC", "NOBT", skew=2)),
        ("ks2 reading", "ks2read", number(r, 80, 120)), ("ks2 maths", "ks2mat", number(r, 80, 120)), ("attainment 8", "att8", about(r, 46, 15, 2)), ("absence percent", "absp", about(r, 6, 4, 1)), ("exclusions", "excl", seldom(r, 0.3)), ("month of birth", "mob", number(r, 1, 12)), ("idaci", "idaci", lambda: f"{r.random():.3f}"), ("school", "schid", number(r, 1, 40)), ("english grade", "eng", number(r, 1, 9)), ("maths grade", "maths", number(r, 1, 9)),
    ]  # fmt: skip
    return listed(r, name, fields, size(r), 3)


def outcomes(r: random.Random, name: str) -> Made:
    """Follow-up of patients in few, terse columns."""
    fields: Fields = [
        ("id", "id", reference(r)), ("time", r.choice(["time", "days", "futime", "t"]), seldom(r, 400)), ("status", r.choice(["status", "event", "cens", "dead"]), pick(r, "0", "1", skew=1.4)), ("arm", "trt", coded(r, "Placebo", "Active")), ("age", "age", about(r, 61, 11)), ("sex", "sex", sex(r)), ("stage", "stage", pick(r, "1", "2", "3", "4")), ("grade", "grade", pick(r, "1", "2", "3")), ("size", "size", about(r, 28, 12)), ("nodes", "nodes", seldom(r, 3)), ("marker", "marker", about(r, 4, 2, 2)),
        ("karnofsky", "karno", pick(r, "30", "50", "60", "70", "80", "90", "100", skew=0.6)), ("prior therapy", "prior", pick(r, "0", "10", skew=2)), ("site", "inst", number(r, 1, 20)), ("weight loss", "wtloss", about(r, 9, 8)), ("diabetes", "diab", pick(r, "0", "1", skew=3)),
    ]  # fmt: skip
    return listed(r, name, fields, size(r), 3)


def bodies(r: random.Random, name: str) -> Made:
    """Measurements of people's bodies and minds, families included."""
    fields: Fields = [
        ("subject", "subj", reference(r)), ("sex", "sex", sex(r)), ("age", "age", number(r, 4, 80)), ("height", "ht", about(r, 168, 10, 1)), ("weight", "wt", about(r, 71, 14, 1)), ("waist", "waist", about(r, 84, 12, 1)), ("hip", "hip", about(r, 99, 9, 1)), ("grip strength", "grip", about(r, 34, 10, 1)), ("forced vital capacity", "fvc", about(r, 3.9, 0.9, 2)), ("resting pulse", "pulse", about(r, 70, 10)),
        ("father height", "father", about(r, 69, 2.6, 1)), ("mother height", "mother", about(r, 64, 2.3, 1)), ("birth weight", "bwt", about(r, 3300, 520)), ("gestation weeks", "gest", about(r, 39, 2)), ("iq", "iq", about(r, 100, 15)), ("verbal", "verbal", about(r, 50, 10)), ("handedness", "hand", coded(r, "Right", "Left", skew=3)), ("smoking", "smoke", coded(r, "Never", "Ex", "Current")), ("cholesterol", "chol", about(r, 5.2, 1, 1)),
    ]  # fmt: skip
    return listed(r, name, fields, size(r), 3)


def ballots(r: random.Random, name: str) -> Made:
    """Choices and votes: one row for each voter, member, juror or panellist; codes only, few names."""
    stem = r.choice(["v", "rc", "item", "vote", "c"])
    columns: Fields = [(f"{stem}{k}", f"{stem}{k}", pick(r, *r.choice([("1", "6", "9"), ("0", "1"), ("Y", "N", "A"), ("1", "2", "3", "4")]), skew=1.3)) for k in range(r.randint(4, 30))]  # fmt: skip
    front: Fields = [("member", "icpsr", reference(r)), ("party", "party", coded(r, "Labour", "Conservative", "Liberal Democrat")), ("constituency type", "ctype", number(r, 1, 4)), ("age", "age", number(r, 22, 79)), ("sex", "sex", sex(r)), ("leaning", "lr", number(r, 0, 10))]  # fmt: skip
    return listed(r, name, front[: r.randint(1, 6)] + columns, size(r), 5)


def choices(r: random.Random, name: str) -> Made:
    """What people chose among alternatives whose prices and qualities stand beside the choice."""
    words = [
        "car",
        "bus",
        "rail",
        "air",
        "pier",
        "boat",
        "gas",
        "oil",
        "elec",
        "owna",
        "ownb",
        "cash",
        "card",
        "gc",
        "hp",
        "er",
    ]
    picked = r.sample(words, r.randint(2, 6))
    if r.random() < 0.35:
        stem = r.choice(["choice", "option", "alt"])
        picked = [f"{stem}{k + 1}" for k in range(len(picked))]
    ends = [p.lstrip("abcdefghijklmnopqrstuvwxyz") or p for p in picked]
    sep, first = r.choice(["", ".", "_", ""]), r.random() < 0.25
    kinds = r.sample(
        [
            "price",
            "time",
            "p",
            "c",
            "ic",
            "oc",
            "comfort",
            "change",
            "range",
            "disp",
            "feat",
            "catch",
            "type",
        ],
        r.randint(1, 6),
    )
    grid: Fields = []
    for k in kinds:
        level, digits = r.uniform(0, 7), r.choice([0, 2, 4])
        for e in ends:
            way = (
                about(r, 2.7**level, 2.7**level * r.choice([0.05, 0.3]), digits)
                if k not in ("comfort", "change", "feat", "disp")
                else number(r, 0, 2)
            )
            grid.append((f"{e}{sep}{k}" if first else f"{k}{sep}{e}", "", way))
    people: Fields = [("income", "", about(r, 4.5, 2, r.choice([0, 2, 4]))), ("agehed", "", number(r, 20, 80)), ("rooms", "", number(r, 1, 7)), ("hsize", "", number(r, 1, 5)), ("college", "", number(r, 0, 1)), ("region", "", pick(r, "a", "b", "c"))]  # fmt: skip
    front: Fields = (
        [(r.choice(["id", "idcase", "hid", "choiceid"]), "", reference(r))] if r.random() < 0.5 else []
    )
    fields = [
        *front,
        (
            r.choice(["choice", "mode", "depvar", "chosen", "brand"]),
            "",
            pick(r, *picked, skew=r.choice([1, 2])),
        ),
        *grid,
        *r.sample(people, r.randint(0, 3)),
    ]
    return Made(
        name, "person", [f[0] for f in fields], [[f[2]() for f in fields] for _ in range(size(r))], said(r)
    )


FORENAMES = ("Aaron", "Beth", "Carlos", "Diane", "Emma", "Felix", "Gareth", "Helen", "Ivan", "Juan", "Kelly", "Luis", "Megan", "Nathan", "Omar", "Priya", "Rosa", "Sam", "Tanya", "Victor")  # fmt: skip
SURNAMES = ("Ashworth", "Bevan", "Corrigan", "Delgado", "Eames", "Fairley", "Gough", "Hargan", "Iqbal", "Jessop", "Kerr", "Lomas", "Nuttall", "Okafor", "Pryce", "Rowan", "Stott", "Tranter", "Unwin", "Wynn")  # fmt: skip


def named_lists(r: random.Random, name: str) -> Made:
    """Players, judges, members, contestants: a name on each row, many numbers that go together, often in order of merit."""
    styles: dict[str, Callable[[str, str], str]] = {"full": lambda f, s: f"{f} {s}", "comma": lambda f, s: f"{s}, {f[0]}", "upper": lambda f, s: f"{s.upper()},{f[0]}.{r.choice('ABCDEJLM')}.", "dots": lambda f, s: f"{f[0]}. {s}", "last": lambda f, s: f"{s}, {f}", "land": lambda f, s: f"{s} ({r.choice(['GBR', 'USA', 'GDR', 'FRG'])})"}  # fmt: skip
    style, n = styles[r.choice(list(styles))], r.randint(10, 300)
    wide = r.randint(2, 14)
    heads = r.sample(["G", "AB", "R", "H", "HR", "RBI", "AVG", "Points", "Rebounds", "Assists", "Salary", "Minutes", "Hurdles", "Shot", "Javelin", "Score", "Integrity", "Demeanor", "Diligence", "Decisions", "Oral", "Votes", "Age", "Height", "Weight", "Term", "State", "Position", "Party", "Year", "Rank"], wide)  # fmt: skip
    level = {h: (10 ** r.uniform(-0.3, 3), r.choice([0, 0, 1, 2, 3])) for h in heads}
    own: dict[str, Draw] = {
        "State": pick(r, "OH", "TX", "CA", "NY"),
        "Position": pick(r, "P", "C", "SS", "LF", "GK"),
        "Party": pick(r, "D", "R", "I", skew=1.3),
        "Age": number(r, 19, 78),
        "Year": number(r, 1960, 2020),
    }
    rows = []
    for _ in range(n):
        skill = 2.7 ** r.gauss(0, 0.5)
        rows.append(
            [
                style(r.choice(FORENAMES), r.choice(SURNAMES)),
                *(
                    own[h]()
                    if h in own
                    else f"{level[h][0] * skill * 2.7 ** r.gauss(0, 0.2):.{level[h][1]}f}"
                    for h in heads
                ),
            ]
        )
    if r.random() < 0.4:
        at = r.choice([0, 1])
        rows.sort(key=lambda row: row[at])
    return Made(
        name,
        "person",
        [r.choice(["name", "player", "Name", "rownames", "judge", "senator", "Athlete", ""]), *heads],
        rows,
        said(r),
    )


FAMILIES: dict[str, Callable[[random.Random, str], Made]] = {
    f.__name__: f
    for f in (
        personnel, payroll, absences, episodes, appointments, training, claims, casework, survey_wave, household_members,
        diary, spells, linked, events, pupils, outcomes, bodies, ballots, choices, named_lists,
    )
}  # fmt: skip


def register_table(seed: int, family: str = "") -> Made:
    """The made-up table of a seed: families in turn, or of one family."""
    kinds = list(FAMILIES)
    kind = family or kinds[seed % len(kinds)]
    return FAMILIES[kind](random.Random(f"register{kind}{seed}"), f"made_up.{kind}.{seed}")
