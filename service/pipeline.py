"""The main job: a round in, a draft out. Each stage is a pure function; this module hands records from one to the next
and keeps the ledger. What it needs from outside comes in as arguments."""

import hashlib
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import astuple, dataclass, replace
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Encoder
from embeddings.graph import Watch
from embeddings.grouping import unwatched
from service import __version__
from service.domain.draft import (
    AnswerCounts,
    Draft,
    DraftAnswer,
    DraftQuestion,
    DraftRound,
    Failure,
    Ledger,
    Provenance,
    Synthesis,
    VerbatimCounts,
)
from service.domain.round import Answer, Question, Round
from service.domain.steps import Content, GivenTheme, Grouped, Segmented, Settled, Synthesised, Topic
from service.errors import LetGo, StopAll, UnsoundDraft
from service.llm.chat import ChatModel, stop
from service.llm.masking.masked import masked_counts
from service.stages.content import find_content
from service.stages.final_check import check_draft
from service.stages.group import group_verbatims
from service.stages.segment import segment
from service.stages.settle import settle
from service.stages.suspects import SetAside, set_aside
from service.stages.synthesise import synthesise
from service.stages.themes import find_themes

Made = TypeVar("Made")

QUESTIONS_AT_ONCE = 8
"""Questions whose replies are waited for together; each may have 64 requests in hand (`service.llm.ask`)."""


class Progress(Protocol):
    def __call__(self, stage: str, done: int, total: int) -> None:
        """Told before the first and after each question of a stage, and again while a long one is grouped. May raise to stop."""
        ...


def _again(progress: Progress, stage: str, done: int, total: int) -> Watch:
    """Tells the same progress as each step of a long question begins: whoever cancels is heard before it ends."""
    return lambda _: progress(stage, done, total)


