"""The HTTP API over a store, with jobs that only hold what they are given; drafts are made by hand."""

import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from time import sleep

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.api import create_app
from service.api.reviews import Author, Reviews
from service.domain.jobs import HeldJobs
from service.domain.review import Reviewed
from service.domain.revision import SetLabel
from service.exports import export
from service.settings import Settings
from service.store import Store, audit, drafts, keys, rounds
from tests.drafts import small_draft

ROUND = {
    "id": "vague",
    "title": "Une vague inventée",
    "language": "fr",
    "questions": [{"id": "Q1", "title": "Quoi ?"}, {"id": "Q2", "title": "Et puis ?"}],
    "answers": [
        {
            "question_id": "Q1",
            "respondent_id": "1",
            "category": "A",
            "answer": " Trop loin.\n«\u202fOui\u202f» ",
        },
        {"question_id": "Q1", "respondent_id": "2", "answer": "Trop cher"},
        {"question_id": "Q2", "respondent_id": "2", "answer": ""},
    ],
}
CSV = "respondent_id,question_id,answer\n1,Q1,Trop loin\n2,Q1,Trop cher\n"


@dataclass
class Api:
    client: TestClient
    store: Store
    jobs: HeldJobs

    def key(self, name: str, *scopes: keys.Scope, team: str = "a") -> dict[str, str]:
        """The header of a new key."""
        with self.store.write() as connection:
            _, secret = keys.create(connection, name, team=team, scopes=scopes or keys.SCOPES)
        return {"Authorization": f"Bearer {secret}"}

    def upload(self, key: dict[str, str], **more: str) -> str:
        made = self.client.post("/v1/rounds", json=ROUND, headers=key | more)
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    def done(self, key: dict[str, str]) -> str:
        """A draft that is done."""
        asked = self.client.post(f"/v1/rounds/{self.upload(key)}/drafts", headers=key).json()["id"]
        with self.store.write() as connection:
            drafts.start(connection, asked)
            drafts.finish(connection, asked, export(small_draft()[0], "json"))
        return str(asked)


@pytest.fixture
def api(store: Store) -> Iterator[Api]:
    jobs = HeldJobs()
    app = create_app(Settings(upload_limit=100_000), store=store, jobs=jobs)
    with TestClient(app) as client:
        yield Api(client, store, jobs)


def is_problem(response, status: int, code: str) -> dict:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert (body["code"], body["status"]) == (code, status)
    assert body["type"] == f"urn:polyphonie:error:{code}"
    assert body["title"]
    assert body["detail"]
    return body


def test_a_round_is_uploaded_read_and_deleted(api: Api) -> None:
    key = api.key("k")
    made = api.client.post("/v1/rounds", json=ROUND, headers=key)
    assert made.status_code == 201
    address = made.headers["location"]
    about = api.client.get(address, headers=key).json()
    assert about == made.json()
    assert (about["name"], about["n_answers"], about["n_respondents"], about["created_by"]) == (
        "vague",
        3,
        2,
        "k",
    )
    answers = api.client.get(f"{address}/answers", params={"question": "Q1"}, headers=key).json()
    assert [a["text"] for a in answers["items"]] == [a["answer"] for a in ROUND["answers"][:2]]
    assert api.client.delete(address, headers=key).status_code == 204
    is_problem(api.client.get(address, headers=key), 404, "NotFound")
    is_problem(api.client.get(f"{address}/answers", headers=key), 404, "NotFound")
    is_problem(api.client.delete(address, headers=key), 404, "NotFound")


def test_a_file_with_a_sidecar_is_uploaded(api: Api) -> None:
    key = api.key("k")
    sidecar = json.dumps({"title": "Titre", "questions": [{"id": "Q1", "title": "Quoi ?"}]})
    files = {"file": ("../réponses.csv", CSV), "sidecar": ("x.json", sidecar)}
    made = api.client.post("/v1/rounds", files=files, headers=key)
    assert made.status_code == 201, made.text
    assert (made.json()["title"], made.json()["name"]) == ("Titre", "réponses")


def test_a_file_with_errors_is_refused_with_row_column_and_remedy(api: Api) -> None:
    key = api.key("k")
    bad = CSV + "2,Q1,encore\n"
    problem = is_problem(
        api.client.post("/v1/rounds", files={"file": ("a.csv", bad)}, headers=key), 422, "BadInput"
    )
    (found,) = [p for p in problem["problems"] if p["severity"] == "error"]
    assert found["file"] == "a.csv"
    assert found["row"] == 4
    assert found["remedy"]
    assert (found["code"], found["said"]["answer"]) == ("answer_twice", "Q1:2")
    assert api.client.get("/v1/rounds", headers=key).json()["items"] == []


