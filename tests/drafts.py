"""A small whole draft by hand, with joined questions, a duplicate, isolated voices and themes, for tests of what is done to drafts."""

from collections import Counter
from dataclasses import replace

from service.domain.draft import (
    AnswerCounts,
    Draft,
    DraftAnswer,
    DraftQuestion,
    DraftRound,
    Ledger,
    Provenance,
    Section,
    SentenceRef,
    Support,
    Synthesis,
    Theme,
    ThemeSentence,
    VerbatimCounts,
)
from service.domain.round import Answer, PanelRow, Question, Round
from service.domain.steps import Topic
from service.stages.assemble import assemble
from service.stages.voices import count_people
from tests.topics import BUSES, topic

LABELS = {
    "g1": "Plus de bus le soir.",
    "g2": "Pas de bus le dimanche.",
    "g3": "Des bus moins chers.",
    "g4": "Rien ne va.",
}


def small_draft(language="fr") -> tuple[Draft, Round]:
    """Q1 and Q2 share a synthesis (three and two groups, two isolated voices); Q3 stands alone. One answer of Q1 is a duplicate."""
    q1 = topic(
        {
            "g1": BUSES[:3],
            "g2": ["Pas de bus le dimanche", "Aucun bus le dimanche"],
            "g3": ["Trop cher", "Le bus est cher"],
        },
        isolated=("Repeindre les abris", "Un tram"),
        parents={"g1": "r1", "g2": "r1", "g3": "r2"},
        language=language,
    )
    q2 = topic({"g1": ["Des vélos", "Plus de vélos"], "g2": ["Des pistes"]}, id_="Q2", language=language)
    q3 = topic(
        {"g1": ["Oui", "Tout à fait", "Bien sûr"], "g2": ["Non"]},
        isolated=("Peut-être",),
        id_="Q3",
        language=language,
    )
    copy = "Q1:R90"
    first = q1.verbatims[0]
    q1 = _labelled(_with_voice(q1, first.id, "R90"))
    q2, q3 = _labelled(q2), _labelled(q3)
    joint = assemble((q1, q2))
    questions = (
        _question(q1, joint, joined=("Q2",), duplicate=(copy, first.answer_id, first.text)),
        _question(q2, Synthesis(shared_with="Q1"), joined=("Q1",)),
        _question(q3, assemble((q3,))),
    )
    draft = Draft(
        id="abc",
        created_at="2026-01-05T09:00:00Z",
        round=DraftRound(
            id="r",
            title="Transports",
            language=language,
            unit="organisation",
            n_respondents=10,
            panel=_panel(),
        ),
        provenance=Provenance(code="0", encoder="hash@0", llm="extractive"),
        ledger=_ledger(questions),
        questions=questions,
        themes=(
            Theme(
                title="Se déplacer",
                sections=(
                    Section(
                        heading=None,
                        sentences=(
                            ThemeSentence(
                                text="On veut des bus.", refs=(SentenceRef(question_id="Q1", sentence=0),)
                            ),
                            ThemeSentence(
                                text="On est d’accord.",
                                refs=(
                                    SentenceRef(question_id="Q3", sentence=0),
                                    SentenceRef(question_id="Q1", sentence=1),
                                ),
                            ),
                        ),
                    ),
                ),
            ),
        ),
    )
    return draft, _round(draft)


def _with_voice(t: Topic, verbatim_id: str, voice: str) -> Topic:
    voices = {**t.voices, verbatim_id: (*t.voices[verbatim_id], voice)}
    categories = {**t.categories, voice: "Patients"}
    groups = []
    for g in t.groups:
        n, by = count_people(g.verbatim_ids, voices, categories)
        groups.append(replace(g, n_respondents=n, by_category=by))
    return replace(
        t, voices=voices, categories=categories, groups=tuple(groups), n_respondents=t.n_respondents + 1
    )


def _labelled(t: Topic) -> Topic:
    support = Support(supported=True, score=0.9, origin="extractive")
    groups = tuple(
        replace(g, label=LABELS.get(g.id.split(".")[1], "Un ensemble."), label_support=support)
        for g in t.groups
    )
    ranked = sorted(
        groups, key=lambda g: (g.level, -g.n_respondents, -len(g.verbatim_ids), min(g.verbatim_ids))
    )
    return replace(t, groups=tuple(ranked))


def _question(t: Topic, synthesis: Synthesis, *, joined=(), duplicate=None) -> DraftQuestion:
    answers = [
        DraftAnswer(
            id=v.answer_id,
            respondent_id=t.voices[v.id][0],
            category=t.categories[t.voices[v.id][0]],
            text=v.quote,
            state="with_content",
        )
        for v in t.verbatims
    ]
    if duplicate:
        id_, of, text = duplicate
        answers.append(
            DraftAnswer(
                id=id_,
                respondent_id="R90",
                category="Patients",
                text=text,
                state="duplicate",
                reason="exact",
                of=of,
            )
        )
    answers.append(
        DraftAnswer(
            id=f"{t.question.id}:R99",
            respondent_id="R99",
            text="RAS",
            state="no_content",
            reason="nothing_said",
        )
    )
    return DraftQuestion(
        id=t.question.id,
        title=t.question.title,
        joined_with=joined,
        answers=tuple(answers),
        verbatims=t.verbatims,
        groups=t.groups,
        isolated=tuple(i.verbatim_id for i in t.isolated),
        isolation=t.isolated,
        n_respondents=t.n_respondents,
        synthesis=synthesis,
    )


def _panel() -> tuple[PanelRow, ...]:
    return (PanelRow(category="Élus", responded=5), PanelRow(category="Patients", responded=5, consulted=9))


def _ledger(questions: tuple[DraftQuestion, ...]) -> Ledger:
    states = Counter(a.state for q in questions for a in q.answers)
    alone = sum(len(q.isolated) for q in questions)
    total = sum(len(q.verbatims) for q in questions)
    return Ledger(
        answers=AnswerCounts(
            total=sum(states.values()),
            with_content=states["with_content"],
            no_content=states["no_content"],
            duplicate=states["duplicate"],
            failed=0,
        ),
        verbatims=VerbatimCounts(total=total, grouped=total - alone, isolated=alone, failed=0),
    )


def _round(draft: Draft) -> Round:
    return Round(
        id=draft.round.id,
        title=draft.round.title,
        language=draft.round.language,
        unit=draft.round.unit,
        questions=tuple(Question(id=q.id, title=q.title, joined_with=q.joined_with) for q in draft.questions),
        answers=tuple(
            Answer(id=a.id, question_id=q.id, text=a.text, respondent_id=a.respondent_id, category=a.category)
            for q in draft.questions
            for a in q.answers
        ),
        panel=draft.round.panel,
        n_respondents=draft.round.n_respondents,
    )
