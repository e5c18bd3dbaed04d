"""The tables. One word per thing, as in docs/glossary.md; times are UTC, ISO 8601 text, so that both databases sort them alike.

Deleting a round deletes its answers, drafts, results, events and revisions by foreign key. The audit log stays: it holds ids
and names of keys, never what people wrote.
"""

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID = String(40)
TIME = String(32)
NAME = String(200)

STATES = ("queued", "running", "done", "failed", "cancelled", "stopped")


def _in_round() -> ForeignKey:
    return ForeignKey("rounds.id", ondelete="CASCADE")


def _in_draft() -> ForeignKey:
    return ForeignKey("drafts.id", ondelete="CASCADE")


def _state() -> tuple[Column[str], CheckConstraint]:
    return Column("state", String(20), nullable=False), CheckConstraint(f"state IN {STATES}", name="state")


ROUNDS = Table(
    "rounds",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("team", NAME, nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("created_by", NAME, nullable=False),
    Column("about", JSON, nullable=False),  # everything of a Round but its answers
    Column("n_answers", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),  # of what was uploaded
    Column("warnings", JSON, nullable=False),
    Index(None, "team", "created_at", "id"),
)

ANSWERS = Table(
    "answers",
    METADATA,
    Column("round_id", ID, _in_round(), primary_key=True),
    Column("position", Integer, primary_key=True),  # from 0, in the order of Round.answers
    Column("id", Text, nullable=False),
    Column("question_id", Text, nullable=False),
    Column("respondent_id", Text),
    Column("category", Text),
    Column("row", Integer),
    Column("text", Text, nullable=False),
    Index(None, "round_id", "question_id", "position"),
)

DRAFTS = Table(
    "drafts",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("round_id", ID, _in_round(), nullable=False),
    Column("team", NAME, nullable=False),
    *_state(),
    Column("configuration", JSON, nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("created_by", NAME, nullable=False),
    Column("started_at", TIME),
    Column("finished_at", TIME),
    Column("progress", JSON),  # {stage, done, total}
    Column("error", JSON),  # {code, detail}
    Column("last_event", Integer, nullable=False),
    Column("version", Integer, nullable=False),  # revisions made so far
    Index(None, "round_id", "created_at", "id"),
    Index(None, "team", "created_at", "id"),
    Index(None, "state"),
)

RESULTS = Table(
    "results",  # draft.json as it was made; a row is written once and never updated
    METADATA,
    Column("draft_id", ID, _in_draft(), primary_key=True),
    Column("json", LargeBinary, nullable=False),
)

REVISED = Table(
    "revised",  # draft.json with all revisions applied; can be made again from results and revisions
    METADATA,
    Column("draft_id", ID, _in_draft(), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("json", LargeBinary, nullable=False),
)

REVISIONS = Table(
    "revisions",  # append-only
    METADATA,
    Column("draft_id", ID, _in_draft(), primary_key=True),
    Column("version", Integer, primary_key=True),  # from 1
    Column("at", TIME, nullable=False),
    Column("who", NAME, nullable=False),
    Column("action", String(40), nullable=False),
    Column("target", Text, nullable=False),  # group or question
    Column("edit", JSON, nullable=False),  # what was asked for, enough to do it again
    Column("before", JSON),
    Column("after", JSON),
)

EVENTS = Table(
    "events",  # append-only, numbered from 1 in each draft
    METADATA,
    Column("draft_id", ID, _in_draft(), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", TIME, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("data", JSON, nullable=False),
)

KEYS = Table(
    "keys",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("name", NAME, nullable=False, unique=True),
    Column("team", NAME, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("created_at", TIME, nullable=False),
    Column("used_at", TIME),
    Column("revoked_at", TIME),
)

SESSIONS = Table(
    "sessions",  # of a browser, begun with a key; ends with it
    METADATA,
    Column("sha256", String(64), primary_key=True),
    Column("key_id", ID, ForeignKey("keys.id", ondelete="CASCADE"), nullable=False),
    Column("expires_at", TIME, nullable=False),
)

AUDIT = Table(
    "audit",  # append-only; no foreign key, so that it outlives what it tells of
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("at", TIME, nullable=False),
    Column("team", NAME, nullable=False),
    Column("who", NAME, nullable=False),
    Column("action", String(40), nullable=False),
    Column("target", Text, nullable=False),
    Column("detail", JSON),
    Index(None, "team", "number"),
)

IDEMPOTENCY = Table(
    "idempotency",
    METADATA,
    Column("team", NAME, primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("request_sha256", String(64), nullable=False),
    Column("target", ID, nullable=False),  # what the first request made
    Column("created_at", TIME, nullable=False),
)

EVALS = Table(
    "evals",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("team", NAME, nullable=False),
    *_state(),
    Column("configuration", JSON, nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("created_by", NAME, nullable=False),
    Column("started_at", TIME),
    Column("finished_at", TIME),
    Column("report", JSON),
    Column("error", JSON),
    Index(None, "team", "created_at", "id"),
)

CALLS = Table(
    "calls",  # of models: replies are kept with the draft that paid for them
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("ticket", ID, nullable=False, unique=True),
    Column("draft_id", ID, _in_draft(), nullable=False),
    Column("llm", NAME, nullable=False),
    Column("request", JSON, nullable=False),  # emptied once there is an answer
    Column("tries", Integer, nullable=False),
    Column("text", Text),
    Column("input_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("error", JSON(none_as_null=True)),  # {kind, detail}
    Column("asked_at", TIME, nullable=False),
    Column("answered_at", TIME),
    Index(None, "draft_id"),
)

JOBS = Table(
    "jobs",  # of drafts and evals under way
    METADATA,
    Column("id", ID, primary_key=True),
    Column("ticket", ID, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("finished", Integer, nullable=False),  # model calls, when it was last begun
    Column("reason", Text),
)

WORKERS = Table(
    "workers",  # processes that make drafts and are alive
    METADATA,
    Column("id", NAME, primary_key=True),
    Column("beats", Integer, nullable=False),
    Column("started_at", TIME, nullable=False),
)
