"""The tables of the embedded database.

A test case keeps its newest values in `tcase` (what filters look at) and every version in
`tcase_version`. `run_case` holds the members of static runs, the states of cases that have
results, and the frozen picture of closed runs; open live runs compute their members.
"""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

SCHEMA_VERSION = 1
APPLICATION_ID = 0x71617275  # `qaru`, so that `file` and this server know the database

metadata = MetaData()


def _id() -> Column[int]:
    return Column("id", Integer, primary_key=True)


def _text_id() -> Column[str]:
    return Column("id", Text, primary_key=True)


def _project() -> Column[str]:
    return Column("project_id", Text, ForeignKey("project.id"), nullable=False)


user = Table(
    "user",
    metadata,
    _id(),
    Column("email", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("avatar", Text),
    Column("role", Text, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("last_activity", Text),
)

api_key = Table(
    "api_key",
    metadata,
    _text_id(),
    Column("user_id", Integer, ForeignKey("user.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("digest", Text, nullable=False, unique=True),
    Column("created_at", Text, nullable=False),
)

project = Table(
    "project",
    metadata,
    _text_id(),
    Column("code", Text, nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("overview_title", Text, nullable=False),
    Column("overview_description", Text, nullable=False),
    Column("links", JSON, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
    Column("archived_at", Text),
    Column("last_seq", Integer, nullable=False),
)

folder = Table(
    "folder",
    metadata,
    _id(),
    _project(),
    Column("parent_id", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("pos", Integer, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
    UniqueConstraint("project_id", "parent_id", "title"),
)

tag = Table(
    "tag",
    metadata,
    _id(),
    _project(),
    Column("title", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    UniqueConstraint("project_id", "title"),
)

milestone = Table(
    "milestone",
    metadata,
    _id(),
    _project(),
    Column("title", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
    Column("archived_at", Text),
    Column("archived_by", Integer),
    Index("milestone_project", "project_id"),
)

requirement = Table(
    "requirement",
    metadata,
    _text_id(),
    _project(),
    Column("text", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    UniqueConstraint("project_id", "text", "url"),
)

custom_field = Table(
    "custom_field",
    metadata,
    _text_id(),
    Column("system_name", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("is_required", Boolean, nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    Column("options", JSON),
    Column("default_value", Text, nullable=False),
    Column("pos", Integer, nullable=False),
    Column("project_ids", JSON),
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
)

shared_step = Table(
    "shared_step",
    metadata,
    _id(),
    _project(),
    Column("version", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("sub_steps", JSON, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
)

shared_precondition = Table(
    "shared_precondition",
    metadata,
    _id(),
    _project(),
    Column("version", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
)

tcase = Table(
    "tcase",
    metadata,
    _text_id(),
    _project(),
    Column("seq", Integer, nullable=False),
    Column("legacy_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("folder_id", Integer, ForeignKey("folder.id"), nullable=False),
    Column("pos", Integer, nullable=False),
    Column("author_id", Integer, nullable=False),
    Column("template_id", Text),
    Column("is_draft", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
    UniqueConstraint("project_id", "seq"),
    Index("tcase_legacy", "project_id", "legacy_id"),
    Index("tcase_folder", "folder_id", "pos"),
)

tcase_version = Table(
    "tcase_version",
    metadata,
    Column("tcase_id", Text, ForeignKey("tcase.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("title", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("is_automated", Boolean, nullable=False),
    Column("is_empty", Boolean, nullable=False),
    Column("content", JSON, nullable=False),
    Column("created_at", Text, nullable=False),
    sqlite_with_rowid=False,
)

tcase_tag = Table(
    "tcase_tag",
    metadata,
    Column("tcase_id", Text, ForeignKey("tcase.id"), primary_key=True),
    Column("tag_id", Integer, ForeignKey("tag.id"), primary_key=True),
    Index("tcase_tag_tag", "tag_id"),
    sqlite_with_rowid=False,
)

test_plan = Table(
    "test_plan",
    metadata,
    _id(),
    _project(),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("milestone_id", Integer),
    Column("created_at", Text, nullable=False),
    Index("test_plan_title", "project_id", "title"),
)

run = Table(
    "run",
    metadata,
    _id(),
    _project(),
    Column("type", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("milestone_id", Integer, ForeignKey("milestone.id")),
    Column("assignment_id", Integer, ForeignKey("user.id")),
    Column("configuration_id", Text),
    Column("links", JSON, nullable=False),
    Column("integration_link", Text),
    Column("test_plan_id", Integer, ForeignKey("test_plan.id")),
    Column("query_plans", JSON, nullable=False),
    Column("counts", JSON, nullable=False),
    Column("time_spent", Integer),
    Column("created_by", Integer, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("closed_at", Text),
    Column("closed_by", Integer),
    Index("run_title", "project_id", "title"),
    Index("run_state", "project_id", "closed_at"),
)

run_case = Table(
    "run_case",
    metadata,
    Column("run_id", Integer, ForeignKey("run.id"), primary_key=True),
    Column("tcase_id", Text, ForeignKey("tcase.id"), primary_key=True),
    Column("is_member", Boolean, nullable=False),
    Column("status", Text, nullable=False),
    Column("version", Integer),  # empty: follows the newest version
    Column("folder_id", Integer),  # empty: follows the test case
    Column("pos", Integer),
    sqlite_with_rowid=False,
)

result = Table(
    "result",
    metadata,
    _id(),
    Column("run_id", Integer, ForeignKey("run.id"), nullable=False),
    Column("tcase_id", Text, ForeignKey("tcase.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("author_id", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("links", JSON, nullable=False),
    Column("time_taken", Integer),
    Column("api_key_id", Text),
    Column("created_at", Text, nullable=False),
    Index("result_case", "run_id", "tcase_id"),
)

run_log = Table(
    "run_log",
    metadata,
    _text_id(),
    Column("run_id", Integer, ForeignKey("run.id"), nullable=False),
    Column("user_id", Integer, nullable=False),
    Column("comment", Text, nullable=False),
    Column("created_at", Text, nullable=False),
)

status = Table(
    "status",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("color", Text, nullable=False),
    Column("is_default", Boolean, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("pos", Integer, nullable=False),
)

file = Table(
    "file",
    metadata,
    _text_id(),
    Column("name", Text, nullable=False),
    Column("mime_type", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("created_at", Text, nullable=False),
)

audit_event = Table(
    "audit_event",
    metadata,
    _id(),
    Column("user_id", Integer),
    Column("action", Text, nullable=False),
    Column("ip", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
    Column("meta", JSON),
    Column("created_at", Text, nullable=False),
)
