"""The store, on SQLite and on PostgreSQL."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, select, update

from service.domain.jobs import Configuration
from service.domain.round import Answer, PanelRow, Question, Round
from service.domain.steps import GivenTheme
from service.errors import BadInput, BadSetting, StoreUnavailable
from service.store import (
    Store,
    answers,
    audit,
    calls,
    drafts,
    events,
    idempotency,
    keys,
    revisions,
    rounds,
    sessions,
)
from service.store.database import new_id
from service.store.tables import ANSWERS, EVENTS, METADATA, REVISED, SESSIONS


def a_round(n: int = 3) -> Round:
    odd = "Ligne 1\r\n  « é » \U0001f600 '; DROP TABLE rounds; -- \x85\u2028"
    written = tuple(
        Answer(id=f"Q1:{i:06d}", question_id="Q1", text=f"{odd}{i}", respondent_id=f"{i:06d}", row=i + 2)
        for i in range(n)
    )
    return Round(
        id="vague",
        title="Une vague",
        language="fr",
        questions=(
            Question(id="Q1", title="Quoi ?"),
            Question(id="Q2", title="Non ?", kind="closed", counts={"oui": 2}),
        ),
        answers=(*written, Answer(id="Q2:x", question_id="Q2", text="", category="A")),
        panel=(PanelRow(category="A", responded=1, consulted=4),),
        n_respondents=n,
    )


def kept(store: Store, round_: Round | None = None, team: str = "a") -> rounds.StoredRound:
    with store.write() as connection:
        return rounds.add(connection, round_ or a_round(), team=team, created_by="k", sha256="0" * 64)


def queued(store: Store, round_id: str, team: str = "a") -> drafts.StoredDraft:
    with store.write() as connection:
        return drafts.add(
            connection,
            round_id=round_id,
            team=team,
            created_by="k",
            configuration=Configuration(llm="extractive"),
        )


def test_the_migrations_make_exactly_the_tables(store: Store) -> None:
    with store.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_migrating_again_and_from_many_at_once_changes_nothing(database_url: str) -> None:
    stores = [Store(database_url, connections=1) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(Store.migrate, stores))
    for one in stores:
        one.close()


def test_a_round_comes_back_code_point_for_code_point(store: Store) -> None:
    before = a_round(answers.BATCH + 5)
    stored = kept(store, before)
    with store.read() as connection:
        assert rounds.load(connection, stored.id) == before
        found = rounds.get(connection, stored.id, team="a")
        assert found is not None
        assert found == stored
        assert found.about == replace(before, answers=())
        assert rounds.get(connection, stored.id, team="b") is None
        assert rounds.load(connection, "r_none") is None


def test_pages_hold_every_row_once_in_order(store: Store) -> None:
    made = [kept(store).id for _ in range(5)]
    kept(store, team="b")
    seen: list[str] = []
    cursor = None
    with store.read() as connection:
        while True:
            page = rounds.page(connection, team="a", cursor=cursor, limit=2)
            seen += [r.id for r in page.items]
            cursor = page.cursor
            if cursor is None:
                break
        assert seen == made[::-1]
        with pytest.raises(BadInput, match="cursor"):
            rounds.page(connection, team="a", cursor="é\0", limit=2)


def test_answers_are_read_in_pages_and_by_question(store: Store) -> None:
    stored = kept(store, a_round(5))
    with store.read() as connection:
        first = answers.page(connection, stored.id, question_id=None, cursor=None, limit=4)
        rest = answers.page(connection, stored.id, question_id=None, cursor=first.cursor, limit=4)
        assert [*first.items, *rest.items] == list(a_round(5).answers)
        assert rest.cursor is None
        closed = answers.page(connection, stored.id, question_id="Q2", cursor=None, limit=4)
        assert [a.id for a in closed.items] == ["Q2:x"]


def test_a_draft_moves_one_way_and_its_result_is_written_once(store: Store) -> None:
    draft = queued(store, kept(store).id)
    with store.write() as connection:
        assert not drafts.tell(connection, draft.id, "progress", {"stage": "group", "done": 0, "total": 1})
        assert drafts.start(connection, draft.id)
        assert drafts.start(connection, draft.id), "again after a restart"
        assert drafts.tell(connection, draft.id, "progress", {"stage": "group", "done": 1, "total": 1})
    with store.read() as connection:
        running = drafts.get(connection, draft.id, team="a")
        assert running is not None
        assert (running.state, running.progress) == ("running", {"stage": "group", "done": 1, "total": 1})
        assert running.configuration == Configuration(llm="extractive")
        assert drafts.in_state(connection, "queued", "running") == (draft.id,)
    with store.write() as connection:
        assert drafts.finish(connection, draft.id, b"first")
        assert not drafts.finish(connection, draft.id, b"second")
        assert not drafts.end(connection, draft.id, "failed", code="X", detail="y")
        assert not drafts.start(connection, draft.id)
    with store.read() as connection:
        assert drafts.result(connection, draft.id) == b"first"
        assert drafts.current(connection, draft.id) == b"first"
        kinds = [(e.number, e.kind, e.data.get("state")) for e in events.after(connection, draft.id, 0)]
        assert kinds == [
            (1, "state", "queued"),
            (2, "state", "running"),
            (3, "state", "running"),
            (4, "progress", None),
            (5, "state", "done"),
        ]
        assert [e.number for e in events.after(connection, draft.id, 4)] == [5]


def test_the_configuration_of_a_draft_comes_back(store: Store) -> None:
    wanted = Configuration(
        questions=("Q1", "Q2+Q3"),
        themes=(GivenTheme(title="T", question_ids=("Q1",)),),
        budget=5,
        encoder="e5",
    )
    stored = kept(store)
    with store.write() as connection:
        made = drafts.add(connection, round_id=stored.id, team="a", created_by="k", configuration=wanted)
    assert made.configuration == wanted


def test_events_told_at_once_are_numbered_without_gap(store: Store) -> None:
    draft = queued(store, kept(store).id)
    with store.write() as connection:
        drafts.start(connection, draft.id)

    def tell(n: int) -> None:
        with store.write() as connection:
            assert drafts.tell(connection, draft.id, "note", {"n": n})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(tell, range(40)))
    with store.read() as connection:
        assert [e.number for e in events.after(connection, draft.id, 0)] == list(range(1, 43))


def test_of_two_revisions_of_one_version_one_is_kept(store: Store) -> None:
    draft = queued(store, kept(store).id)
    with store.write() as connection:
        drafts.finish(connection, draft.id, b"made")

    def revise(who: str) -> bool:
        with store.write() as connection:
            made = revisions.add(
                connection,
                draft.id,
                version=1,
                who=who,
                action="label",
                target="Q1.g1",
                edit={"label": who},
                before="avant",
                after=who,
                revised=who.encode(),
            )
            return made is not None

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(revise, "abcd")) == [False, False, False, True]
    with store.read() as connection:
        (one,) = revisions.of_draft(connection, draft.id)
        assert (one.version, one.before, one.after) == (1, "avant", one.who)
        assert drafts.current(connection, draft.id) == one.who.encode()
        assert drafts.result(connection, draft.id) == b"made"
        assert revisions.of_draft(connection, draft.id, after=1) == ()


def test_deleting_a_round_leaves_nothing_of_it_but_the_audit_log(store: Store) -> None:
    stored, other = kept(store), kept(store)
    draft = queued(store, stored.id)
    with store.write() as connection:
        drafts.finish(connection, draft.id, b"made")
        revisions.add(
            connection,
            draft.id,
            version=1,
            who="k",
            action="label",
            target="g",
            edit={},
            before="b",
            after="a",
            revised=b"r",
        )
        idempotency.keep(connection, team="a", key="once", request_sha256="0" * 64, target=draft.id)
        audit.append(connection, [audit.entry(team="a", who="k", action="round.delete", target=stored.id)])
        assert not rounds.remove(connection, stored.id, team="b")
        assert rounds.remove(connection, stored.id, team="a")
    with store.read() as connection:
        left = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar()
            for table in METADATA.sorted_tables
        }
        alive = {"rounds": 1, "answers": other.n_answers, "audit": 1}
        assert left == {name: alive.get(name, 0) for name in left}
    with store.write() as connection:
        assert not drafts.start(connection, draft.id), "a job finds its draft gone"


def files_with(text: str, folder: Path) -> set[str]:
    """Names of the files that hold the text as it is written or as JSON escapes it."""
    wanted = {text.encode(), json.dumps(text)[1:-1].encode()}
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.name for path in files if any(one in path.read_bytes() for one in wanted)}


def test_a_deleted_round_is_in_no_file_of_sqlite(tmp_path: Path) -> None:
    mark, stays = "Ce qui doit disparaître", "Ce qui doit rester"
    store = Store(f"sqlite:///{tmp_path}/polyphonie.sqlite")
    store.migrate()

    def filled(said: str) -> rounds.StoredRound:
        answers = [
            Answer(id=f"a{n}", question_id="Q1", text=f"{said} {n} " + "é" * (n * 37 % 5000))
            for n in range(200)
        ]
        about = replace(a_round(), title=said, answers=tuple(answers))
        with store.write() as connection:
            made = rounds.add(connection, about, team="a", created_by="k", sha256="0" * 64)
        draft = queued(store, made.id)
        with store.write() as connection:
            asked = calls.ask(connection, key=draft.id, draft_id=draft.id, llm="m", request={"user": said})
            assert asked is not None
            calls.answer(connection, asked.ticket, text=said * 400, input_tokens=1, output_tokens=1)
            drafts.finish(connection, draft.id, said.encode() * 20_000)
        for version in (1, 2):
            with store.write() as connection:
                revisions.add(
                    connection,
                    draft.id,
                    version=version,
                    who="k",
                    action="label",
                    target="g",
                    edit={"text": said},
                    before=said,
                    after=said,
                    revised=said.encode() * 10_000,
                )
        return made

    filled(stays)
    gone = filled(mark)
    filled(stays)
    assert files_with(mark, tmp_path), "this test can fail"
    with store.write() as connection:
        rounds.remove(connection, gone.id, team="a")
    assert store.scrub()
    assert files_with(mark, tmp_path) == set()
    assert files_with(stays, tmp_path) == {"polyphonie.sqlite"}
    store.close()


def test_a_transaction_that_fails_keeps_nothing(store: Store) -> None:
    def half() -> None:
        with store.write() as connection:
            rounds.add(connection, a_round(), team="a", created_by="k", sha256="0" * 64)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    with store.read() as connection:
        assert rounds.page(connection, team="a", cursor=None, limit=9).items == ()
        assert connection.execute(select(func.count()).select_from(ANSWERS)).scalar() == 0


def test_keys_are_found_by_their_secret_until_they_are_revoked(store: Store) -> None:
    with store.write() as connection:
        key, secret = keys.create(connection, "analyste", team="a", scopes=("read", "draft"))
        with pytest.raises(BadInput, match="analyste"):
            keys.create(connection, "analyste", team="b", scopes=())
    with store.write() as connection:
        assert keys.find(connection, secret) == key
        assert keys.find(connection, secret + "x") is None
        keys.used(connection, key.id, "2026-01-01T00:00")
        assert keys.revoke(connection, "analyste")
        assert not keys.revoke(connection, "analyste")
        assert keys.find(connection, secret) is None
        (listed,) = keys.listing(connection)
        assert listed.used_at == "2026-01-01T00:00"
        assert listed.revoked_at
    with store.read() as connection:
        assert secret not in str(connection.execute(select(METADATA.tables["keys"])).all())


def test_the_audit_log_is_read_newest_first(store: Store) -> None:
    with store.write() as connection:
        said = [
            audit.entry(team="a", who="k", action="round.read", target=str(i), detail={"i": i})
            for i in range(5)
        ]
        audit.append(connection, said)
        audit.append(connection, [audit.entry(team="b", who="k", action="round.read", target="x")])
    with store.read() as connection:
        first = audit.page(connection, team="a", cursor=None, limit=3)
        rest = audit.page(connection, team="a", cursor=first.cursor, limit=3)
    assert [*first.items, *rest.items] == said[::-1]
    assert rest.cursor is None


def test_an_idempotency_key_is_kept_once(store: Store) -> None:
    with store.write() as connection:
        assert idempotency.keep(connection, team="a", key="k", request_sha256="1" * 64, target="d_1")
        assert idempotency.keep(connection, team="b", key="k", request_sha256="1" * 64, target="d_2")
    with store.write() as connection:
        found = idempotency.find(connection, team="a", key="k")
        assert found == idempotency.Earlier(request_sha256="1" * 64, target="d_1")

    def again() -> bool:
        with store.write() as connection:
            return idempotency.keep(connection, team="a", key="k", request_sha256="2" * 64, target="d_3")

    assert again() is False


def test_nothing_revised_is_left_without_its_draft(store: Store) -> None:
    assert {f.column.table.name for t in (EVENTS, REVISED) for f in t.foreign_keys} == {"drafts"}
    assert new_id("d") != new_id("d")


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "nonsense", "sqlite:///:memory:"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(BadSetting, match="database_url"):
        Store(url)


def test_a_database_that_does_not_answer_is_told() -> None:
    store = Store("postgresql://nobody@/none?host=/nowhere")
    with pytest.raises(StoreUnavailable, match="can't be used"):
        store.migrate()


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "answers.csv").write_text("respondent_id,question_id,answer\n" * 100)
    store = Store(f"sqlite:///{tmp_path}/answers.csv")
    with pytest.raises(StoreUnavailable, match="not a database"):
        store.migrate()
    store.close()


def test_a_session_ends_by_itself_by_hand_and_with_its_key(store: Store) -> None:
    with store.write() as connection:
        key, _ = keys.create(connection, "analyste", team="a", scopes=("read",))
        one, two = sessions.start(connection, key), sessions.start(connection, key)
        assert sessions.find(connection, one) == key
        sessions.end(connection, one)
        assert sessions.find(connection, one) is None
        connection.execute(update(SESSIONS).values(expires_at="2020-01-01T00:00:00"))
        assert sessions.find(connection, two) is None
        three = sessions.start(connection, key)
        assert connection.execute(select(func.count()).select_from(SESSIONS)).scalar() == 1, (
            "the old are gone"
        )
        keys.revoke(connection, key.id)
        assert sessions.find(connection, three) is None
