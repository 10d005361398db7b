"""Turn a TOML file and the environment into `Settings`, or say in one line which key is wrong.

The environment wins over the file: `RECORDWARDEN_POLICY__MODE=enforce` sets `policy.mode`; lists
and tables are written as JSON. pydantic-settings passes silently over a file that is not there and
over variables that it does not know; both are errors here.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import tomllib
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Self, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from config.settings import Settings

DEFAULT_FILE = Path("/etc/recordwarden/config.toml")
SHIPPED_FILE = Path(__file__).with_name("defaults.toml")
PREFIX = "RECORDWARDEN_"
FILE_VARIABLE = "RECORDWARDEN_CONFIG"
CLIENT_VARIABLES = frozenset(f"{PREFIX}CONSOLE_{word}" for word in ("URL", "TOKEN", "TOKEN_FILE", "CA"))
"""What `recordwarden console` reads to speak to a console elsewhere: no settings of this machine."""
ENVIRONMENT = "environment"
_SHOW = "`recordwarden config show` prints every key with its value"


class ConfigError(Exception):
    """The configuration is wrong: the administrator must mend `key` in `source`.

    `source` is a file, or "environment" with the variable's name as `key`. `key` is "" when the
    fault lies with the whole file.
    """

    def __init__(self, source: str, key: str, message: str, hint: str = "") -> None:
        super().__init__(": ".join(part for part in (source, key, message) if part))
        self.source, self.key, self.message, self.hint = source, key, message, hint or _SHOW

    @classmethod
    def about(cls, source: str, key: str, message: str, hint: str = "") -> Self:
        """The same for a key found wrong after loading: names the variable if that is what set it."""
        steps = re.split(r"\.|\[", key)
        names = (_variable(".".join(steps[:length])) for length in range(len(steps), 0, -1))
        named = next((name for name in names if name in os.environ), None)
        return (
            cls(ENVIRONMENT, named, f"{key}: {message}", hint) if named else cls(source, key, message, hint)
        )


class _Layers(BaseSettings, Settings):
    """The same model, fed from the environment first and the file's content second."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", frozen=True, extra="forbid", validate_default=True
    )

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource, dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:  # fmt: skip
        return env_settings, init_settings


def config_file(given: Path | None = None) -> Path | None:
    """Which file counts: `given`, else $RECORDWARDEN_CONFIG, else the default one if it is there."""
    if given is not None:
        return given
    if named := os.environ.get(FILE_VARIABLE):
        return Path(named)
    return DEFAULT_FILE if os.path.lexists(DEFAULT_FILE) else None


def source_of(given: Path | None = None) -> str:
    """The name of the file that counts, for messages."""
    return str(config_file(given) or SHIPPED_FILE)


def load(given: Path | None = None) -> Settings:
    """The settings out of the file (see `config_file`) and the environment; raises `ConfigError`."""
    file = config_file(given)
    plain = read(file) if file else {}
    source = source_of(file)
    variables = _check_environment()
    try:
        layers = _Layers(**plain)
    except ValidationError as error:
        raise _explain(error, source, variables) from None
    except (SettingsError, TypeError) as error:
        raise ConfigError(ENVIRONMENT, "", str(error)) from None
    found = {name: getattr(layers, name) for name in Settings.model_fields}
    found["detectors"] = _typed(layers.detectors, variables)
    return Settings(**found)


def validate(plain: Mapping[str, Any], source: str) -> Settings:
    """Settings out of plain values alone, without file or environment."""
    try:
        return Settings(**plain)
    except ValidationError as error:
        raise _explain(error, source, {}) from None


def key_paths(model: type[BaseModel] = Settings, above: str = "") -> Iterator[str]:
    """Every key an administrator can set, dotted; `[]` marks the elements of a list of tables."""
    for name, field in model.model_fields.items():
        inner = _section(field.annotation)
        if inner is None:
            yield above + name
        elif get_origin(field.annotation) is tuple:
            yield from key_paths(inner, f"{above}{name}[].")
        else:
            yield from key_paths(inner, f"{above}{name}.")


def read(file: Path) -> dict[str, Any]:
    """The file's plain values, not looked at yet; raises `ConfigError`."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        hint = "give the file of --config or RECORDWARDEN_CONFIG as it is on this machine"
        raise ConfigError(str(file), "", "there is no such file", hint) from None
    except tomllib.TOMLDecodeError as error:
        found = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", str(error), re.DOTALL)
        text, where = (found[1], f"line {found[2]}, column {found[3]}") if found else (str(error), "")
        hint = "the file is TOML: text in quotes, lists in [ ], sections as [policy]"
        raise ConfigError(str(file), where, _sentence(text), hint) from None
    except UnicodeDecodeError:
        raise ConfigError(str(file), "", "is not UTF-8 text", "save it as UTF-8") from None
    except OSError as error:
        hint = "check who may read it, or name another file with --config"
        raise ConfigError(str(file), "", (error.strerror or "cannot be read").lower(), hint) from None


def sources(given: Path | None = None) -> dict[str, str]:
    """Where each key that is not the shipped one was set, dotted: a file, or a variable's name."""
    file = config_file(given)
    found = dict.fromkeys(_leaves(read(file)), str(file)) if file else {}
    for steps, name in _check_environment().items():
        found |= dict.fromkeys(_leaves_of_variable(steps, os.environ[name]), name)
    return found