@pytest.mark.parametrize(
    ("send", "status", "code"),
    [
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 422, "BadInput"),
        ({"content": b"x", "headers": {"Content-Type": "text/csv"}}, 415, "UnsupportedMedia"),
        ({"content": b"x"}, 415, "UnsupportedMedia"),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 422, "InvalidRequest"),
        ({"data": {"file": "no file"}, "files": {"other": ("a", "b")}}, 422, "InvalidRequest"),
        ({"files": [("file", ("a.csv", CSV)), ("file", ("b.csv", CSV))]}, 422, "InvalidRequest"),
    ],
)
def test_what_is_no_round_is_refused(api: Api, send: dict, status: int, code: str) -> None:
    asked = send | {"headers": api.key("k") | send.get("headers", {})}
    is_problem(api.client.post("/v1/rounds", **asked), status, code)


def test_too_many_bytes_are_refused_while_they_arrive(api: Api) -> None:
    key = api.key("k")
    sent = 0

    def chunks() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 10_000
            yield b"x" * 10_000

    json_type = {"Content-Type": "application/json"}
    is_problem(api.client.post("/v1/rounds", content=chunks(), headers=key | json_type), 413, "TooLarge")
    is_problem(
        api.client.post("/v1/rounds", content=b"x" * 100_001, headers=key | json_type), 413, "TooLarge"
    )
    big = {"file": ("a.csv", io.BytesIO(b"x" * 100_001))}
    is_problem(api.client.post("/v1/rounds", files=big, headers=key), 413, "TooLarge")
    round_id = api.upload(key)
    long = {"llm": "x" * 100_001}
    is_problem(api.client.post(f"/v1/rounds/{round_id}/drafts", json=long, headers=key), 413, "TooLarge")


def test_lists_are_read_page_by_page(api: Api) -> None:
    key = api.key("k")
    made = [api.upload(key) for _ in range(3)]
    first = api.client.get("/v1/rounds", params={"limit": 2}, headers=key).json()
    rest = api.client.get("/v1/rounds", params={"limit": 2, "cursor": first["next"]}, headers=key).json()
    assert [r["id"] for r in first["items"] + rest["items"]] == made[::-1]
    assert rest["next"] is None
    is_problem(api.client.get("/v1/rounds", params={"cursor": "%00"}, headers=key), 422, "BadInput")
    is_problem(api.client.get("/v1/rounds", params={"limit": 0}, headers=key), 422, "InvalidRequest")


