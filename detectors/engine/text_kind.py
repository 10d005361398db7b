"""Which kind of text a text is: mail, markup, JSON, SQL, armour or plain (the reader finds tables)."""

from __future__ import annotations

import base64
import json
import re
from posixpath import splitext

from detectors.engine.media_types import (
    AGE,
    BASE32,
    BASE64,
    CSV,
    HEX,
    HTML,
    JSON,
    JSON_LINES,
    MAIL,
    MAILBOX,
    MARKDOWN,
    OPENPGP,
    PLAIN,
    SQL,
    SVG,
    TSV,
    UUENCODE,
    XML,
)
from detectors.engine.text import HEAD_BYTES, decode_head, looks_like_text
from detectors.engine.wordy import Words

_ARMOUR = {
    "-----BEGIN PGP MESSAGE-----": OPENPGP,
    "-----BEGIN AGE ENCRYPTED FILE-----": AGE,
    "-----BEGIN PGP PUBLIC KEY BLOCK-----": "application/pgp-keys",
    "-----BEGIN PGP SIGNATURE-----": "application/pgp-signature",
    "-----BEGIN PKCS7-----": "application/pkcs7-mime",
    "-----BEGIN CMS-----": "application/pkcs7-mime",
}
_BY_NAME = {".csv": CSV, ".tsv": TSV, ".tab": TSV, ".md": MARKDOWN, ".markdown": MARKDOWN}
_HTML = re.compile(
    r"<(?:!doctype\s+html|html|head|body|table|title|div|style|script|meta|p|h1|span|ul)\b", re.I
)
_XML = re.compile(
    r"<(?:\?xml\s|!DOCTYPE\s|!--|[A-Za-z_][\w.-]*(?::[\w.-]+)?(?:\s+[\w:.-]+\s*=\s*[\"']|\s*/?>))"
)
_COMMENT = re.compile(r"\s*(?:<\?.*?\?>|<!--.*?-->)", re.S)
_XHTML = re.compile(r"<(?:!DOCTYPE\s+html|html)\b", re.I)
_SVG = re.compile(r"<(?:!DOCTYPE\s+svg|(?:\w+:)?svg)\b", re.I)
_SQL = re.compile(
    r"^\s{0,8}(?:INSERT\s+(?:IGNORE\s+|OR\s+\w+\s+)?INTO\s+\S+|REPLACE\s+INTO\s+\S+|COPY\s+\S+\s.*FROM\s+stdin"
    r"|CREATE\s+(?:TEMP\w*\s+)?TABLE\s+\S+|INSERT\s+[\[\w\].`\"]+\s*\([^()\n]{1,4000}\)\s*VALUES\b"
    r"|UPDATE\s+\S+\s+SET\s+\S+\s*=|WITH\s+\w+\s*\([^()\n]{1,4000}\)\s+AS\s*\(\s*VALUES\b)",
    re.I | re.M,
)
_SQL_WORDS = (("insert", "into"), ("replace", "into"), ("copy", "stdin"), ("create", "table"),
              ("insert", "values"), ("update", "set"), ("with", "values"))  # fmt: skip
"""Both of one of these pairs are in every such statement."""
_SQL_BEGUN = Words({one for one, _ in _SQL_WORDS})
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,60}:(?:[ \t]|$)")
_FIELDS = frozenset(
    """from to cc bcc date subject sender reply-to received return-path message-id mime-version
    content-type content-transfer-encoding delivered-to dkim-signature user-agent x-mailer in-reply-to
    references list-id importance thread-topic content-disposition authentication-results""".split()  # noqa: SIM905
)
_SURE_FIELDS = frozenset("received return-path message-id mime-version content-type delivered-to".split())  # noqa: SIM905
_UU = re.compile(r"begin [0-7]{3,4} [^\n]{1,200}\n[!-`][ -`]{1,84}\s*\n")
_HEX, _BASE32 = re.compile(r"[0-9A-Fa-f]+"), re.compile(r"[A-Z2-7]+=*")
_PACKED = (b"PK\3\4", b"\x1f\x8b\x08", b"7z\xbc\xaf", b"\xd0\xcf\x11\xe0", b"BZh", b"\xfd7zXZ",
           b"\x28\xb5\x2f\xfd", b"SQLite format 3", b"PAR1", b"%PDF-")  # fmt: skip
_LEAST_CODED, _CODED_SAMPLE = 128, 4096
_BASE64_LINE = re.compile(r"[A-Za-z0-9+/_-]{4,}={0,2}")


def text_kind(head: bytes, tail: bytes, size: int, untrusted_name: str) -> str:
    """The media type of a text with these first and last bytes."""
    text = decode_head(head[:HEAD_BYTES]).lstrip("\ufeff \t\n\f\x00")
    cut_off = size > len(head[:HEAD_BYTES])
    armour = _armour(text, tail)
    if armour is not None:
        return armour
    if text.startswith("$ANSIBLE_VAULT;"):
        return "application/x-ansible-vault"
    if text[:1] in "{[" and text:
        json_kind = _json_kind(text, cut_off)
        if json_kind is not None:
            return json_kind
    if text.startswith("<"):
        markup = _markup(text)
        if markup is not None:
            return markup
    mail = _mail(text)
    if mail is not None:
        return mail
    if is_base64(text, cut_off):
        return BASE64
    if (coded := _coded(text)) is not None:
        return coded
    if _is_sql(text):
        return SQL
    return _BY_NAME.get(splitext(untrusted_name)[1].lower(), PLAIN)


