"""A socket is reached however deep it lies."""

from __future__ import annotations

import os
import socket

import pytest

from agent.socket_path import address_of


@pytest.mark.parametrize("depth", [0, 1, 5])
def test_a_socket_is_bound_and_reached_at_any_depth(tmp_path, depth):
    folder = tmp_path.joinpath(*["d" * 60] * depth)
    folder.mkdir(parents=True, exist_ok=True)
    before = len(os.listdir("/proc/self/fd"))
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
        with address_of(folder / "control.sock") as address:
            listener.bind(address)
        listener.listen(1)
        assert (folder / "control.sock").is_socket()
        with address_of(folder / "control.sock") as address:
            client.connect(address)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_folder_that_is_not_there_is_no_socket(tmp_path):
    with pytest.raises(FileNotFoundError), address_of(tmp_path / ("d" * 120) / "control.sock"):
        pass