def test_a_draft_is_asked_for_once_with_an_idempotency_key(api: Api) -> None:
    key = api.key("k")
    round_id = api.upload(key)
    once = key | {"Idempotency-Key": "n-1"}
    first = api.client.post(f"/v1/rounds/{round_id}/drafts", json={"questions": ["Q1"]}, headers=once)
    assert first.status_code == 202
    assert first.headers["location"] == f"/v1/drafts/{first.json()['id']}"
    assert first.json()["state"] == "queued"
    again = api.client.post(f"/v1/rounds/{round_id}/drafts", json={"questions": ["Q1"]}, headers=once)
    assert (again.status_code, again.json()) == (202, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    other = api.client.post(f"/v1/rounds/{round_id}/drafts", json={"questions": ["Q2"]}, headers=once)
    is_problem(other, 422, "InvalidRequest")
    assert set(api.jobs.submitted) == {first.json()["id"]}
    assert len(api.client.get("/v1/drafts", params={"round": round_id}, headers=key).json()["items"]) == 1
    new = api.upload(key, **{"Idempotency-Key": "up"})
    assert api.upload(key, **{"Idempotency-Key": "up"}) == new
    api.client.delete(f"/v1/rounds/{new}", headers=key)
    assert api.upload(key, **{"Idempotency-Key": "up"}) != new, "what was deleted is not found again"


@pytest.mark.parametrize(
    ("configuration", "field"),
    [
        ({"questions": ["Q9"]}, "body.questions"),
        ({"questions": ["Q1", "Q1"]}, "body.questions"),
        ({"themes": [{"title": "T", "question_ids": ["Q9"]}]}, "body.themes.0"),
        ({"themes": [{"title": "T"}, {"title": "T"}]}, "body.themes"),
        ({"llm": "openai:secret"}, "body.llm"),
        ({"encoder": "/etc/passwd"}, "body.encoder"),
        ({"unknown": 1}, "body.unknown"),
        ({"budget": -1}, "body.budget"),
        ({"questions": ["\0"]}, "body.questions.0"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(api: Api, configuration: dict, field: str) -> None:
    key = api.key("k")
    asked = api.client.post(f"/v1/rounds/{api.upload(key)}/drafts", json=configuration, headers=key)
    problem = is_problem(asked, 422, "InvalidRequest")
    assert field in [p["field"] for p in problem["problems"]]
    assert api.jobs.submitted == []


def test_a_draft_is_followed_read_and_cancelled(api: Api) -> None:
    key = api.key("k")
    round_id = api.upload(key)
    draft = api.client.post(f"/v1/rounds/{round_id}/drafts", headers=key).json()["id"]
    address = f"/v1/drafts/{draft}"
    with api.store.write() as connection:
        drafts.start(connection, draft)
        drafts.tell(connection, draft, "progress", {"stage": "label", "done": 1, "total": 2})
    running = api.client.get(address, headers=key)
    assert running.json()["state"] == "running"
    assert running.json()["progress"] == {"stage": "label", "done": 1, "total": 2}
    assert running.json()["draft"] is None
    is_problem(api.client.get(f"{address}/export", params={"format": "json"}, headers=key), 409, "Conflict")
    assert api.client.post(f"{address}/cancel", headers=key).json()["state"] == "running"
    assert api.jobs.cancelled == [draft]
    with api.store.write() as connection:
        drafts.end(connection, draft, "cancelled")
    assert api.client.post(f"{address}/cancel", headers=key).status_code == 202
    told = api.client.get(f"{address}/events", headers=key)
    assert told.headers["content-type"].startswith("text/event-stream")
    assert [line for line in told.text.splitlines() if line.startswith(("id", "event"))] == [
        "id: 1", "event: state", "id: 2", "event: state", "id: 3", "event: progress", "id: 4", "event: state",
    ]  # fmt: skip
    resumed = api.client.get(f"{address}/events", headers=key | {"Last-Event-ID": "3"})
    assert [line for line in resumed.text.splitlines() if line.startswith("id")] == ["id: 4"]
    assert api.client.get(f"{address}/events", headers=key | {"Last-Event-ID": "4"}).status_code == 204
    queued = api.client.post(f"/v1/rounds/{round_id}/drafts", headers=key).json()["id"]
    assert api.client.post(f"/v1/drafts/{queued}/cancel", headers=key).json()["state"] == "cancelled"
    is_problem(api.client.post(f"/v1/drafts/{api.done(key)}/cancel", headers=key), 409, "Conflict")


def test_who_follows_a_draft_does_not_hold_up_a_service_that_ends(api: Api) -> None:
    key = api.key("k")
    draft = api.client.post(f"/v1/rounds/{api.upload(key)}/drafts", headers=key).json()["id"]
    looks: list[bool] = []

    def leaving() -> bool:
        looks.append(len(looks) == 1)
        return looks[-1]

    def cancel() -> None:
        with api.store.write() as connection:
            drafts.end(connection, draft, "cancelled")

    api.client.app.state.leaving = leaving  # type: ignore[attr-defined]
    otherwise = Timer(20, cancel)  # a stream that looks at nothing would never end
    otherwise.start()
    told = api.client.get(f"/v1/drafts/{draft}/events", headers=key)
    otherwise.cancel()
    assert [line for line in told.text.splitlines() if line.startswith("id")] == ["id: 1"]
    assert looks == [False, True]


def test_a_done_draft_has_a_tag_and_is_exported(api: Api) -> None:
    key = api.key("k")
    draft = api.done(key)
    found = api.client.get(f"/v1/drafts/{draft}", headers=key)
    assert found.json()["state"] == "done"
    assert found.json()["draft"] == json.loads(export(small_draft()[0], "json"))
    assert found.headers["etag"] == '"v0"'
    same = api.client.get(f"/v1/drafts/{draft}", headers=key | {"If-None-Match": '"v0"'})
    assert (same.status_code, same.content) == (304, b"")
    page = api.client.get(f"/v1/drafts/{draft}/export", params={"format": "html"}, headers=key)
    assert page.headers["content-disposition"] == 'attachment; filename="draft.html"'
    assert page.content == export(small_draft()[0], "html")
    problem = is_problem(
        api.client.get(f"/v1/drafts/{draft}/export", params={"format": "exe"}, headers=key),
        422,
        "InvalidRequest",
    )
    assert "json" in problem["detail"]


def test_the_short_way_of_reads_answers_as_the_usual_way(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    key = api.key("k")
    draft = api.done(key)
    round_ = api.client.get(f"/v1/drafts/{draft}", headers=key).json()["round_id"]
    tag = key | {"If-None-Match": '"v0"'}
    asked: list[tuple[str, dict[str, str]]] = [
        (f"/v1/rounds/{round_}", key),
        ("/v1/rounds?limit=1", key),
        ("/v1/rounds?limit=none", key),
        ("/v1/rounds?limit=1001", key),
        ("/v1/rounds?cursor=zzz", key),
        (f"/v1/rounds/{round_}/answers?question=Q1&limit=1", key),
        (f"/v1/rounds/{'r' * 401}/answers", key),
        ("/v1/rounds/r_0", key),
        (f"/v1/drafts/{draft}", key),
        (f"/v1/drafts/{draft}", tag),
        (f"/v1/drafts/{draft}", {"If-None-Match": '"v0"'}),
        (f"/v1/drafts?round={round_}", key),
        (f"/v1/drafts/{draft}/revisions?after=0", key),
        (f"/v1/drafts/{draft}/events", key | {"Last-Event-ID": "3"}),
        (f"/v1/drafts/{draft}/events", key | {"Last-Event-ID": "x"}),
        ("/v1/prompts", key),
        ("/v1/evals/e_0", key),
    ]

    def answers() -> list[tuple[int, bytes, dict[str, str]]]:
        got = [api.client.get(address, headers=headers) for address, headers in asked]
        return [(one.status_code, one.content, dict(one.headers)) for one in got]

    short = answers()
    assert {status for status, _, _ in short} == {200, 204, 304, 401, 404, 422}
    monkeypatch.setattr("service.api.reading._Parameters.of", lambda *_: None)
    assert answers() == short


def test_a_large_draft_is_read_as_a_small_one(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    key = api.key("k")
    draft = api.done(key)
    small = api.client.get(f"/v1/drafts/{draft}", headers=key)
    monkeypatch.setattr("service.api.drafts.QUICK_BYTES", 10)
    large = api.client.get(f"/v1/drafts/{draft}", headers=key)
    assert (large.status_code, large.content, large.headers) == (200, small.content, small.headers)


def test_changes_need_the_version_that_was_read_and_make_revisions(api: Api) -> None:
    key = api.key("analyste")
    draft = api.done(key)
    group = f"/v1/drafts/{draft}/groups/Q1.g1"
    body = {"label": "Il faut des bus le soir."}
    is_problem(api.client.patch(group, json=body, headers=key), 428, "PreconditionMissing")
    is_problem(api.client.patch(group, json=body, headers=key | {"If-Match": '"v7"'}), 412, "Outdated")
    made = api.client.patch(group, json=body, headers=key | {"If-Match": '"v0"'})
    assert made.status_code == 200, made.text
    assert made.headers["etag"] == '"v1"'
    assert made.json()["before"][0] == {"id": "Q1.g1", "value": "Plus de bus le soir."}
    assert made.json()["who"] == "analyste"
    is_problem(api.client.patch(group, json=body, headers=key | {"If-Match": '"v0"'}), 412, "Outdated")
    now = api.client.get(f"/v1/drafts/{draft}", headers=key)
    assert now.headers["etag"] == '"v1"'
    labels = {g["id"]: g["label"] for q in now.json()["draft"]["questions"] for g in q["groups"]}
    assert labels["Q1.g1"] == "Il faut des bus le soir."
    with api.store.read() as connection:
        assert drafts.result(connection, draft) == export(small_draft()[0], "json"), (
            "what was made stays as it was"
        )
    listed = api.client.get(f"/v1/drafts/{draft}/revisions", headers=key).json()["items"]
    assert listed == [made.json()]


def test_a_change_of_whatever_the_draft_is_now_is_made_where_somebody_was_faster(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = api.key("k")
    draft = api.done(key)
    add, raced = Reviews._add, list[bool]()

    def second(self: Reviews, draft_id: str, after: Reviewed, n: int, author: Author) -> object:
        if not raced:
            raced.append(True)
            self.change(draft_id, SetLabel(group_id="Q1.g1", text="Le premier."), seen=0, author=author)
        return add(self, draft_id, after, n, author)

    monkeypatch.setattr(Reviews, "_add", second)
    group = f"/v1/drafts/{draft}/groups/Q1.g1"
    made = api.client.patch(group, json={"label": "Le second."}, headers=key | {"If-Match": "*"})
    assert made.status_code == 200, made.text
    assert (made.json()["version"], made.json()["before"][0]["value"]) == (2, "Le premier.")


ABSENT: tuple[tuple[str, str, dict], ...] = (
    ("PATCH", "/groups/Q9.g9", {"label": "x"}),
    ("PATCH", "/questions/Q9/synthesis", {"sentence": 0, "text": "x"}),
    ("PATCH", "/questions/Q1/synthesis", {"sentence": 99, "text": "x"}),
    ("PATCH", "/questions/Q1/synthesis", {"sentence": 99, "remove": True}),
    ("POST", "/groups/merge", {"group_ids": ["Q1.g1"], "into": "Q9.g9"}),
    ("POST", "/groups/merge", {"group_ids": ["Q9.g9"], "into": "Q1.g1"}),
    ("POST", "/groups/split", {"group_id": "Q9.g9", "verbatim_ids": ["Q1:R01.1"], "label": "x"}),
    ("POST", "/groups/split", {"group_id": "Q1.g1", "verbatim_ids": ["Q1:R99.1"], "label": "x"}),
    ("POST", "/groups/move", {"verbatim_ids": ["Q1:R99.1"], "to": None}),
    ("POST", "/groups/move", {"verbatim_ids": ["Q1:R01.1", "Q1:R99.1"], "to": None}),
    ("POST", "/groups/move", {"verbatim_ids": ["Q1:R01.1"], "to": "Q9.g9"}),
    ("POST", "/groups/move", {"group_ids": ["Q9.g9"], "to": "Q1.r1"}),
    ("POST", "/groups/move", {"group_ids": ["Q1.g1"], "to": "Q9.r9"}),
    (
        "POST",
        "/revisions",
        {"kind": "new_group", "question_id": "Q9", "verbatim_ids": ["Q1:R01.1"], "label": "x"},
    ),
    ("POST", "/revisions", {"kind": "approve", "question_id": "Q9"}),
    ("POST", "/revisions", {"kind": "unapprove", "question_id": "Q9"}),
    ("POST", "/revisions", {"kind": "confirm", "at": {"group_id": "Q9.g9"}}),
    ("POST", "/revisions", {"kind": "confirm", "at": {"question_id": "Q9", "sentence": 0}}),
    ("POST", "/revisions", {"kind": "confirm", "at": {"theme": 9, "section": 0, "sentence": 0}}),
    (
        "POST",
        "/revisions",
        {"kind": "set_theme_sentence", "at": {"theme": 9, "section": 0, "sentence": 0}, "text": "x"},
    ),
    ("POST", "/revisions", {"kind": "undo", "revision": 99}),
)


def test_a_change_of_what_the_draft_does_not_have_is_not_found(api: Api) -> None:
    key = api.key("k") | {"If-Match": "*"}
    address = f"/v1/drafts/{api.done(key)}"
    for method, where, body in ABSENT:
        is_problem(api.client.request(method, address + where, json=body, headers=key), 404, "NotInDraft")
    is_problem(api.client.post(f"{address}/revisions", json={"kind": "undo"}, headers=key), 422, "BadEdit")
    assert api.client.get(f"{address}/revisions", headers=key).json()["items"] == []


def test_every_kind_of_change_makes_a_revision(api: Api) -> None:
    key = api.key("k") | {"If-Match": "*"}
    address = f"/v1/drafts/{api.done(key)}"
    changes = [
        ("PATCH", "/questions/Q1/synthesis", {"sentence": 0, "text": "Une phrase."}),
        ("PATCH", "/questions/Q1/synthesis", {"sentence": 1, "remove": True}),
        ("POST", "/groups/merge", {"group_ids": ["Q1.g2"], "into": "Q1.g1"}),
        ("POST", "/groups/move", {"verbatim_ids": ["Q1:R1.1"], "to": None}),
        ("POST", "/revisions", {"kind": "undo"}),
        ("POST", "/revisions", {"kind": "approve", "question_id": "Q3"}),
        ("POST", "/revisions", {"kind": "confirm", "at": {"group_id": "Q1.g1"}}),
    ]
    verbatims = api.client.get(address, headers=key).json()["draft"]["questions"][0]
    members = next(g["verbatim_ids"] for g in verbatims["groups"] if g["id"] == "Q1.g1")
    changes[3][2]["verbatim_ids"] = members[:1]
    changes.append(
        ("POST", "/groups/split", {"group_id": "Q1.g1", "verbatim_ids": members[:1], "label": "À part."})
    )
    children = [g for g in verbatims["groups"] if g["id"] != "Q1.g2" and g["level"] == 1]
    changes.append(
        ("POST", "/groups/move", {"group_ids": [children[0]["id"]], "to": None, "label": "Ensemble."})
    )
    for number, (method, where, body) in enumerate(changes, start=1):
        made = api.client.request(method, address + where, json=body, headers=key)
        assert made.status_code == 200, (where, made.text)
        assert made.json()["version"] == number
    pages = api.client.get(f"{address}/revisions", params={"limit": 3}, headers=key).json()
    assert [r["version"] for r in pages["items"]] == [1, 2, 3]
    assert pages["next"] == 3


@pytest.mark.parametrize(
    "body",
    [
        {"to": "Q1.r1"},
        {"to": "Q1.r1", "group_ids": ["Q1.g2"], "verbatim_ids": ["Q1:R1.1"]},
        {"to": "Q1.r1", "group_ids": ["Q1.g2"], "label": "Unused."},
        {"to": None, "group_ids": ["Q1.g2"]},
        {"to": None, "verbatim_ids": ["Q1:R1.1"], "label": "Unused."},
    ],
)
def test_a_move_is_of_verbatims_or_of_groups_and_a_label_is_of_a_new_group(api: Api, body) -> None:
    key = api.key("k") | {"If-Match": "*"}
    refused = api.client.post(f"/v1/drafts/{api.done(key)}/groups/move", json=body, headers=key)
    is_problem(refused, 422, "InvalidRequest")


def test_a_key_does_what_its_scopes_say_and_no_more(api: Api) -> None:
    owner = api.key("owner")
    draft = api.done(owner)
    reader = api.key("reader", "read")
    assert api.client.get(f"/v1/drafts/{draft}", headers=reader).status_code == 200
    for method, address, body in (
        ("POST", "/v1/rounds", ROUND),
        ("DELETE", f"/v1/rounds/{api.upload(owner)}", None),
        ("POST", f"/v1/drafts/{draft}/cancel", None),
        ("PATCH", f"/v1/drafts/{draft}/groups/Q1.g1", {"label": "x"}),
        ("GET", "/v1/audit", None),
    ):
        is_problem(api.client.request(method, address, json=body, headers=reader), 403, "MissingScope")
    drafter = api.key("drafter", "draft")
    is_problem(api.client.get("/v1/rounds", headers=drafter), 403, "MissingScope")


def test_a_key_of_another_team_learns_nothing(api: Api) -> None:
    owner, stranger = api.key("owner"), api.key("stranger", team="b")
    draft = api.done(owner)
    round_id = api.client.get(f"/v1/drafts/{draft}", headers=owner).json()["round_id"]
    asked = [
        ("GET", "/v1/rounds/{}", round_id, None),
        ("GET", "/v1/rounds/{}/answers", round_id, None),
        ("DELETE", "/v1/rounds/{}", round_id, None),
        ("POST", "/v1/rounds/{}/drafts", round_id, {"questions": ["Q9"]}),
        ("GET", "/v1/drafts/{}", draft, None),
        ("GET", "/v1/drafts/{}/events", draft, None),
        ("POST", "/v1/drafts/{}/cancel", draft, None),
        ("GET", "/v1/drafts/{}/export?format=json", draft, None),
        ("GET", "/v1/drafts/{}/revisions", draft, None),
        ("PATCH", "/v1/drafts/{}/groups/Q1.g1", draft, {"label": "x"}),
        ("POST", "/v1/drafts/{}/groups/merge", draft, {"group_ids": ["Q1.g1"], "into": "Q1.g2"}),
    ]
    for method, address, id_, body in asked:
        theirs = api.client.request(
            method, address.format(id_), json=body, headers=stranger | {"If-Match": "*"}
        )
        nothing = api.client.request(
            method, address.format(id_[:2] + "0" * 20), json=body, headers=stranger | {"If-Match": "*"}
        )
        assert theirs.status_code == 404
        assert (theirs.status_code, theirs.text) == (nothing.status_code, nothing.text), address
    for address in ("/v1/rounds", "/v1/drafts", "/v1/audit"):
        assert owner_free(api.client.get(address, headers=stranger).json()), address


def owner_free(page: dict) -> bool:
    return "owner" not in json.dumps(page)


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer pk_no"}, {"Authorization": "Basic eDp5"}])
def test_without_a_key_in_force_nothing_is_answered(api: Api, header: dict) -> None:
    for address in ("/v1/rounds", "/v1/drafts/d_x", "/v1/prompts", "/v1/audit"):
        refused = api.client.get(address, headers=header)
        is_problem(refused, 401, "NoKey")
        assert refused.headers["www-authenticate"] == "Bearer"


def test_a_revoked_key_is_refused_and_its_use_was_noted(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.store.keys.TRUSTED_SECONDS", 0.0)
    key = api.key("k")
    assert api.client.get("/v1/rounds", headers=key).status_code == 200
    with api.store.write() as connection:
        (noted,) = keys.listing(connection)
        assert noted.used_at
        keys.revoke(connection, "k")
    is_problem(api.client.get("/v1/rounds", headers=key), 401, "NoKey")


def test_a_key_that_asks_too_fast_waits(store: Store) -> None:
    app = create_app(Settings(rate_limit=2, read_limit=4), store=store, jobs=HeldJobs())
    api = Api(TestClient(app), store, HeldJobs())
    key, other = api.key("k"), api.key("other")
    for _ in range(2):
        assert api.client.post("/v1/rounds", json=ROUND, headers=key).status_code == 201
    slow = api.client.post("/v1/rounds", json=ROUND, headers=key)
    is_problem(slow, 429, "TooManyRequests")
    assert 1 <= int(slow.headers["retry-after"]) <= 31
    assert api.client.get("/v1/rounds", headers=key).status_code == 200
    is_problem(api.client.get("/v1/rounds", headers=key), 429, "TooManyRequests")
    assert api.client.get("/v1/rounds", headers=other).status_code == 200


def test_the_audit_log_says_who_did_what(api: Api) -> None:
    key = api.key("analyste")
    draft = api.done(key)
    api.client.get(f"/v1/drafts/{draft}", headers=key)
    api.client.get(f"/v1/drafts/{draft}", headers=key)
    api.client.patch(
        f"/v1/drafts/{draft}/groups/Q1.g1", json={"label": "Autre."}, headers=key | {"If-Match": "*"}
    )
    api.client.get(f"/v1/drafts/{draft}/export", params={"format": "html"}, headers=key)
    round_id = api.client.get(f"/v1/drafts/{draft}", headers=key).json()["round_id"]
    api.client.delete(f"/v1/rounds/{round_id}", headers=key)
    log = api.client.get("/v1/audit", headers=key).json()["items"]
    assert {(e["who"], e["action"], e["target"]) for e in log} == {
        ("analyste", "round.create", round_id),
        ("analyste", "draft.create", draft),
        ("analyste", "draft.read", draft),
        ("analyste", "revision.create", draft),
        ("analyste", "draft.export", draft),
        ("analyste", "round.delete", round_id),
    }
    assert next(e["detail"]["format"] for e in log if e["action"] == "draft.export") == "html"
    assert "Autre." not in json.dumps(log)
    assert "Trop loin" not in json.dumps(log)


def test_reads_are_in_the_audit_log_when_the_service_has_stopped(store: Store) -> None:
    with TestClient(create_app(Settings(), store=store, jobs=HeldJobs())) as client:
        key = Api(client, store, HeldJobs()).key("k")
        client.get("/v1/rounds", headers=key)
    with store.read() as connection:
        assert [e.action for e in audit.page(connection, team="a", cursor=None, limit=5).items] == [
            "round.list"
        ]


def test_a_session_stands_for_its_key_but_not_for_pages_of_other_sites(api: Api) -> None:
    key = api.key("k")
    begun = api.client.post("/v1/session", headers=key)
    assert begun.status_code == 204
    assert "HttpOnly" in begun.headers["set-cookie"]
    assert "samesite=strict" in begun.headers["set-cookie"].lower()
    assert api.client.get("/v1/rounds").status_code == 200
    assert api.client.post("/v1/rounds", json=ROUND).status_code == 201
    for header in ({"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}):
        is_problem(api.client.post("/v1/rounds", json=ROUND, headers=header), 403, "MissingScope")
    secret = api.client.cookies["polyphonie_session"]
    assert api.client.delete("/v1/session").status_code == 204
    api.client.cookies.set("polyphonie_session", secret)
    api.client.app.state.gate.ring._known.clear()
    is_problem(api.client.get("/v1/rounds"), 401, "NoKey")


def test_an_open_service_needs_no_key_until_one_is_made(store: Store) -> None:
    app = create_app(Settings(), store=store, jobs=HeldJobs(), open_=True)
    api = Api(TestClient(app, base_url="http://localhost"), store, HeldJobs())
    assert api.client.post("/v1/rounds", json=ROUND).status_code == 201
    elsewhere = api.client.get("/v1/rounds", headers={"Host": "rebound.example"})
    is_problem(elsewhere, 401, "NoKey")
    is_problem(
        api.client.post("/v1/rounds", json=ROUND, headers={"Origin": "https://evil.example"}),
        403,
        "MissingScope",
    )
    api.key("first")
    is_problem(api.client.get("/v1/rounds"), 401, "NoKey")


def test_errors_of_every_kind_are_problems_and_leak_nothing(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = api.key("k")
    is_problem(api.client.get("/nowhere"), 404, "NotFound")
    wrong = api.client.put("/v1/rounds", headers=key)
    is_problem(wrong, 405, "MethodNotAllowed")
    assert wrong.headers["allow"]
    is_problem(api.client.get("/v1/drafts/d_%00", headers=key), 422, "InvalidRequest")
    is_problem(api.client.get("/v1/drafts/unheard-of", headers=key), 404, "NotFound")

    def broken(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError("what somebody wrote")

    monkeypatch.setattr("service.store.rounds.page", broken)
    problem = is_problem(api.client.get("/v1/rounds", headers=key), 500, "Defect")
    assert "somebody" not in json.dumps(problem)


def test_a_database_without_a_free_connection_is_said_to_be_unavailable(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*args: object, **kwargs: object) -> None:
        raise PoolTimeout("QueuePool limit reached")

    monkeypatch.setattr("service.store.rounds.page", busy)
    answer = api.client.get("/v1/rounds", headers=api.key("k"))
    is_problem(answer, 503, "StoreUnavailable")
    assert answer.headers["retry-after"] == "5"


def test_a_draft_that_is_asked_for_while_its_round_is_deleted_is_not_found(api: Api) -> None:
    key = api.key("k")
    round_id = api.upload(key)
    waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with ThreadPoolExecutor(2) as threads, api.store.write() as connection:
        rounds.remove(connection, round_id, team="a")
        asked = [
            threads.submit(api.client.post, f"/v1/rounds/{round_id}/drafts", headers=key),
            threads.submit(api.client.delete, f"/v1/rounds/{round_id}", headers=key),
        ]
        while not api.store.is_sqlite and connection.scalar(waits) < 2 and not any(a.done() for a in asked):
            sleep(0.01)
        connection.commit()
        for one in asked:
            is_problem(one.result(), 404, "NotFound")


def test_headers_protect_every_response(api: Api) -> None:
    for address in ("/livez", "/nowhere", "/v1/rounds", "/openapi.json"):
        headers = api.client.get(address, headers={"Origin": "https://elsewhere.example"}).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in headers


def test_pages_of_an_allowed_origin_may_call(store: Store) -> None:
    app = create_app(Settings(cors_origins=("https://a.example",)), store=store, jobs=HeldJobs())
    answer = TestClient(app).get("/livez", headers={"Origin": "https://a.example"})
    assert answer.headers["access-control-allow-origin"] == "https://a.example"


def test_many_rounds_are_kept_or_refused_each_on_its_own(api: Api) -> None:
    key = api.key("k")
    files = [
        ("file", ("un.csv", CSV)),
        ("file", ("deux.csv", CSV + "2,Q1,encore\n")),
        ("file", ("un.round.json", json.dumps({"title": "Le premier"}))),
        ("file", ("trois.csv", CSV)),
    ]
    made = api.client.post("/v1/rounds/batch", files=files, data={"draft": "{}"}, headers=key).json()
    assert (made["kept"], made["refused"]) == (2, 1)
    one, two, three = made["items"]
    assert one["round"]["title"] == "Le premier"
    assert two["problem"]["code"] == "BadInput"
    assert two["problem"]["problems"][0]["row"] == 4
    assert api.jobs.submitted == [one["draft"]["id"], three["draft"]["id"]]
    bodies = {"rounds": [ROUND, {"answers": []}]}
    made = api.client.post("/v1/rounds/batch", json=bodies, headers=key).json()
    assert (made["kept"], made["refused"]) == (1, 1)
    for bad in (
        {"rounds": []},
        [],
        {"rounds": [ROUND], "draft": {"x": 1}},
        {"rounds": [ROUND], "drafts": {}},
    ):
        is_problem(api.client.post("/v1/rounds/batch", json=bad, headers=key), 422, "InvalidRequest")


def test_a_batch_that_is_sent_twice_with_its_key_makes_nothing_twice(api: Api) -> None:
    key = api.key("k") | {"Idempotency-Key": "nightly"}
    body: dict = {"rounds": [ROUND, ROUND | {"title": "Autre"}], "draft": {}}
    made = api.client.post("/v1/rounds/batch", json=body, headers=key).json()
    again = api.client.post("/v1/rounds/batch", json=body, headers=key).json()
    assert again == made
    assert len({i["round"]["id"] for i in made["items"]}) == 2
    assert len(api.client.get("/v1/drafts", headers=key).json()["items"]) == 2
    body["rounds"][1] = ROUND | {"title": "Tout autre"}
    (same, other) = api.client.post("/v1/rounds/batch", json=body, headers=key).json()["items"]
    assert same == made["items"][0]
    assert other["problem"]["code"] == "InvalidRequest"


def test_the_numbers_of_a_batch_stay_as_they_are_written_and_a_key_stands_once(api: Api) -> None:
    key = api.key("k") | {"Content-Type": "application/json"}
    body = '{"rounds": [{"answers": [{"question_id": "Q1", "answer": %s}]}]}'
    made = api.client.post("/v1/rounds/batch", content=body % "3.10", headers=key).json()
    address = f"/v1/rounds/{made['items'][0]['round']['id']}/answers"
    assert api.client.get(address, headers=key).json()["items"][0]["text"] == "3.10"
    for damaged in ('"a", "answer": "b"', "[" * 900 + "]" * 900):
        refused = api.client.post("/v1/rounds/batch", content=body % damaged, headers=key)
        assert refused.status_code == 422 or refused.json()["refused"] == 1, refused.text


def test_a_round_with_half_a_character_is_refused_and_the_list_stays_readable(api: Api) -> None:
    key = api.key("k")
    whole = json.dumps(ROUND)
    for place in ("Une vague inventée", "Quoi ?", "vague", "question_id"):
        damaged = whole.replace(json.dumps(place)[:-1], json.dumps(place)[:-1] + r"\ud800", 1)
        assert damaged != whole
        json_ = {"Content-Type": "application/json"}
        is_problem(api.client.post("/v1/rounds", content=damaged, headers=key | json_), 422, "BadInput")
    assert api.client.get("/v1/rounds", headers=key).json()["items"] == []


def test_a_deleted_round_takes_its_drafts_along_and_stops_their_jobs(api: Api) -> None:
    key = api.key("k")
    draft = api.done(key)
    round_id = api.client.get(f"/v1/drafts/{draft}", headers=key).json()["round_id"]
    queued = api.client.post(f"/v1/rounds/{round_id}/drafts", headers=key).json()["id"]
    assert api.client.delete(f"/v1/rounds/{round_id}", headers=key).status_code == 204
    assert api.jobs.cancelled == [queued]
    is_problem(api.client.get(f"/v1/drafts/{draft}", headers=key), 404, "NotFound")
    assert api.client.get("/v1/drafts", headers=key).json()["items"] == []


def test_the_prompt_library_is_listed(api: Api) -> None:
    found = api.client.get("/v1/prompts", headers=api.key("k")).json()["items"]
    assert {p["name"] for p in found if p["live"]} >= {"label", "synthesis"}


def test_an_upload_leaves_nothing_behind_on_disk(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "uploads"))
    (tmp_path / "uploads").mkdir()
    api.upload(api.key("k"))
    assert list((tmp_path / "uploads").iterdir()) == []
