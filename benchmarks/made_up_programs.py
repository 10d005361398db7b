# ruff: noqa: E501
"""Made-up tables out of programs' own files: timetables, indexes, code tables, profiles, fields, settings, rules.

None holds a record of a person, all have many rows, codes that repeat and rows that come twice. Many have no
header; where one stands there it is in a program's words. The record model is not trained on them: a fit with them
flagged fewer of them and missed more people (docs/detection.md). `shapes.py` counts how many are flagged.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import pairwise

from benchmarks.made_up_people import Made, Row
from benchmarks.made_up_registers import Draw, Fields, about, number, pick, seldom, size

LETTERS = "ABCDEFGHIKLMNPQRSTVWYZ"
STEMS = "get set open close read write find next first parse make draw load save init test sort copy push item node list file path type size name state event index buffer token frame page view model group range block table entry value field".split()  # noqa: SIM905
TYPES = ("int", "bool", "void", "char", "float", "string", "uint8", "double")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _word(r: random.Random) -> str:
    """An identifier of a program."""
    parts = r.sample(STEMS, r.choice([1, 2, 2, 3]))
    way = r.choice(["camel", "snake", "dash", "upper"])
    if way == "camel":
        return parts[0] + "".join(p.title() for p in parts[1:])
    return {"snake": "_", "dash": "-", "upper": "_"}[way].join(
        p.upper() if way == "upper" else p for p in parts
    )


def _words(r: random.Random, least: int, most: int) -> list[str]:
    return [_word(r) for _ in range(r.randint(least, most))]


def _made(r: random.Random, name: str, header: Sequence[str], rows: list[Row], bare: float = 0.5) -> Made:
    """The table, often with names that say nothing, as where there is no header."""
    own = list(header) if r.random() >= bare else [f"V{k + 1}" for k in range(len(header))]
    return Made(name, "thing", own, rows)


def _fields(r: random.Random, name: str, fields: Fields, least: int, bare: float = 0.5) -> Made:
    keep = sorted(r.sample(range(len(fields)), r.randint(least, len(fields))))
    chosen = [fields[k] for k in keep]
    rows = [[draw() for _, _, draw in chosen] for _ in range(size(r))]
    if r.random() < 0.4:
        rows = [row for row in rows for _ in range(1 + (r.random() < 0.3))]
    if r.random() < 0.3:
        at = r.randrange(len(chosen))
        rows.sort(key=lambda row: row[at])
    return _made(r, name, [c[r.random() < 0.3] for c in chosen], rows, bare)


def _sparse(r: random.Random, share: float, draw: Draw) -> Draw:
    return lambda: draw() if r.random() < share else ""


def timetable(r: random.Random, name: str) -> Made:
    """Trips that call at stops: times that rise within a trip, numbers of stops that begin anew."""
    stops = [f"{r.choice('ABKST')}{r.randint(100, 9999)}" if r.random() < 0.5 else str(r.randint(1, 9000)) for _ in range(r.randint(8, 60))]  # fmt: skip
    style = r.choice(["{h:02d}:{m:02d}:00", "{h}:{m:02d}", "{h:02d}{m:02d}"])
    rows: list[Row] = []
    trip, first = r.randint(1, 9000), r.choice([0, 1, 1])
    while len(rows) < r.choice([60, 300, 320]):
        trip, minute = trip + r.randint(1, 40), r.randint(300, 1200)
        at = r.randrange(len(stops))
        for k in range(r.randint(4, 25)):
            minute += r.randint(1, 6)
            when = style.format(h=minute // 60, m=minute % 60)
            rows.append([str(trip), when, when, stops[(at + k) % len(stops)], str(k + first), r.choice("0000013"), "0", str(k * r.randint(200, 900))])  # fmt: skip
    keep = sorted({0, 1, 3, 4} | set(r.sample(range(8), r.randint(1, 4))))
    header = ["trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence", "pickup_type", "drop_off_type", "shape_dist"]  # fmt: skip
    return _made(r, name, [header[k] for k in keep], [[row[k] for k in keep] for row in rows], 0.4)


def index(r: random.Random, name: str) -> Made:
    """What a program holds: names with the file, the kind and the place of each."""
    files = [f"{w}.{r.choice(['c', 'h', 'py', 'html'])}" for w in _words(r, 3, 20)]
    owners = _words(r, 2, 15)
    return _fields(r, name, [
        ("id", "Id", number(r, 1, 400)), ("name", "Name", lambda: _word(r)), ("kind", "kind", pick(r, *r.choice([("f", "v", "m", "s", "d"), ("function", "class", "variable"), ("slot", "signal", "enum"), ("F", "M")]), skew=1.5)), ("file", "FileId", r.choice([pick(r, *files), number(r, 1, 60)])), ("scope", "base", pick(r, *owners)), ("type", "type", _sparse(r, 0.8, pick(r, *TYPES))), ("line", "ln", number(r, 1, r.choice([60, 900]))),
        ("anchor", "Anchor", lambda: f"a{r.getrandbits(60):015x}"), ("static", "static", _sparse(r, 0.2, lambda: "yes")), ("protection", "prot", _sparse(r, 0.6, pick(r, "protected", "private"))), ("arguments", "args", lambda: f"({', '.join(r.sample(TYPES, r.randint(0, 2)))})"), ("namespace", "NamespaceId", pick(r, "1", "1", "2")), ("offset", "off", number(r, 0, 90)),
    ], 4)  # fmt: skip


def codes(r: random.Random, name: str) -> Made:
    """Characters, keys, instructions or colours with their numbers and properties."""
    at = iter(range(r.choice([0, 32, 0x250, 0x4E00]), 10**9, r.choice([1, 1, 2])))
    return _fields(r, name, [
        ("code", "cp", r.choice([lambda: f"{next(at):04X}", lambda: f"0x{next(at):02x}", lambda: str(next(at))])), ("category", "gc", pick(r, "Lu", "Ll", "Mn", "So", "Nd", skew=1.6)), ("class", "ccc", pick(r, "0", "0", "230", "220", "9")), ("width", "w", pick(r, "N", "W", "A", "H", "F")), ("mirrored", "mir", pick(r, "N", "Y", skew=5)), ("red", "R", number(r, 0, 255)), ("green", "G", number(r, 0, 255)), ("blue", "B", number(r, 0, 255)), ("mnemonic", "op", pick(r, "mov", "add", "sub", "jmp", "ldr", "str")),
        ("operand", "a", pick(r, "a", "b", "c", "d", "e", "f", "m")), ("second operand", "b", _sparse(r, 0.6, pick(r, "b", "f", "m", "n"))), ("cycles", "cyc", number(r, 1, 24)), ("flags", "fl", lambda: "".join(r.choice(p) for p in ("Z-", "N-", "H-", "C-"))), ("name", "name", lambda: " ".join(w.upper() for w in r.sample(STEMS, 2))), ("score", "score", number(r, 0, 99)),
    ], 3, 0.7)  # fmt: skip


def profile(r: random.Random, name: str) -> Made:
    """A matrix of small whole numbers: scores of letters by place, characters of groups, weights of a kernel."""
    wide = r.randint(4, 30)
    low, high = r.choice([(-9, 13), (0, 100), (0, 9), (-1, 1), (0, 60), (-128, 127)])
    lead, running = r.random() < 0.6, r.random() < 0.5
    level = [r.uniform(low, high) for _ in range(wide)]
    rows: list[Row] = []
    for k in range(size(r)):
        cells = [str(max(low, min(high, round(r.gauss(v, (high - low) / 5))))) for v in level]
        if r.random() < 0.1 and rows:
            cells = rows[-1][-wide:]
        rows.append([*([str(k + 1)] if running else []), *([r.choice(LETTERS)] if lead else []), *cells])
    names = [*(["SeqNo"] if running else []), *(["AA"] if lead else []), *((list(LETTERS) + [f"n{k}" for k in range(20)])[:wide])]  # fmt: skip
    return _made(r, name, names, rows, 0.7)


def fields_of(r: random.Random, name: str) -> Made:
    """A message or a structure, field by field, one after the other; many cells are blank."""
    rows: list[Row] = []
    for _ in range(r.randint(5, 40)):
        rows.append(["", "1", r.choice(["CARD8", "BYTE"]), str(r.randint(1, 140)), "opcode"])
        for _ in range(r.randint(1, 8)):
            width = r.choice("1224448")
            kind = r.choice(["CARD16", "CARD32", "INT16", "WINDOW", "BOOL", "ATOM", ""])
            rows.append([r.choice(["", "", "", ">"]), width, kind, r.choice(["", "", str(r.randint(0, 40))]), r.choice(["unused", "length", "window", "mask", _word(r)])])  # fmt: skip
    keep = sorted({1, 2, 4} | set(r.sample(range(5), r.randint(1, 3))))
    header = ["", "bytes", "type", "value", "field"]
    return _made(r, name, [header[k] for k in keep], [[row[k] for k in keep] for row in rows], 0.6)


def settings(r: random.Random, name: str) -> Made:
    """Entries of a configuration: sizes, kinds, switches, templates, places on the net."""
    pool = _words(r, 3, 30)
    return _fields(r, name, [
        ("name", "key", lambda: _word(r)), ("section", "context", pick(r, *pool)), ("size", "Size", pick(r, "16", "22", "24", "32", "48", "256")), ("scale", "Scale", _sparse(r, 0.5, lambda: "2")), ("type", "Type", pick(r, "Fixed", "Scalable", "Threshold")), ("enabled", "enabled", pick(r, "true", "false", skew=2)), ("default", "default", pick(r, "0", "1", "none", "auto")), ("input", "input_token", pick(r, "NextToken", "Marker", "nextToken")), ("limit", "limit_key", pick(r, "MaxResults", "maxResults", "Limit")),
        ("result", "result_key", lambda: _word(r)), ("address", "url", lambda: f"https://{_word(r)}.example.com/{r.choice(STEMS)}"), ("template", "ref", lambda: f"{{{r.choice(STEMS)}}}"), ("priority", "prio", number(r, 0, 99)), ("owner", "user", pick(r, "root", "daemon", "www-data")), ("mode", "mode", pick(r, "0644", "0755", "0600")), ("timeout", "secs", pick(r, "5", "10", "30", "60")), ("dual", "UseDualStack", pick(r, "true", "false")), ("region", "Region", pick(r, "us-east-1", "eu-west-2", "ap-south-1", "global")),
    ], 3, 0.3)  # fmt: skip


def rules(r: random.Random, name: str) -> Made:
    """Calendars and clocks: years from and to, months, days of the month, hours, what holds then."""
    zones = _words(r, 2, 12)
    return _fields(r, name, [
        ("kind", "k", pick(r, "R", "Z", "L", skew=2)), ("rule", "name", pick(r, *zones)), ("from", "from", number(r, 1916, 2030)), ("to", "to", pick(r, "o", "ma", "1999", "2006", skew=2)), ("in", "in", r.choice([pick(r, *MONTHS), number(r, 1, 12)])), ("on", "on", r.choice([number(r, 1, 31), pick(r, "Su>=1", "lastSu", "Su>=8", "14", "1", "30")])), ("at", "at", r.choice([number(r, 0, 23), pick(r, "0", "2", "2s", "1u", "23s")])), ("minute", "min", number(r, 0, 59)),
        ("save", "save", pick(r, "0", "1", "0:30")), ("letter", "letter", pick(r, "S", "D", "-", "M", "F")), ("weekday", "dow", number(r, 0, 6)), ("repeat", "every", pick(r, "*", "*/5", "1", "7")),
    ], 4, 0.7)  # fmt: skip


def support(r: random.Random, name: str) -> Made:
    """Which version of which program can do what; benchmarks and sizes by version."""
    wide, way = r.randint(3, 14), r.choice(["version", "mark", "mixed"])
    draws: list[Draw] = [number(r, 3, r.choice([40, 120])) if way == "version" or (way == "mixed" and k % 2) else pick(r, "y", "n", "a", "-", skew=1.5) for k in range(wide)]  # fmt: skip
    heads = ["chrome", "edge", "firefox", "opera", "safari", "ios", "android", "linux", "windows", "bsd", "arm", "x86", "mips", "ppc"]  # fmt: skip
    rows = [[_word(r), *(draw() for draw in draws)] for _ in range(size(r))]
    return _made(r, name, ["feature", *heads[:wide]], rows)


def lists(r: random.Random, name: str) -> Made:
    """A key, a few numbers and a list of unequal length on each line, so that rows end in blanks."""
    pool = _words(r, 4, 40)
    front = r.randint(1, 4)
    longest = r.randint(3, 15)
    draws: list[Draw] = [r.choice([pick(r, "0", "1", "2", "3"), pick(r, "Experimental", "Potential"), number(r, 0, 100), about(r, 50, 40, 1)]) for _ in range(front)]  # fmt: skip
    rows: list[Row] = []
    for k in range(size(r)):
        items = r.sample(pool, min(len(pool), int(r.expovariate(0.35)), longest)) if r.random() < 0.5 else pool[: r.randint(0, longest)]  # fmt: skip
        key = r.choice([f"U+{0x400 + k:04x}", _word(r), "".join(r.choices(LETTERS, k=r.randint(4, 18)))])
        rows.append([key, *(d() for d in draws), *items])
    width = max(map(len, rows))
    rows = [[*row, *[""] * (width - len(row))] for row in rows]
    return _made(r, name, ["key", *[f"c{k}" for k in range(1, width)]], rows, 0.9)


def dictionary(r: random.Random, name: str) -> Made:
    """Words of a language with their grammar: gender, number, case, how often."""
    syllables = [
        "ba",
        "den",
        "fol",
        "gar",
        "hin",
        "kel",
        "lo",
        "mir",
        "nus",
        "pra",
        "sto",
        "tel",
        "vin",
        "zu",
    ]
    return _fields(r, name, [
        ("word", "w", lambda: "".join(r.choices(syllables, k=r.randint(1, 4)))), ("gender", "g", pick(r, *r.choice([("m", "f", "n"), ("m", "f"), ("c", "n"), ("fem", "masc", "neut")]))), ("class", "pos", pick(r, "n", "v", "adj", "adv", "prep", skew=1.6)), ("number", "num", pick(r, "sg", "pl", skew=1.5)), ("case", "c", pick(r, "nom", "gen", "dat", "acc")), ("frequency", "freq", seldom(r, 300)), ("paradigm", "cl", number(r, 1, 30)), ("stress", "st", number(r, 0, 4)), ("translation", "tr", lambda: "".join(r.choices(syllables, k=2))), ("source", "src", pick(r, "a", "b", "m")),
    ], 4, 0.6)  # fmt: skip


def packages(r: random.Random, name: str) -> Made:
    """Parts of a system with versions, licences, sizes and what they need."""
    pool = _words(r, 4, 30)
    return _fields(r, name, [
        ("package", "name", lambda: _word(r)), ("version", "ver", lambda: f"{r.randint(0, 9)}.{r.randint(0, 30)}.{r.randint(0, 9)}"), ("architecture", "arch", pick(r, "amd64", "arm64", "all")), ("section", "sec", pick(r, "libs", "devel", "admin", "doc", skew=1.4)), ("priority", "prio", pick(r, "optional", "required", "extra", skew=2)), ("licence", "lic", pick(r, "MIT", "GPL-2", "Apache-2.0", "BSD")), ("size", "kb", seldom(r, 900)), ("needs", "dep", pick(r, *pool)), ("essential", "ess", pick(r, "no", "yes", skew=6)), ("released", "date", lambda: f"20{r.randint(10, 24)}-{r.randint(1, 12):02d}-{r.randint(1, 28):02d}"), ("kind", "k", pick(r, "rpm", "deb", "pom", "jar")),
    ], 4, 0.3)  # fmt: skip


def geometry(r: random.Random, name: str) -> Made:
    """Points, edges, tiles and steps of a drawing, a map or a game."""
    few = r.choice([12, 60, 600])
    x, y = r.randint(0, few), r.randint(0, few)

    def step() -> str:
        nonlocal x
        x = max(0, min(few, x + r.randint(-4, 4)))
        return str(x)

    return _fields(r, name, [
        ("step", "cmd", pick(r, *r.choice([("M", "L", "C", "Z"), ("m", "f"), ("move", "say", "wait"), ("v", "f", "vn")]), skew=1.6)), ("x", "x", step), ("y", "y", lambda: str(y + r.randint(-9, 9))), ("width", "w", number(r, 1, 60)), ("height", "h", number(r, 1, 60)), ("layer", "z", number(r, 0, 5)), ("tile", "t", pick(r, "grass", "wall", "water")), ("from", "a", number(r, 0, 200)), ("to", "b", number(r, 0, 200)), ("delay", "d", number(r, 10, 100)), ("frame", "fr", number(r, 1, 24)), ("solid", "s", pick(r, "0", "1")), ("angle", "ang", pick(r, "0", "90", "180", "270")),
    ], 3, 0.6)  # fmt: skip


def mappings(r: random.Random, name: str) -> Made:
    """Numbers and names that stand for others: errors, units, ports, currencies, translations of codes."""
    pool = _words(r, 2, 12)
    at = iter(sorted(r.sample(range(1, 60_000), 500)))
    return _fields(r, name, [
        ("number", "no", lambda: str(next(at))), ("symbol", "sym", lambda: f"E{''.join(r.choices(LETTERS, k=r.randint(3, 7)))}"), ("group", "grp", pick(r, *pool)), ("protocol", "proto", pick(r, "tcp", "udp", "sctp", skew=1.4)), ("level", "lvl", pick(r, "ERROR", "WARNING", "INFO", "DEBUG")), ("state", "st", pick(r, "08001", "22003", "42601", "HY000")), ("parent", "up", number(r, 1, 60)), ("order", "ord", number(r, 1, 99)), ("active", "act", pick(r, "1", "0", skew=3)), ("digits", "dig", pick(r, "0", "2", "3")), ("code", "iso", lambda: "".join(r.choices(LETTERS, k=3))), ("since", "ver", lambda: f"{r.randint(1, 9)}.{r.randint(0, 9)}"),
    ], 3, 0.5)  # fmt: skip


def intervals(r: random.Random, name: str) -> Made:
    """Ranges that follow one another with a class each: line breaks, scripts, widths, blocks of memory."""
    ends = sorted(r.sample(range(0, r.choice([600, 70_000])), min(400, size(r) + 1)))
    mark, classes = r.choice(["{:04X}", "{}", "0x{:06x}"]), r.sample(["AL", "CM", "ID", "BA", "NU", "OP", "CL", "M", "F"], r.randint(2, 9))  # fmt: skip
    rows = [[mark.format(a), mark.format(b - 1), r.choice(classes), str(r.choice([0, 0, 1, 2])), str(b - a)] for a, b in pairwise(ends)]  # fmt: skip
    keep = sorted({0, 2} | set(r.sample(range(5), r.randint(1, 4))))
    header = ["start", "end", "class", "level", "length"]
    return _made(r, name, [header[k] for k in keep], [[row[k] for k in keep] for row in rows], 0.7)


FAMILIES: dict[str, Callable[[random.Random, str], Made]] = {
    f.__name__: f
    for f in (
        timetable, index, codes, profile, fields_of, settings, rules, support, lists, dictionary, packages, geometry,
        mappings, intervals,
    )
}  # fmt: skip


def program_table(seed: int, family: str) -> Made:
    """The made-up table of a seed, of one family."""
    return FAMILIES[family](random.Random(f"program{family}{seed}"), f"made_up.{family}.{seed}")
