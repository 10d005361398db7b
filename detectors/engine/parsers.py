"""The readers there are, and the loading of all that they need before the walls close."""

from __future__ import annotations

import codecs
import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from types import MappingProxyType, ModuleType

import detectors.readers

CODECS = tuple(
    """ascii latin_1 utf_8 utf_8_sig utf_7 utf_16 utf_16_le utf_16_be utf_32 utf_32_le utf_32_be
    raw_unicode_escape cp037
    cp437 cp850 cp852 cp858 cp862 cp866 cp874 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258
    iso8859_1 iso8859_2 iso8859_3 iso8859_4 iso8859_5 iso8859_6 iso8859_7 iso8859_8 iso8859_9 iso8859_10
    iso8859_11 iso8859_13 iso8859_14 iso8859_15 iso8859_16 mac_roman koi8_r koi8_u tis_620
    gb2312 gbk gb18030 big5 cp932 cp949 cp950 shift_jis euc_jp euc_kr iso2022_jp idna punycode""".split()  # noqa: SIM905  (sixty words read better so)
)
"""Text encodings that files come in; any other is read as the reader thinks best without it."""


@cache
def readers() -> Mapping[str, ModuleType]:
    """Every media type that can be read -> its reader; found by walking `detectors.readers`.

    A reader whose parsers are large names them in `HEAVY` and imports them inside its functions; what
    else must be done before the walls close stands in its `warm_up`.
    """
    found: dict[str, ModuleType] = {}
    for info in pkgutil.iter_modules(detectors.readers.__path__):
        module = importlib.import_module(f"{detectors.readers.__name__}.{info.name}")
        for media_type in getattr(module, "MEDIA_TYPES", ()):
            if media_type in found:
                raise RuntimeError(f"two readers for {media_type}")
            found[media_type] = module
    return MappingProxyType(found)


def heavy_imports() -> Iterator[str]:
    """The modules that the heavy template imports before it forks."""
    for module in {id(m): m for m in readers().values()}.values():
        yield from getattr(module, "HEAVY", ())


def load(heavy: bool) -> None:
    """Import what a worker cannot: readers, text encodings and, when `heavy`, the large parsers."""
    modules = {id(m): m for m in readers().values()}.values()
    load_codecs(CODECS)
    if heavy:
        for name in heavy_imports():
            importlib.import_module(name)
        for reader in modules:
            getattr(reader, "warm_up", lambda: None)()


def load_codecs(names: Iterable[str]) -> None:
    """Have Python import these text encodings, for a worker cannot."""
    for name in names:
        with suppress(LookupError):
            codecs.lookup(name)
