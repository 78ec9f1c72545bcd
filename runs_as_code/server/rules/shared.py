"""Shared steps and preconditions as replies show them [S, DOC]."""

from typing import Any

from sqlalchemy import Row


def show_shared_step(row: Row[Any]) -> dict[str, Any]:
    """Build a shared step with its sub-steps."""
    return {
        "id": row.id,
        "type": "shared",
        "version": row.version,
        "isLatest": True,
        "title": row.title,
        "subSteps": [
            {
                "id": number,
                "type": "shared_sub_step",
                "version": row.version,
                "isLatest": True,
                "description": step.get("description", ""),
                "expected": step.get("expected", ""),
            }
            for number, step in enumerate(row.sub_steps, start=1)
        ],
    }


def show_shared_precondition(row: Row[Any]) -> dict[str, Any]:
    """Build a shared precondition."""
    return {
        "projectId": row.project_id,
        "id": row.id,
        "version": row.version,
        "title": row.title,
        "type": "shared",
        "text": row.text,
        "isLatest": True,
        "createdAt": row.created_at,
        "updatedAt": row.updated_at,
    }