def _is_sql(text: str) -> bool:
    """Whether a statement that holds or describes rows begins a line."""
    if text.isascii() and not _SQL_BEGUN.stand_in(text):
        return False
    low = text.lower() if text.isascii() else text.casefold()
    return any(one in low and other in low for one, other in _SQL_WORDS) and _SQL.search(text) is not None


def _armour(text: str, tail: bytes) -> str | None:
    """Armoured ciphertext; only if nothing but armour is in sight."""
    first, _, rest = text.partition("\n")
    media_type = _ARMOUR.get(first.strip())
    if media_type is None or not tail.rstrip().endswith(b"-----"):
        return None
    body = [line.strip() for line in rest.split("\n")[:-1] if line.strip()]
    odd = sum(not _BASE64_LINE.fullmatch(line) and line[:1] != "=" for line in body)
    return media_type if odd <= 6 and odd <= 0.3 * len(body) + 3 else None


def _json_kind(text: str, cut_off: bool) -> str | None:
    decoder = json.JSONDecoder(strict=False)
    try:
        _, end = decoder.raw_decode(text)
    except RecursionError:
        return JSON
    except json.JSONDecodeError as error:
        first, _, second = text.partition("\n")
        plain = error.pos >= 0.5 * len(text) or error.pos >= 4096 or error.msg.startswith("Unterminated")
        if not plain:
            return None
        if cut_off and _is_json(first) and second[:1] in "{[":
            return JSON_LINES
        return JSON
    except ValueError:  # a number of thousands of digits
        return JSON
    if text[end : end + 1] not in ("", "\n", " ", "\t", "{", "["):
        return None
    rest = text[end:].lstrip()
    if not rest:
        return JSON
    return JSON_LINES if rest[0] == text[0] else None


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _markup(text: str) -> str | None:
    if _HTML.match(text):
        return HTML
    if not _XML.match(text):
        return None
    body = text
    while (comment := _COMMENT.match(body)) is not None:
        body = body[comment.end() :]
    body = body.lstrip()
    if _XHTML.match(body) or (not text.startswith("<?xml") and _HTML.match(body)):
        return HTML
    return SVG if _SVG.match(body) else XML


def _mail(text: str) -> str | None:
    """A message by its header fields, or a box of them."""
    boxed = text.startswith("From ")
    lines = text.split("\n", 200)
    names: list[str] = []
    for line in lines[1 if boxed else 0 : 200]:
        if not line.strip():
            break
        if line[0] in " \t" and names:
            continue
        if not _FIELD.match(line):
            return None
        names.append(line.partition(":")[0].lower())
    known = _FIELDS.intersection(names)
    sure = _SURE_FIELDS.intersection(names)
    if len(known) >= 3 and (
        sure or {"from", "subject", "date"} <= known or {"from", "to", "subject"} <= known
    ):
        return MAILBOX if boxed else MAIL
    return MAIL if len(sure) >= 2 else None


def _coded(text: str) -> str | None:
    """Hexadecimal digits, base32 or uuencode, where what they stand for is text or a kind of file.

    A list of digests is made of the same letters and stands for nothing.
    """
    if _UU.match(text):
        return UUENCODE
    sample = text[:_CODED_SAMPLE].rpartition("\n")[0] or text[:_CODED_SAMPLE]
    letters = "".join(sample.split())
    if len(letters) < _LEAST_CODED:
        return None
    try:
        if _HEX.fullmatch(letters) and not letters.isdecimal():
            kind, content = HEX, bytes.fromhex(letters[: len(letters) // 2 * 2])
        elif _BASE32.fullmatch(letters):
            kind, content = BASE32, base64.b32decode(letters[: len(letters) // 8 * 8])
        else:
            return None
    except ValueError:
        return None
    return kind if content.startswith(_PACKED) or looks_like_text(content) else None


def is_base64(text: str, cut_off: bool) -> bool:
    """Whether a text is base64 and nothing else: even lines, letters of both cases and digits."""
    first = text.partition("\n")[0].rstrip()
    if not _BASE64_LINE.fullmatch(first) and not first.startswith("-----BEGIN "):
        return False
    lines = text.split("\n")
    if cut_off and len(lines) > 1:
        lines.pop()
    while lines and not lines[-1].strip():
        lines.pop()
    lines = [line.rstrip() for line in lines]
    if lines and lines[0].startswith("-----BEGIN ") and not re.search(r"CERTIFICATE|KEY|CRL|PARAM", lines[0]):
        lines = lines[1 : -1 if lines[-1].startswith("-----END") else None]
    if not lines or sum(map(len, lines)) < 96:
        return False
    width = len(lines[0])
    if width < 16 or any(len(line) != width for line in lines[:-1]) or len(lines[-1]) > width:
        return False
    if not all(_BASE64_LINE.fullmatch(line) for line in lines):
        return False
    letters = set("".join(lines[:200]))
    cases = sum(c.islower() for c in letters) >= 8 and sum(c.isupper() for c in letters) >= 8
    return cases and any(c.isdigit() for c in letters)
