"""The order of the durable steps, as the kernel saw them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

CALLS = "fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat"


def first_after(lines: Sequence[str], start: int, *patterns: str) -> int:
    for number in range(start, len(lines)):
        if all(re.search(p, lines[number]) for p in patterns):
            return number
    pytest.fail(f"no {patterns} after line {start} of:\n" + "\n".join(lines[start : start + 80]))


@pytest.mark.root
def test_nothing_is_removed_before_ciphertext_and_ledger_are_durable(service, made_up, drop, need):
    need("strace")
    root = service.root()
    trace = service.base / "trace"
    service.start(
        before=["strace", "-f", "-y", "-qq", "-e", f"trace={CALLS}", "-e", "signal=none", "-o", str(trace)]
    )
    file = drop(root / "wave4.csv", made_up.survey())
    service.caught(file, 60)
    (entry,) = service.vault_digests()
    service.stop()
    lines = [line for line in trace.read_text(errors="replace").splitlines() if "resumed>" not in line]

    ciphertext = first_after(lines, 0, r"f(data)?sync\(", rf"vault/tmp/{entry}")
    placed = first_after(lines, ciphertext, r"rename", rf"{entry}\.age")
    folder = first_after(lines, placed, r"f(data)?sync\(", r"vault/entries>")
    aside = first_after(lines, folder, r"rename", r"wave4\.csv")
    unlinked = first_after(lines, aside, r"unlink", r"(wave4\.csv|recordwarden)")
    committed = [n for n in range(folder, aside) if re.search(r"f(data)?sync\(.*ledger\.db", lines[n])]
    assert committed, (
        "no synchronous ledger commit between the vault's folder and the removal:\n"
        + "\n".join(lines[folder : aside + 1])
    )
    assert ciphertext < placed < folder < committed[0] < aside < unlinked