def _leaves(plain: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """The dotted keys that hold something else than a table; a list of tables is one value."""
    for name, value in plain.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield above + name


def _leaves_of_variable(steps: Sequence[str], value: str) -> Iterator[str]:
    whole = json.loads(value) if _is_json(value) else value
    return _leaves({".".join(steps): whole})


def _check_environment() -> dict[tuple[str, ...], str]:
    """All our variables by the key they set; an unknown or unreadable one is an error."""
    found = {}
    for name, value in sorted(os.environ.items()):
        if not name.upper().startswith(PREFIX) or name in {FILE_VARIABLE, *CLIENT_VARIABLES}:
            continue
        steps = tuple(name[len(PREFIX) :].lower().split("__"))
        kind = _annotation(steps)
        if kind is None:
            known = [FILE_VARIABLE, *(_variable(key) for key in key_paths() if "[]" not in key)]
            raise ConfigError(ENVIRONMENT, name, "unknown variable", _near(name.upper(), known))
        if (kind is dict or get_origin(kind) in (tuple, dict) or _section(kind)) and not _is_json(value):
            raise ConfigError(ENVIRONMENT, name, "must be JSON", 'write a list as ["one", "two"]')
        found[steps] = name
    return found


def _typed(
    stanzas: Mapping[str, Mapping[str, Any]], variables: Mapping[tuple[str, ...], str]
) -> dict[str, dict[str, Any]]:
    """Detectors' options out of variables as numbers and lists: their types are known to detectors only."""
    found = {name: dict(stanza) for name, stanza in stanzas.items()}
    for steps in variables:
        if steps[0] == "detectors" and len(steps) == 3 and isinstance(found[steps[1]][steps[2]], str):
            with suppress(ValueError):
                found[steps[1]][steps[2]] = json.loads(found[steps[1]][steps[2]])
    return found


def _is_json(value: str) -> bool:
    try:
        return isinstance(json.loads(value), list | dict)
    except ValueError:
        return False


def _variable(key: str) -> str:
    return PREFIX + key.upper().replace(".", "__")


def _annotation(steps: Sequence[str | int]) -> Any:
    """The type behind a path of keys, or None if the model has no such key."""
    kind: Any = Settings
    for step in steps:
        inner = _section(kind)
        if isinstance(step, int):
            kind = get_args(kind)[0] if get_origin(kind) is tuple else None
        elif inner is not None and step in inner.model_fields:
            kind = inner.model_fields[step].annotation
        elif get_origin(kind) is dict:
            kind = get_args(kind)[1]
        elif kind is not Any:
            return None
    return kind


def _section(kind: Any) -> type[BaseModel] | None:
    """The model inside an annotation such as `FileSink | None` or `tuple[Root, ...]`."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    if get_origin(kind) in (tuple, Union, types.UnionType):
        return next((s for s in map(_section, get_args(kind)) if s), None)
    return None


def _explain(error: ValidationError, source: str, variables: Mapping[tuple[str, ...], str]) -> ConfigError:
    """The first fault (a misspelt key before a wrong value) as one line with a hint."""
    faults = sorted(error.errors(), key=lambda f: f["type"] != "extra_forbidden")
    fault = faults[0]
    loc, key = fault["loc"], _dotted(fault["loc"])
    for length in range(len(loc), 0, -1):
        if (named := variables.get(tuple(str(step) for step in loc[:length]))) is not None:
            source, key = ENVIRONMENT, named + _dotted(("", *loc[length:]))
            break
    if fault["type"] == "extra_forbidden":
        return ConfigError(source, key, "unknown key", _near_key(loc))
    choices = _choices(_annotation(loc))
    if choices and isinstance(fault["input"], str):
        return ConfigError(
            source, key, f"must be one of {', '.join(choices)}", _near(fault["input"], choices)
        )
    return ConfigError(source, key, _sentence(fault["msg"]), _shipped(loc))


def _dotted(loc: Iterable[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in loc).lstrip(".")


def _sentence(text: str) -> str:
    text = text.removeprefix("Value error, ").replace("Input should be", "must be")
    text = text.replace("Field required", "is required").replace("a valid tuple", "a list")
    text = re.sub(r"a valid dictionary or instance of \w+", "a section", text)
    return text[:1].lower() + text[1:] if text[:2] != text[:2].upper() else text


def _choices(kind: Any) -> list[str]:
    """The words a key takes: of an enumeration, a literal or a tuple of either."""
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [str(member.value) for member in kind]
    if get_origin(kind) is Literal:
        return [str(getattr(value, "value", value)) for value in get_args(kind)]
    if get_origin(kind) in (Union, types.UnionType):
        return [choice for inner in get_args(kind) for choice in _choices(inner)]
    return []


def _near_key(loc: Sequence[str | int]) -> str:
    """A hint for an unknown key: a sibling spelt alike, else the same name elsewhere, else the siblings."""
    above, name = loc[:-1], str(loc[-1])
    inner = _section(_annotation(above)) if above else Settings
    siblings = {name: _dotted((*above, name)) for name in inner.model_fields} if inner else {}
    if near := difflib.get_close_matches(name, siblings, 1, 0.7):
        return f"did you mean {siblings[near[0]]}?"
    if elsewhere := [key for key in key_paths() if key.rpartition(".")[2] == name]:
        return f"did you mean {min(elsewhere, key=lambda key: ('[]' in key, key.count('.')))}?"
    return f"keys here are: {', '.join(siblings)}" if siblings else _SHOW


def _shipped(loc: Sequence[str | int]) -> str:
    value: Any = Settings()
    for step in loc:
        value = getattr(value, str(step), None)
    return (
        _SHOW
        if value is None or isinstance(value, BaseModel)
        else f"the shipped value is {json.dumps(value, default=str)}"
    )


def _near(word: str, choices: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, choices, 1, 0.6)
    return f"did you mean {near[0]}?" if near else _SHOW
