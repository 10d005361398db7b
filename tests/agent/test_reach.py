"""A path that leads to the root only while somebody uses it."""

from __future__ import annotations

import os

import pytest

from agent.opening import RootUnavailable
from agent.reach import Reach


def test_it_leads_to_the_root_within_and_nowhere_else(tmp_path):
    (tmp_path / "f").touch()
    reach = Reach(str(tmp_path), tmp_path.stat().st_dev)
    for _ in range(2):
        with pytest.raises(NotADirectoryError):
            os.listdir(reach.path)
        with reach.open():
            assert os.listdir(reach.path) == ["f"]
            with reach.open():
                pass
            assert os.listdir(reach.path) == ["f"], "somebody else has left, not we"
    with pytest.raises(NotADirectoryError):
        os.listdir(reach.path)


def test_a_root_that_is_not_there_leads_nowhere(tmp_path):
    reach = Reach(str(tmp_path / "gone"), 1)
    with pytest.raises(RootUnavailable), reach.open():
        pass


@pytest.mark.root
def test_a_medium_can_be_unmounted_while_it_leads_there(drive):
    volume = drive()
    path = volume.plug()
    reach = Reach(str(path), path.stat().st_dev)
    with reach.open():
        assert volume.pull().returncode == 0
