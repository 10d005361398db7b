"""The closed table of media types: every kind of file that a verdict may name, and its family.

Readers list the types that they open in their `MEDIA_TYPES`; a type that no reader lists is
unsupported. Names are IANA's where there is one, else the name in common use.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Family(StrEnum):
    """What sort of thing a file is."""

    TEXT = "text"
    MARKUP = "markup"
    DATA = "data"
    SHEET = "sheet"
    STATISTICAL = "statistical"
    DOCUMENT = "document"
    MAIL = "mail"
    ARCHIVE = "archive"
    DISK = "disk"
    PROTECTED = "protected"
    PICTURE = "picture"
    SOUND = "sound"
    FILM = "film"
    FONT = "font"
    PROGRAM = "program"
    UNKNOWN = "unknown"


UNKNOWN = "application/octet-stream"
EMPTY = "application/x-empty"
PLAIN = "text/plain"
CSV = "text/csv"
TSV = "text/tab-separated-values"
MARKDOWN = "text/markdown"
BASE64 = "text/x-base64"
BASE32 = "text/x-base32"
HEX = "text/x-hex"
UUENCODE = "text/x-uuencode"
HTML = "text/html"
XML = "application/xml"
SVG = "image/svg+xml"
SQL = "application/sql"
JSON = "application/json"
JSON_LINES = "application/x-ndjson"
MAIL = "message/rfc822"
MAILBOX = "application/mbox"
ZIP = "application/zip"
OLE = "application/x-ole-storage"
ENCRYPTED_OFFICE = "application/x-encrypted-office"
OPENPGP = "application/pgp-encrypted"
AGE = "application/x-age"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
XLSM = "application/vnd.ms-excel.sheet.macroenabled.12"
XLSB = "application/vnd.ms-excel.sheet.binary.macroenabled.12"
XLS = "application/vnd.ms-excel"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
OPEN_DOCUMENT = "application/vnd.oasis.opendocument."

PLAIN_TEXTS = frozenset({CSV, TSV, PLAIN, MARKDOWN})
"""What the reader of plain text alone reads."""
TOLD_BY_THEIR_HEAD = frozenset({CSV, TSV, PLAIN, JSON_LINES, SQL})
"""Texts of which the first bytes tell the kind."""

_BY_FAMILY: Mapping[Family, str] = {
    Family.TEXT: """text/plain text/csv text/tab-separated-values text/markdown text/x-base64
        text/x-base32 text/x-hex text/x-uuencode""",
    Family.MARKUP: "text/html application/xml image/svg+xml",
    Family.DATA: """application/sql application/json application/x-ndjson
        application/vnd.apache.parquet application/vnd.apache.arrow.file application/vnd.apache.arrow.stream
        application/x-feather application/x-orc application/x-avro application/vnd.sqlite3
        application/x-sqlite-wal
        application/x-duckdb application/x-msaccess application/x-dbf application/x-hdf5
        application/x-netcdf application/x-numpy application/x-pickle""",
    Family.SHEET: """application/vnd.openxmlformats-officedocument.spreadsheetml.sheet
        application/vnd.openxmlformats-officedocument.spreadsheetml.template
        application/vnd.ms-excel.sheet.macroenabled.12 application/vnd.ms-excel.template.macroenabled.12
        application/vnd.ms-excel.sheet.binary.macroenabled.12 application/vnd.ms-excel
        application/vnd.oasis.opendocument.spreadsheet""",
    Family.STATISTICAL: """application/x-spss-sav application/x-spss-zsav application/x-spss-por
        application/x-stata-dta application/x-sas-data application/x-sas-xport application/x-r-rds
        application/x-r-rdata application/x-matlab-data""",
    Family.DOCUMENT: """application/pdf application/rtf application/msword
        application/vnd.ms-powerpoint application/x-ole-storage
        application/vnd.openxmlformats-officedocument.wordprocessingml.document
        application/vnd.openxmlformats-officedocument.presentationml.presentation
        application/vnd.oasis.opendocument.text application/vnd.oasis.opendocument.presentation
        application/vnd.oasis.opendocument.graphics application/epub+zip application/postscript""",
    Family.MAIL: "message/rfc822 application/mbox application/vnd.ms-outlook application/vnd.ms-tnef "
    "application/x-outlook-pst",
    Family.ARCHIVE: """application/zip application/gzip application/x-bzip2 application/x-xz
        application/x-lzma application/zstd application/x-7z-compressed application/vnd.rar
        application/x-tar application/x-lz4 application/x-compress application/x-archive
        application/x-cpio application/x-rpm application/vnd.ms-cab-compressed application/x-arj""",
    Family.DISK: """application/x-iso9660-image application/x-vhd application/x-vhdx application/x-vmdk
        application/x-qcow2 application/x-apple-diskimage application/x-ms-wim""",
    Family.PROTECTED: """application/x-encrypted-office application/pgp-encrypted application/x-age
        application/x-luks application/x-bitlocker application/x-encrypted-diskimage
        application/x-keepass application/x-openssl-salted application/pkcs7-mime
        application/x-encrypted-parquet application/x-encrypted-spss application/x-ansible-vault
        application/x-axcrypt""",
    Family.PICTURE: """image/jpeg image/png image/gif image/bmp image/tiff image/webp image/heic
        image/avif image/vnd.adobe.photoshop image/x-icon image/x-other""",
    Family.SOUND: "audio/mpeg audio/flac audio/ogg audio/wav audio/mp4 audio/midi audio/x-other",
    Family.FILM: """video/mp4 video/quicktime video/x-msvideo video/x-matroska video/mpeg
        video/x-ms-asf video/x-other""",
    Family.FONT: "font/ttf font/otf font/woff font/woff2 font/collection font/x-other",
    Family.PROGRAM: """application/x-elf application/x-dosexec application/x-mach-binary
        application/java-vm application/wasm application/x-python-bytecode application/x-gettext
        application/x-terminfo application/x-shockwave-flash application/pgp-keys
        application/pgp-signature application/x-git-index application/x-llvm-bitcode
        application/x-sharedlib-other""",
    Family.UNKNOWN: "application/octet-stream application/x-empty",
}

MEDIA_TYPES: Mapping[str, Family] = MappingProxyType(
    {media_type: family for family, names in _BY_FAMILY.items() for media_type in names.split()}
)
"""Every media type there is -> its family."""
