# ruff: noqa: E501
"""Made-up tables of things and events, family by family: what looks like records of people and is none.

Animals and plants on trial, machines, stock, sales, calls of a system, messages, matches, samples of the ground. Many have sexes,
ages, weights, scores, codes of yes and no, and rows in no order; none has a person in it.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from benchmarks.made_up_others import AREAS
from benchmarks.made_up_people import Made
from benchmarks.made_up_registers import Draw, Fields, about, day, number, pick, seldom, size, written


def _table(r: random.Random, name: str, fields: Fields, n: int = 0, least: int = 3) -> Made:
    keep = r.randint(min(least, len(fields)), len(fields))
    chosen = r.sample(fields, keep)
    if r.random() < 0.6:
        chosen.sort(key=fields.index)
    way, blank = r.choice(["long", "snake", "camel", "short", "upper", "bare"]), r.choice([0.0, 0.0, 0.05])
    rows = [["" if r.random() < blank else c[2]() for c in chosen] for _ in range(n or size(r))]
    return Made(name, "thing", [written(r, c[0], c[1], way) for c in chosen], rows)


def _running(r: random.Random, mark: str = "") -> Draw:
    counter = iter(range(r.choice([1, 1, 1000]), 10**9))
    return lambda: f"{mark}{next(counter)}"


def animals(r: random.Random, name: str) -> Made:
    """Beasts in a study or in the field: sex, age and weight of mice, birds, crabs, cattle."""
    kind = r.choice(
        [
            "mouse",
            "rat",
            "chick",
            "calf",
            "bird",
            "crab",
            "salmon",
            "beetle",
            "bat",
            "seal",
            "lizard",
            "possum",
        ]
    )
    weight, wide = r.choice([(22, 4), (240, 30), (61, 9), (3400, 400), (180, 20)])
    return _table(r, name, [
        (kind, kind[:4], _running(r)), ("sex", "sex", pick(r, *r.choice([("M", "F"), ("male", "female"), ("1", "2"), ("m", "f", "u")]))), ("age", "age", number(r, 1, r.choice([9, 24, 60]))), ("strain", "strain", pick(r, "A", "B", "C57")), ("species", "spp", pick(r, "alba", "nigra", "minor", "major")), ("weight", "wt", about(r, weight, wide, r.choice([0, 1]))),
        ("tail length", "taill", about(r, 90, 8, 1)), ("wing length", "wing", about(r, 70, 6, 1)), ("diet", "diet", number(r, 1, 4)), ("dose", "dose", pick(r, "0", "5", "10", "40")), ("tumour", "tumor", pick(r, "0", "1", skew=2)), ("days survived", "days", about(r, 90, 30)), ("litter", "litter", number(r, 1, 20)), ("nest", "nest", number(r, 1, 30)), ("treatment", "trt", pick(r, "control", "treated")), ("site", "site", pick(r, *AREAS[:6])), ("colour", "col", pick(r, "B", "O", "light", "dark")), ("carapace", "cw", about(r, 34, 7, 1)), ("brain weight", "brainwt", about(r, 1.4, 0.3, 2)),
    ])  # fmt: skip


def plants(r: random.Random, name: str) -> Made:
    """Plots, seeds, trees, leaves."""
    return _table(r, name, [
        ("plot", "plot", _running(r)), ("block", "block", number(r, 1, 6)), ("variety", "var", pick(r, "Victory", "Golden", "V1", "V2", "V3")), ("nitrogen", "nitro", pick(r, "0.0", "0.2", "0.4", "0.6")), ("yield", "yield", about(r, 104, 27, 1)), ("height", "ht", about(r, 63, 17, 1)), ("diameter", "dbh", about(r, 24, 9, 1)), ("leaves", "leaves", seldom(r, 12)), ("seeds", "seeds", seldom(r, 40)), ("germinated", "germ", pick(r, "0", "1")), ("moisture", "moist", about(r, 31, 9, 1)), ("species", "sp", pick(r, "oak", "ash", "pine", "birch")), ("alive", "alive", pick(r, "y", "n", skew=2)), ("shade", "shade", number(r, 1, 5)), ("browsed", "browsed", pick(r, "0", "1")), ("burned", "burned", pick(r, "yes", "no")),
        ("gall diameter", "gdiam", about(r, 20, 3, 1)), ("wall", "wall", about(r, 7, 2, 1)), ("fate", "fate", pick(r, "e", "b", "f", "n")), ("biomass", "biomass", about(r, 3, 1, 3)),
    ])  # fmt: skip


def machines(r: random.Random, name: str) -> Made:
    """Tests of parts: time to failure, stress, batch, operator by letter."""
    return _table(r, name, [
        ("unit", "unit", _running(r)), ("time", r.choice(["time", "hours", "cycles"]), seldom(r, 900)), ("status", "status", pick(r, "1", "0", skew=1.5)), ("stress", "stress", pick(r, "10", "20", "30")), ("temperature", "temp", pick(r, "150", "170", "190", "220")), ("voltage", "volt", about(r, 32, 3, 1)), ("batch", "batch", pick(r, *"ABCDE")), ("machine", "mach", number(r, 1, 8)), ("shift", "shift", pick(r, "1", "2", "3")), ("defects", "def", seldom(r, 1.2)), ("strength", "str", about(r, 61, 8, 2)), ("thickness", "thick", about(r, 2.1, 0.2, 3)), ("supplier", "supp", pick(r, "Arden Ltd", "Brio plc", "Corva")), ("passed", "pass", pick(r, "Y", "N", skew=3)), ("engine", "eng", _running(r, "E")), ("replaced at", "repl", seldom(r, 300)), ("pressure", "press", about(r, 30, 2, 1)),
    ])  # fmt: skip


def goods(r: random.Random, name: str) -> Made:
    """Cars, houses, foods, films, clothes, lots at auction."""
    kind = r.choice(["car", "house", "food", "film", "lot"])
    every: dict[str, Fields] = {
        "car": [("model", "model", lambda: f"{r.choice(['Arden', 'Brio', 'Corva'])} {r.randint(1, 90)}"), ("year", "yr", number(r, 1998, 2023)), ("mileage", "miles", seldom(r, 40000)), ("price", "price", seldom(r, 9000)), ("doors", "doors", number(r, 2, 5)), ("fuel", "fuel", pick(r, "petrol", "diesel", "electric")), ("owners", "owners", number(r, 1, 6)), ("colour", "colour", pick(r, "red", "blue", "black")), ("age", "age", number(r, 1, 20)), ("weight", "wt", about(r, 1300, 250)), ("automatic", "auto", pick(r, "0", "1"))],
        "house": [("price", "price", lambda: str(r.randint(90, 900) * 1000)), ("bedrooms", "bdrms", number(r, 1, 6)), ("square feet", "sqrft", about(r, 1900, 500)), ("lot size", "lotsize", seldom(r, 9000)), ("age of house", "age", number(r, 0, 120)), ("garage", "garage", pick(r, "0", "1", "2")), ("fireplace", "fire", pick(r, "Y", "N")), ("baths", "baths", number(r, 1, 4)), ("near station", "near", pick(r, "0", "1")), ("assessed", "assess", lambda: f"{r.gauss(310, 90):.1f}"), ("style", "style", number(r, 1, 9)), ("condition", "cond", number(r, 3, 9))],
        "food": [("name", "name", lambda: f"{r.choice(['Oat', 'Corn', 'Bran', 'Wheat'])} {r.choice(['Pops', 'Flakes', 'Crunch'])} {r.randint(1, 99)}"), ("maker", "mfr", pick(r, *"GKNPQR")), ("calories", "cal", about(r, 107, 20)), ("protein", "prot", number(r, 1, 6)), ("fat", "fat", number(r, 0, 5)), ("sugars", "sug", number(r, 0, 15)), ("shelf", "shelf", number(r, 1, 3)), ("weight", "weight", pick(r, "1", "1.3", "0.5")), ("rating", "rating", about(r, 43, 14, 2))],
        "film": [("title", "title", lambda: f"The {r.choice(['Red', 'Long', 'Last'])} {r.choice(['Road', 'Night', 'Sea'])} {r.randint(1, 99)}"), ("year", "year", number(r, 1950, 2022)), ("genre", "genre", pick(r, "Drama", "Comedy", "Horror")), ("minutes", "min", about(r, 108, 18)), ("rated", "rated", pick(r, "PG", "12", "15", "18")), ("score", "score", about(r, 62, 17)), ("votes", "votes", seldom(r, 30000)), ("budget", "budget", seldom(r, 40)), ("foreign", "foreign", pick(r, "0", "1"))],
        "lot": [("id", "id", number(r, 10**9, 10**9 + 10**7)), ("bids", "bids", number(r, 1, 30)), ("condition", "cond", pick(r, "new", "used")), ("start price", "start", seldom(r, 9)), ("final price", "final", about(r, 47, 12, 2)), ("shipping", "ship", pick(r, "standard", "priority", "firstClass")), ("seller rating", "seller", seldom(r, 9000)), ("photo", "photo", pick(r, "yes", "no")), ("duration", "dur", pick(r, "1", "3", "5", "7"))],
    }  # fmt: skip
    return _table(r, name, every[kind])


def systems(r: random.Random, name: str) -> Made:
    """Tickets, builds, requests, files, devices."""
    return _table(r, name, [
        ("ticket", "id", _running(r)), ("opened", "opened", day(r, 2022, 2024)), ("priority", "prio", number(r, 1, 4)), ("status", "status", pick(r, "open", "closed", "waiting")), ("component", "comp", pick(r, "network", "mail", "printer", "disk")), ("duration", "dur", seldom(r, 200)), ("exit code", "code", pick(r, "0", "1", "137", skew=3)), ("bytes", "bytes", seldom(r, 40000)), ("path", "path", pick(r, "/", "/about", "/img/a.png", "/api/v1")), ("version", "ver", lambda: f"{r.randint(1, 4)}.{r.randint(0, 20)}.{r.randint(0, 9)}"), ("branch", "branch", pick(r, "main", "dev", "fix")), ("passed", "passed", pick(r, "true", "false", skew=3)), ("cpu", "cpu", about(r, 31, 20, 1)), ("memory", "mem", about(r, 900, 300)), ("host", "host", lambda: f"srv{r.randint(1, 40):02d}"), ("retries", "retries", seldom(r, 0.4)), ("severity", "sev", pick(r, "low", "medium", "high")),
    ])  # fmt: skip


def messages(r: random.Random, name: str) -> Made:
    """Features of mails, pages, texts or pictures."""
    return _table(r, name, [
        ("spam", "spam", pick(r, "0", "1", skew=3)), ("to multiple", "to_multiple", pick(r, "0", "1", skew=3)), ("characters", "num_char", about(r, 10.4, 9, 3)), ("line breaks", "lines", seldom(r, 200)), ("attachments", "attach", seldom(r, 0.3)), ("images", "image", seldom(r, 0.2)), ("dollar", "dollar", seldom(r, 1)), ("winner", "winner", pick(r, "no", "yes", skew=6)), ("format", "format", pick(r, "0", "1")), ("number", "number", pick(r, "none", "small", "big")), ("urgent", "urgent", pick(r, "0", "1", skew=6)), ("words", "words", seldom(r, 300)), ("exclamations", "excl", seldom(r, 2)), ("width", "width", number(r, 100, 4000)), ("edges", "edges", about(r, 4, 2, 1)), ("ink", "ink", number(r, 0, 15)), ("links", "links", seldom(r, 6)), ("class", "class", pick(r, *"ABCDEF")),
    ])  # fmt: skip


def matches(r: random.Random, name: str) -> Made:
    """Games between teams, flights, storms, ballots on bills: events in which nobody is told."""
    return _table(r, name, [
        ("date", "date", day(r, 2015, 2023)), ("home team", "home", pick(r, *AREAS)), ("away team", "away", pick(r, *AREAS)), ("home score", "hs", seldom(r, 20)), ("away score", "as", seldom(r, 18)), ("spread", "spread", about(r, 7, 5, 1)), ("favourite won", "favwin", pick(r, "0", "1")), ("neutral ground", "neutral", pick(r, "0", "1", skew=4)), ("ranked", "ranked", pick(r, "0", "1", skew=2)), ("attendance", "att", seldom(r, 22000)), ("flight", "flight", number(r, 1, 2500)), ("delay", "delay", lambda: str(int(r.gauss(4, 25)))), ("distance", "dist", seldom(r, 700)), ("carrier", "carrier", pick(r, "BX", "QA", "ZT")), ("wind", "wind", about(r, 60, 25)), ("category", "cat", number(r, 1, 5)), ("overtime", "ot", pick(r, "0", "1", skew=5)),
    ])  # fmt: skip


def samples_of(r: random.Random, name: str) -> Made:
    """Assays of soil, water, wine, glass, air; standard curves."""
    return _table(r, name, [
        ("sample", "samp", _running(r, r.choice(["", "S"]))), ("run", "run", number(r, 1, 11)), ("ph", "ph", about(r, 6.8, 0.5, 2)), ("lead", "pb", about(r, 12, 6, 2)), ("zinc", "zn", about(r, 40, 25, 1)), ("copper", "cu", about(r, 9, 4, 2)), ("concentration", "conc", pick(r, "0.05", "0.2", "0.78", "3.1", "12.5")), ("density", "dens", about(r, 1, 0.5, 3)), ("depth", "depth", pick(r, "10", "30", "50")), ("site", "site", pick(r, *AREAS[:5])), ("censored", "cens", pick(r, "0", "1", skew=3)), ("detected", "det", pick(r, "T", "F")), ("zone", "zone", pick(r, "Alluvial", "Basin")), ("quality", "quality", number(r, 3, 9)), ("alcohol", "alcohol", about(r, 10.4, 1, 1)), ("type", "type", number(r, 1, 3)), ("counts", "counts", seldom(r, 30)),
    ])  # fmt: skip


FAMILIES: dict[str, Callable[[random.Random, str], Made]] = {
    f.__name__: f for f in (animals, plants, machines, goods, systems, messages, matches, samples_of)
}


def thing_family_table(seed: int, family: str) -> Made:
    """The made-up table of a seed, of one family."""
    return FAMILIES[family](random.Random(f"thing{family}{seed}"), f"made_up.{family}.{seed}")
