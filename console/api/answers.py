"""What the OpenAPI document says of errors, and of bodies that are read by hand because they are signed."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


class Problem(BaseModel):
    """Every error."""

    error: str
    """For programs to branch on."""
    detail: str


def ERRORS(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these errors."""
    return {status: {"model": Problem} for status in statuses}


SIGNED: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["records"],
                    "properties": {
                        "records": {
                            "type": "array",
                            "minItems": 1,
                            "maxItems": 200,
                            "items": {"type": "object"},
                            "description": "OCSF records, see docs/alerts.md",
                        }
                    },
                }
            }
        },
    }
}
"""The body of a signed request."""
