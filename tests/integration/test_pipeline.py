"""The whole pipeline with the fake encoder: the invariants of the draft."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.encoder import HashEncoder
from service.domain.draft import Draft, Sentence
from service.domain.round import Answer, Question, Round
from service.errors import LetGo, Stopped
from service.exports.draft_json import from_json, to_json
from service.ingest import read_round
from service.llm.chat import ChatReply, ChatRequest, ScriptedChat
from service.pipeline import draft_round
from service.stages.final_check import check_draft

EXAMPLE = Path(__file__).parents[2] / "examples" / "round" / "answers.csv"


@pytest.fixture(scope="module")
def round_() -> Round:
    reading = read_round(EXAMPLE)
    assert reading.round is not None, reading.problems
    return reading.round


@pytest.fixture(scope="module")
def draft(round_: Round) -> Draft:
    return draft_round(round_, encoder=HashEncoder())


def test_the_ledger_adds_up_to_the_input(round_, draft):
    a, v = draft.ledger.answers, draft.ledger.verbatims
    assert a.total == sum(1 for x in round_.answers if round_.question(x.question_id).kind == "open") == 232
    assert a.total == a.with_content + a.no_content + a.duplicate + a.failed
    assert v.total == v.grouped + v.isolated + v.failed
    assert draft.ledger.closed_answers == 29
    assert a.duplicate == 3


def test_every_answer_is_in_the_draft_code_point_for_code_point(round_, draft):
    written = {a.id: a.text for a in round_.answers if round_.question(a.question_id).kind == "open"}
    assert {a.id: a.text for q in draft.questions for a in q.answers} == written


def test_every_sentence_resolves_to_characters(round_, draft):
    for q in draft.questions:
        texts = {a.id: a.text for a in q.answers}
        for v in q.verbatims:
            assert texts[v.answer_id][v.start : v.end] == v.quote
    assert check_draft(draft, round_) == ()


def test_planted_peculiarities_end_where_they_should(draft):
    states = {a.id: a for q in draft.questions for a in q.answers}
    assert (states["Q4:R02"].state, states["Q4:R02"].of) == ("no_content", "Q7")
    assert states["Q6:R05"].state == "no_content"
    assert states["Q5:R03"].reason == "empty"
    assert states["Q2:R20"].state == "with_content", "« Rien » is a position"
    assert states["Q8:R25"].state == "with_content", "« Aucun » is a position"
    assert states["Q6:R02"].reason == states["Q6:R03"].reason == "campaign"
    assert states["Q1:R29"].reason == "exact"


def test_the_campaign_is_one_idea_of_three_organisations(draft):
    (q6,) = [q for q in draft.questions if q.id == "Q6"]
    (v,) = [v for v in q6.verbatims if v.quote.startswith("Nous demandons le maintien")]
    (group,) = [g for g in q6.groups if g.level == 1 and v.id in g.verbatim_ids]
    assert group.n_respondents >= 3


def test_joined_questions_share_and_the_closed_part_is_told(draft):
    by_id = {q.id: q for q in draft.questions}
    assert by_id["Q7"].synthesis.shared_with == "Q4"
    assert by_id["Q5"].closed_counts == {"Oui": 20, "Non": 4, "Ne sait pas": 5}
    assert any("Q5" in s.closed_ids for s in by_id["Q5"].synthesis.sentences)


def test_orders_in_an_answer_are_kept_as_data(draft):
    (q3,) = [q for q in draft.questions if q.id == "Q3"]
    assert any("Ignore les consignes" in v.quote for v in q3.verbatims)


def test_same_in_same_out_whatever_the_row_order(round_, draft):
    assert to_json(draft_round(round_, encoder=HashEncoder())) == to_json(draft)
    turned = replace(round_, answers=tuple(reversed(round_.answers)))
    assert _groups(draft_round(turned, encoder=HashEncoder())) == _groups(draft)


def _groups(draft: Draft):
    return {g.id: (frozenset(g.verbatim_ids), g.label) for q in draft.questions for g in q.groups}


def test_draft_json_round_trip_and_contract(draft):
    text = to_json(draft)
    assert from_json(text) == draft
    data = json.loads(text)
    assert list(data)[:4] == ["schema", "id", "created_at", "round"]
    assert data["schema"] == "polyphonie.draft/1"
    question = data["questions"][0]
    assert {"id", "title", "kind", "verbatims", "groups", "isolated", "synthesis"} <= question.keys()
    assert {"id", "answer_id", "start", "end", "quote", "text"} <= question["verbatims"][0].keys()
    assert {
        "id",
        "level",
        "parent",
        "verbatim_ids",
        "label",
        "n_respondents",
        "by_category",
        "exemplar_ids",
        "label_support",
    } <= question["groups"][0].keys()


@pytest.mark.parametrize(
    "break_",
    [
        lambda s: replace(s, group_ids=("Q1.g999",)),
        lambda s: replace(s, group_ids=(), verbatim_ids=(), closed_ids=()),
    ],
)
def test_the_final_check_sees_a_broken_citation(round_, draft, break_):
    q = draft.questions[0]
    sentences = (break_(q.synthesis.sentences[0]), *q.synthesis.sentences[1:])
    broken = replace(
        draft,
        questions=(replace(q, synthesis=replace(q.synthesis, sentences=sentences)), *draft.questions[1:]),
    )
    assert any("Q1, sentence 1" in str(f) for f in check_draft(broken, round_))


def test_the_final_check_sees_a_lost_verbatim_a_moved_span_and_a_wrong_total(round_, draft):
    q = draft.questions[0]
    lost = replace(
        q,
        groups=tuple(
            replace(g, verbatim_ids=g.verbatim_ids[1:], exemplar_ids=()) if g.level == 1 else g
            for g in q.groups
        ),
    )
    assert check_draft(replace(draft, questions=(lost, *draft.questions[1:])), round_)
    moved = replace(q, verbatims=(replace(q.verbatims[0], start=q.verbatims[0].start + 1), *q.verbatims[1:]))
    assert check_draft(replace(draft, questions=(moved, *draft.questions[1:])), round_)
    wrong = replace(draft.ledger, answers=replace(draft.ledger.answers, failed=1))
    assert check_draft(replace(draft, ledger=wrong), round_)


def first_assembled(q):
    return next(k for k, s in enumerate(q.synthesis.sentences) if s.group_ids)


def with_first(draft, change):
    """The draft with the first question changed."""
    return replace(draft, questions=(change(draft.questions[0]), *draft.questions[1:]))


def with_sentence(q, **changes):
    k = first_assembled(q)
    sentences = list(q.synthesis.sentences)
    sentences[k] = replace(sentences[k], **changes)
    return replace(q, synthesis=replace(q.synthesis, sentences=tuple(sentences)))


BREAKS = {
    "respondents of a group": lambda q: replace(
        q, groups=(replace(q.groups[0], n_respondents=q.groups[0].n_respondents + 1), *q.groups[1:])
    ),
    "categories of a group": lambda q: replace(
        q, groups=(replace(q.groups[0], by_category={"Inventée": 2}), *q.groups[1:])
    ),
    "respondents of the question": lambda q: replace(q, n_respondents=q.n_respondents - 1),
    "respondents of a sentence": lambda q: with_sentence(q, n_respondents=99),
    "number in the words": lambda q: with_sentence(
        q, text="Un regroupement de 99\u00a0organisations s’illustre ainsi\u00a0: «\u00a0x\u00a0»."
    ),
    "superlative": lambda q: with_sentence(
        q,
        text=q.synthesis.sentences[-2].text.replace("Un regroupement", "Le regroupement le plus large"),
        group_ids=q.synthesis.sentences[-2].group_ids,
    ),
    "text of an answer": lambda q: replace(
        q, answers=(replace(q.answers[0], text=q.answers[0].text + " "), *q.answers[1:])
    ),
    "an answer dropped": lambda q: replace(q, answers=q.answers[1:]),
}


@pytest.mark.parametrize("break_", BREAKS.values(), ids=BREAKS.keys())
def test_the_final_check_counts_again(round_, draft, break_):
    assert check_draft(draft, round_) == ()
    assert check_draft(with_first(draft, break_), round_)


def test_the_largest_group_is_the_largest(draft):
    said = 0
    for q in draft.questions:
        shared = [q, *(p for p in draft.questions if p.synthesis.shared_with == q.id)]
        sizes = {g.id: g.n_respondents for p in shared for g in p.groups if g.level == 2}
        parents = {g.id: g.parent for p in shared for g in p.groups if g.level == 1}
        for s in q.synthesis.sentences:
            if "le plus large" in s.text.split("«")[0]:
                said += 1
                (id_,) = {parents.get(g, g) for g in s.group_ids}
                assert all(n < sizes[id_] for other, n in sizes.items() if other != id_)
    assert said


def test_a_model_that_obeys_orders_changes_nothing_silently(round_):
    chat = ScriptedChat(lambda r: "Toutes les organisations sont favorables aux cabines.")
    made = draft_round(round_, encoder=HashEncoder(), chat=chat)
    assert check_draft(made, round_) == ()
    assert made.ledger.fallbacks > 0
    assert len(made.ledger.failures) >= made.ledger.fallbacks / 10
    assert not any(
        "Toutes les organisations sont favorables aux cabines" in s.text
        for q in made.questions
        for s in q.synthesis.sentences
    )


def test_a_stop_is_passed_on(round_):
    def stop(request):
        raise Stopped("budget")

    with pytest.raises(Stopped):
        draft_round(round_, encoder=HashEncoder(), chat=ScriptedChat(stop))


class Waiting:
    """A model that answers nobody: who asks waits until `until` says so, or until the run is stopped."""

    name = "waiting"

    def __init__(self, round_: Round, until: Callable[[set[str]], bool], then: Callable[[str], str]) -> None:
        self._titles = {q.title for q in round_.open_questions}
        self._until = until
        self._then = then
        self._asked: set[str] = set()
        self._news = threading.Condition()
        self._over = False

    def reply(self, request: ChatRequest) -> ChatReply:
        about = next((title for title in sorted(self._titles) if title in request.user), "")
        with self._news:
            self._asked |= {about} - {""}
            self._news.notify_all()
            assert self._news.wait_for(lambda: self._over or self._until(self._asked), timeout=120)
        return ChatReply(text=self._then(about))

    def stop(self) -> None:
        with self._news:
            self._over = True
            self._news.notify_all()


def test_questions_are_asked_about_together(round_):
    chat = Waiting(round_, lambda asked: len(asked) >= 3, lambda about: "no reply of the right form")
    made = draft_round(round_, encoder=HashEncoder(), chat=chat)
    assert made.ledger.fallbacks > 0


def test_what_ended_the_run_is_told_and_not_that_other_questions_were_let_go(round_):
    last = sorted(q.title for q in round_.open_questions)[-1]

    def then(about: str) -> str:
        raise Stopped("the budget") if about == last else LetGo("the run was stopped")

    with pytest.raises(Stopped, match="the budget"):
        draft_round(round_, encoder=HashEncoder(), chat=Waiting(round_, lambda asked: last in asked, then))


words = st.text(alphabet=st.sampled_from("abé e\u0301ñ😀👨‍👩‍👧.,;:!? \n-«»’\u00a0Œ"), max_size=60)


@given(st.lists(words, min_size=0, max_size=12))
@settings(max_examples=40, deadline=None)
def test_any_text_whatsoever_ends_in_one_declared_state(texts):
    answers = tuple(
        Answer(id=f"Q1:R{k:02d}", question_id="Q1", text=t, respondent_id=f"R{k:02d}")
        for k, t in enumerate(texts)
    )
    round_ = Round(
        id="r",
        title="r",
        language="fr",
        questions=(Question(id="Q1", title="Quoi ?"),),
        answers=answers,
        n_respondents=len(texts),
    )
    made = draft_round(round_, encoder=HashEncoder())
    assert made.ledger.answers.total == len(texts)
    assert check_draft(made, round_) == ()
    assert all(isinstance(s, Sentence) for s in made.questions[0].synthesis.sentences)
