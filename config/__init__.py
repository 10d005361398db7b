"""What administrators tune: the settings model, its loader and the shipped defaults.

Read by every package, imports none of them. Names are loaded on first use, because `config.load`
brings pydantic-settings along and the small processes do without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from config.load import ConfigError, load
    from config.settings import Settings

__all__ = ["ConfigError", "Settings", "load"]


def __getattr__(name: str) -> Any:
    if name == "Settings":
        from config.settings import Settings

        return Settings
    if name in __all__:
        from config import load as module

        return getattr(module, name)
    raise AttributeError(name)
