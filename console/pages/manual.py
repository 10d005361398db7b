"""The page that explains the interface for programs, out of the OpenAPI document; it loads nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from console.templates import page

router = APIRouter(include_in_schema=False)
_METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Operation:
    """One address and method."""

    method: str
    path: str
    group: str
    says: str
    signed: bool
    parameters: tuple[tuple[str, str, str], ...]
    """(name, where, kind)"""
    body: tuple[tuple[str, str, bool], ...]
    """(field, kind, whether it is needed)"""
    answers: tuple[tuple[str, str], ...]


@router.get("/api/docs")
def show(request: Request) -> Response:
    document = request.app.openapi()
    return page(
        request, "manual.html", operations=list(operations(document)), title=document["info"]["title"]
    )


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    """Everything that the document describes, in its order."""
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if method in methods:
                yield _operation(document, path, method, methods[method])


def _operation(document: dict[str, Any], path: str, method: str, told: dict[str, Any]) -> Operation:
    named = tuple((p["name"], p["in"], _kind(p["schema"])) for p in told.get("parameters", ()))
    signed = any(name == "recordwarden-signature" for name, _, _ in named)
    content = told.get("requestBody", {}).get("content", {}).get("application/json", {})
    body = _resolved(document, content.get("schema", {}))
    needed = set(body.get("required", ()))
    fields = tuple((name, _kind(kind), name in needed) for name, kind in body.get("properties", {}).items())
    answers = tuple((code, a.get("description", "")) for code, a in sorted(told.get("responses", {}).items()))
    plain = tuple(p for p in named if not p[0].startswith("recordwarden-"))
    group = told.get("tags", [""])[0]
    return Operation(method.upper(), path, group, told.get("description", ""), signed, plain, fields, answers)


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    found = document
    for step in schema["$ref"].removeprefix("#/").split("/") if "$ref" in schema else ():
        found = found[step]
    return found if "$ref" in schema else schema


def _kind(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "anyOf" in schema:
        return " or ".join(_kind(s) for s in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("type", "any"))