def silent(stage: str, done: int, total: int) -> None:
    """The progress of a run that nobody watches."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Worked:
    """One open question after grouping."""

    question: Question
    answers: tuple[Answer, ...]
    content: Content
    segmented: Segmented
    grouped: Grouped
    topic: Topic
    aside: SetAside
    """What looks like an order: in no group, and unknown to the topic."""


def group_question(
    round_: Round,
    question: Question,
    *,
    encoder: Encoder,
    chat: ChatModel | None = None,
    whole_answers: bool = False,
    watch: Watch = unwatched,
) -> Worked:
    """Content, cutting and grouping of one open question; watch: see `group_verbatims`."""
    answers = round_.answers_to(question.id)
    content = find_content(answers, round_.open_questions)
    segmented = segment(content.kept, round_.language, chat=chat, whole=whole_answers)
    voices = _voices(answers, content, segmented)
    categories = {a.voice: a.category for a in answers if a.category is not None}
    aside = set_aside(answers, segmented.verbatims)
    grouped = group_verbatims(
        question, aside.kept, encoder=encoder, voices=voices, categories=categories, watch=watch
    )
    duplicates = {d.answer_id for d in content.duplicates}
    spoke = {v.answer_id for v in segmented.verbatims} | duplicates
    topic = Topic(
        question=question,
        language=round_.language,
        unit=round_.unit,
        verbatims=aside.kept,
        groups=grouped.groups,
        isolated=grouped.isolated,
        voices=voices,
        categories=categories,
        n_respondents=len({a.voice for a in answers if a.id in spoke}),
        closed=_closed_part(round_, question),
    )
    return Worked(
        question=question,
        answers=answers,
        content=content,
        segmented=segmented,
        grouped=grouped,
        topic=topic,
        aside=aside,
    )


def draft_round(
    round_: Round,
    *,
    encoder: Encoder,
    chat: ChatModel | None = None,
    given_themes: tuple[GivenTheme, ...] = (),
    revision: bool = True,
    parameters: Mapping[str, str | int | float | bool | None] | None = None,
    progress: Progress = silent,
) -> Draft:
    """Draft a whole round. revision: let a chat model correct the groups.

    `created_at`, tokens, cost and seconds are left for the caller, who has the clock.

    Raises UnsoundDraft when the final check finds something, and Stopped when the chat model can't go on; replies and
    vectors already paid for are in their caches.
    """
    questions = round_.open_questions
    failures: list[Failure] = []

    works: list[Worked] = []
    progress("group", 0, len(questions))
    for done, question in enumerate(questions, start=1):
        again = _again(progress, "group", done - 1, len(questions))
        work = group_question(round_, question, encoder=encoder, chat=chat, watch=again)
        failures += [*work.content.failures, *work.segmented.failures, *work.grouped.failures]
        works.append(work)
        progress("group", done, len(questions))

    encode = _one_at_a_time(encoder)
    all_settled = _each(
        lambda work: settle(work.topic, encode=encode, chat=chat, revision=revision),
        works,
        chat=chat,
        told=lambda done: progress("label", done, len(works)),
    )
    topics = {work.question.id: settled for work, settled in zip(works, all_settled, strict=True)}

    def synthesised(work: Worked) -> Synthesised:
        partners = tuple(
            topics[q].topic for q in (work.question.id, *work.question.joined_with) if q in topics
        )
        leader = min(partners, key=lambda topic: _position(round_, topic.question.id)).question.id
        if leader == work.question.id:
            return synthesise(partners, encode=encode, chat=chat)
        return Synthesised(synthesis=Synthesis(shared_with=leader))

    all_made = _each(
        synthesised, works, chat=chat, told=lambda done: progress("synthesise", done, len(works))
    )
    failures += [f for settled in all_settled for f in settled.failures]
    failures += [f for made in all_made for f in made.failures]
    fallbacks = sum(s.fallbacks for s in all_settled) + sum(m.fallbacks for m in all_made)
    drafted = {
        work.question.id: _draft_question(work, settled, made)
        for work, settled, made in zip(works, all_settled, all_made, strict=True)
    }

    progress("themes", 0, 1)
    themed = find_themes(
        tuple(drafted.values()),
        language=round_.language,
        given=given_themes,
        encode=encoder.encode,
        chat=chat,
    )
    failures += themed.failures
    fallbacks += themed.fallbacks
    progress("themes", 1, 1)

    all_questions = tuple(
        drafted[q.id] if q.id in drafted else _closed_question(q)
        for q in round_.questions
        if q.id in drafted or q.closed_part_of is None
    )
    draft = Draft(
        id=_draft_id(round_, encoder, chat, given_themes, parameters or {}),
        created_at="",
        round=DraftRound(
            id=round_.id,
            title=round_.title,
            language=round_.language,
            unit=round_.unit,
            note=round_.note,
            n_respondents=round_.n_respondents,
            panel=round_.panel,
        ),
        provenance=Provenance(
            code=__version__,
            encoder=f"{encoder.name}@{encoder.revision}",
            llm=chat.name if chat else "extractive",
            parameters=dict(parameters or {}),
        ),
        ledger=replace(
            _ledger(round_, works, all_questions, fallbacks, failures, chat),
            moved=sum(s.moved for s in topics.values()),
        ),
        questions=all_questions,
        themes=themed.themes,
    )
    draft = replace(draft, ledger=replace(draft.ledger, unsupported=_count_unsupported(draft)))
    findings = check_draft(draft, round_)
    if findings:  # a defect of ours, never of the input: better no draft than one that doesn't hold
        raise UnsoundDraft("; ".join(map(str, findings[:5])))
    return draft


def _each(
    work: Callable[[Worked], Made],
    works: Sequence[Worked],
    *,
    chat: ChatModel | None,
    told: Callable[[int], None],
) -> list[Made]:
    """What each question gives, in order; told: how many are done, from 0.

    Where a model is asked, several questions are worked on at once: a question asks for a few replies after a few others, and
    alone it would leave most of what reaches the model together unused.
    """
    told(0)
    made: list[Made] = []
    if chat is None:
        for one in works:
            made.append(work(one))
            told(len(made))
        return made
    with ThreadPoolExecutor(max_workers=QUESTIONS_AT_ONCE) as pool:
        under_way = [pool.submit(work, one) for one in works]
        try:
            for future in under_way:
                made.append(future.result())
                told(len(made))
        except BaseException as error:
            stop(chat)  # the other questions end without a further call
            pool.shutdown(cancel_futures=True)
            raise _cause(error, under_way) from None
    return made


def _cause(error: BaseException, under_way: Sequence[Future[Made]]) -> BaseException:
    """Why a question ended: where it was let go because another one failed, what that one says."""
    if not isinstance(error, LetGo):
        return error
    found = (future.exception() for future in under_way if not future.cancelled())
    return next((e for e in found if e is not None and not isinstance(e, LetGo)), StopAll(str(error)))


def _one_at_a_time(encoder: Encoder) -> Callable[[Sequence[str]], NDArray[np.float32]]:
    """An encoder uses all cores by itself, and need not bear two threads."""
    lock = threading.Lock()

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        with lock:
            return encoder.encode(texts)

    return encode


def _voices(answers: Sequence[Answer], content: Content, segmented: Segmented) -> dict[str, tuple[str, ...]]:
    voice = {a.id: a.voice for a in answers}
    behind: dict[str, list[str]] = defaultdict(list)
    for duplicate in content.duplicates:
        behind[duplicate.of].append(voice[duplicate.answer_id])
    return {
        v.id: tuple(dict.fromkeys([voice[v.answer_id], *sorted(behind[v.answer_id])]))
        for v in segmented.verbatims
    }


def _closed_part(round_: Round, question: Question) -> Question | None:
    return next((q for q in round_.questions if q.closed_part_of == question.id), None)


def _position(round_: Round, question_id: str) -> int:
    return [q.id for q in round_.questions].index(question_id)


def _answer_states(work: Worked) -> tuple[DraftAnswer, ...]:
    no_content = {n.answer_id: n for n in work.content.no_content}
    duplicates = {d.answer_id: d for d in work.content.duplicates}
    failed = {f.id: f.reason for f in (*work.content.failures, *work.segmented.failures)}
    cut = {v.answer_id for v in work.segmented.verbatims}
    states = []
    for a in work.answers:
        base = DraftAnswer(
            id=a.id, respondent_id=a.respondent_id, category=a.category, text=a.text, state="with_content"
        )
        if a.id in no_content:
            found = no_content[a.id]
            base = replace(base, state="no_content", reason=found.reason, of=found.see)
        elif a.id in duplicates:
            twin = duplicates[a.id]
            base = replace(base, state="duplicate", reason=twin.kind, of=twin.of)
        elif a.id not in cut:
            base = replace(base, state="failed", reason=failed.get(a.id, "no verbatim was cut from it"))
        states.append(base)
    return tuple(states)


def _draft_question(work: Worked, settled: Settled, made: Synthesised) -> DraftQuestion:
    topic = settled.topic
    isolation = (*work.aside.isolated, *topic.isolated)
    return DraftQuestion(
        id=work.question.id,
        title=work.question.title,
        joined_with=work.question.joined_with,
        closed_counts=topic.closed.counts if topic.closed else None,
        closed_title=topic.closed.title if topic.closed else None,
        answers=_answer_states(work),
        verbatims=work.segmented.verbatims,
        groups=topic.groups,
        isolated=tuple(i.verbatim_id for i in isolation),
        isolation=isolation,
        unrevised=settled.unrevised,
        map=work.grouped.map,
        n_respondents=topic.n_respondents,
        synthesis=made.synthesis,
    )


def _closed_question(question: Question) -> DraftQuestion:
    return DraftQuestion(
        id=question.id,
        title=question.title,
        kind="closed",
        closed_counts=question.counts,
        n_respondents=sum(question.counts.values()),
    )


def _ledger(
    round_: Round,
    works: Sequence[Worked],
    questions: Sequence[DraftQuestion],
    fallbacks: int,
    failures: Sequence[Failure],
    chat: ChatModel | None,
) -> Ledger:
    states = [a.state for q in questions for a in q.answers]
    verbatims = [v.id for q in questions for v in q.verbatims]
    grouped = sum(len(g.verbatim_ids) for q in questions for g in q.groups if g.level == 1)
    isolated = sum(len(q.isolated) for q in questions)
    open_ids = {w.question.id for w in works}
    return Ledger(
        answers=AnswerCounts(
            total=sum(len(w.answers) for w in works),
            with_content=states.count("with_content"),
            no_content=states.count("no_content"),
            duplicate=states.count("duplicate"),
            failed=states.count("failed"),
        ),
        verbatims=VerbatimCounts(
            total=len(verbatims),
            grouped=grouped,
            isolated=isolated,
            failed=sum(len(w.grouped.failures) for w in works),
        ),
        closed_answers=sum(1 for a in round_.answers if a.question_id not in open_ids),
        fallbacks=fallbacks,
        failures=tuple(failures),
        suspects=tuple(s for w in works for s in w.aside.suspects),
        masked=masked_counts(chat),
    )


def _count_unsupported(draft: Draft) -> int:
    labels = [g.label_support for q in draft.questions for g in q.groups]
    sentences = [s.supported for q in draft.questions for s in q.synthesis.sentences]
    sentences += [s.supported for t in draft.themes for section in t.sections for s in section.sentences]
    return sum(1 for s in labels if s is not None and not s.supported) + sentences.count(False)


def _draft_id(
    round_: Round,
    encoder: Encoder,
    chat: ChatModel | None,
    given: tuple[GivenTheme, ...],
    parameters: Mapping[str, object],
) -> str:
    """12 hex digits over everything that decides the result."""
    digest = hashlib.sha256()
    configuration = (__version__, encoder.name, encoder.revision, chat.name if chat else "extractive")
    for part in (*configuration, *map(astuple, given), *sorted(parameters.items())):
        digest.update(repr(part).encode())
    for record in (*round_.questions, *round_.answers):
        # the row in the input is no part of what was said
        stable = replace(record, row=None) if isinstance(record, Answer) else record
        digest.update(repr(stable).encode())
    return digest.hexdigest()[:12]
