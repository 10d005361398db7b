"""Which folder of a share is looked at next. Time is a number here."""

from __future__ import annotations

from itertools import pairwise

from agent.patrol import EAGERNESS, PAUSE, Patrol

SECONDS = 80.0
SOON = SECONDS / EAGERNESS


class Share:
    """Folders and what is in them; `run` patrols, a look costs `took` seconds."""

    def __init__(self, folders, took=0.0, **keys):
        self.files = dict.fromkeys(folders, 1)
        self.took = took
        self.patrol = Patrol(SECONDS, **keys)
        self.looks = []
        self.found = []
        self.now = 0.0
        self.patrol.begin(0.0)

    def below(self, relpath):
        start = f"{relpath}/" if relpath else ""
        return [f for f in self.files if f and f.startswith(start) and "/" not in f[len(start) :]]

    def run(self, until):
        while (due := self.patrol.due()) is not None and due <= until:
            self.now = max(self.now, due)
            relpath = self.patrol.next(self.now)
            self.looks.append((self.now, relpath))
            self.now += self.took
            if relpath not in self.files:
                self.patrol.gone(relpath)
                continue
            told = (relpath, str(self.files[relpath]), self.below(relpath), self.took, self.now)
            if self.patrol.looked(*told):
                self.found.append((self.now, relpath))
        self.now = until

    def times(self, relpath):
        return [at for at, name in self.looks if name == relpath]


def test_every_folder_is_found_and_looked_at_at_once():
    share = Share(["", "a", "a/b", "c"])
    share.run(0.0)
    assert sorted(name for _, name in share.found) == ["", "a", "a/b", "c"]


def test_a_quiet_folder_is_looked_at_less_and_less_often_but_within_the_interval():
    share = Share(["", "a"])
    share.run(1000.0)
    times = share.times("a")
    gaps = [later - one for one, later in pairwise(times)]
    assert gaps[0] <= 2 * SOON and gaps == sorted(gaps) and max(gaps) == SECONDS


def test_a_change_is_noticed_within_the_interval_and_the_next_one_soon():
    share = Share(["", "a"])
    share.run(1000.0)
    share.files["a"] = 2
    share.found.clear()
    share.run(1000.0 + SECONDS)
    assert [name for _, name in share.found] == ["a"]
    share.files["a"] = 3
    share.run(share.now + 2 * SOON)
    assert len(share.found) == 2


def test_a_new_folder_is_looked_at_as_soon_as_it_is_seen_with_all_below_it():
    share = Share(["", "a"])
    share.run(1000.0)
    share.found.clear()
    share.files |= {"a/new": 1, "a/new/deep": 1}
    share.run(1000.0 + SECONDS)
    assert {"a/new", "a/new/deep"} <= {name for _, name in share.found}
    assert len({at for at, name in share.found if "new" in name}) == 1


def test_folders_that_are_gone_are_forgotten_with_all_below_them():
    share = Share(["", "a", "a/b", "a/b/c"])
    share.run(100.0)
    assert len(share.patrol) == 4
    for name in ("a", "a/b", "a/b/c"):
        del share.files[name]
    share.run(100.0 + 2 * SECONDS)
    assert len(share.patrol) == 1


def test_no_more_than_a_tenth_of_the_time_is_spent():
    share = Share(["", *(str(n) for n in range(500))], took=1.0)
    share.run(5000.0)
    assert len(share.looks) * 1.0 <= 5000.0 / (PAUSE + 1) + 1
    assert len({name for _, name in share.looks}) > 400, "and nobody is left out for others"


def test_memory_is_bounded_and_says_so():
    share = Share(["", *(str(n) for n in range(500))], most=100)
    share.run(100.0)
    assert len(share.patrol) == 100 and not share.patrol.complete


def test_a_folder_that_could_not_be_listed_whole_counts_as_changed():
    patrol = Patrol(SECONDS)
    patrol.begin(0.0)
    assert patrol.looked("", "", [], 0.0, 0.0) and patrol.looked("", "", [], 0.0, 100.0)
