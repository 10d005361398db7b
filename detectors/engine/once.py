"""A value of an object that is found out when it is first asked for, and stays.

`functools.cached_property` takes a lock each time until Python 3.12; a judgement asks some hundred times,
in one thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

Value = TypeVar("Value")


class once(Generic[Value]):
    """A property of objects with a `__dict__`; whoever sets the attribute has it set for good."""

    def __init__(self, find: Callable[[Any], Value]) -> None:
        self._find, self._name = find, find.__name__
        self.__doc__ = find.__doc__

    @overload
    def __get__(self, owner: None, kind: type) -> once[Value]: ...
    @overload
    def __get__(self, owner: object, kind: type | None = None) -> Value: ...
    def __get__(self, owner: object | None, kind: type | None = None) -> Value | once[Value]:
        if owner is None:
            return self
        value = owner.__dict__[self._name] = self._find(owner)
        return value
