"""Check digits accept what their standards accept and reject a changed digit."""

from __future__ import annotations

import pytest

from detectors.engine import validators


@pytest.mark.parametrize(
    ("check", "good"),
    [
        ("nhs", "9434765919"),
        ("nhs", "4010232137"),
        ("payment_card", "4539148803436467"),
        ("iban", "GB82WEST12345698765432"),
        ("iban", "DE89370400440532013000"),
        ("isbn", "9780306406157"),
        ("isbn", "0306406152"),
        ("utr", "1123456789"),
    ],
)
def test_a_changed_digit_is_refused(check: str, good: str) -> None:
    assert validators.CHECKS[check](good)
    for i, ch in enumerate(good):
        if ch.isdigit() and i > 1:
            assert not validators.CHECKS[check](good[:i] + str((int(ch) + 1) % 10) + good[i + 1 :])


def test_unallotted_prefixes_are_no_national_insurance_numbers() -> None:
    assert validators.nino("JG103759A")
    assert not any(validators.nino(p + "123456A") for p in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ", "QQ"))


def test_a_driver_number_holds_a_real_day() -> None:
    assert validators.driving_licence("MORGA657054SM9IJ")
    assert validators.driving_licence("MORGA607054SM9IJ".replace("607", "657"))
    assert not validators.driving_licence("MORGA613054SM9IJ")


def test_numbers_of_messages_and_appointments_are_nobodys_mailbox() -> None:
    for local in ("jo.bloggs", "carys1985", "447700900123", "2024-0173.bevan", "o'neill+news7"):
        assert validators.mailbox(f"{local}@example.org"), local
    for local in (
        "3526d142-6d2b-4266-9855-e6ec1589a265",
        "20240131t101500z",
        "9f1c02ab77de4410",
        "cakmqyktgfnp-q3xnckajshdlaksjdhqwpoeiuzxmnbv",
    ):
        assert not validators.mailbox(f"{local}@example.org"), local
