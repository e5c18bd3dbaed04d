"""Two drafts compared: what changed, what sizes can't tell, and what only looks like a change."""

import json
from dataclasses import replace

import pytest

from embeddings.encoder import HashEncoder
from service.cli.review import read_draft
from service.domain.draft import (
    AnswerCounts,
    Draft,
    DraftAnswer,
    DraftQuestion,
    DraftRound,
    Group,
    Ledger,
    Provenance,
    Section,
    Sentence,
    SentenceRef,
    Synthesis,
    Theme,
    ThemeSentence,
    Verbatim,
    VerbatimCounts,
)
from service.errors import BadInput, BadSetting
from service.exports import from_json
from service.exports.comparison import comparison_as
from service.exports.draft_json import to_json
from service.stages.compare import assigned, compare, likeness, share_change
from tests.drafts import small_draft

BUS, PRICE, SHELTER, POOL = (
    "Plus de bus le soir.",
    "Des tickets moins chers.",
    "Repeindre les abris verts.",
    "Ouvrir une piscine municipale.",
)


def question(sizes, *, who, of, id_="Q1", title="Que faut-il changer ?"):
    """sizes: label → respondents who say it in its words. who: begins their ids, so that two rounds share no answer."""
    groups, verbatims, answers = [], [], []
    for k, (label, n) in enumerate(sizes.items(), start=1):
        mine = []
        for j in range(n):
            answer = f"{id_}:{who}{k}-{j}"
            text = f"{label} {j}"
            answers.append(
                DraftAnswer(id=answer, respondent_id=f"{who}{k}-{j}", text=text, state="with_content")
            )
            mine.append(
                Verbatim(id=f"{answer}.1", answer_id=answer, start=0, end=len(text), quote=text, text=text)
            )
        verbatims += mine
        ids = tuple(v.id for v in mine)
        groups.append(Group(id=f"{id_}.g{k}", level=1, verbatim_ids=ids, label=label, n_respondents=n))
    first = Sentence(text=f"On dit : {next(iter(sizes))}", group_ids=(f"{id_}.g1",))
    return DraftQuestion(
        id=id_,
        title=title,
        answers=tuple(answers),
        verbatims=tuple(verbatims),
        groups=tuple(groups),
        n_respondents=of,
        synthesis=Synthesis(sentences=(first,), paragraphs=((0,),)),
    )


def draft(*questions, language="fr", llm="openai:able", id_="d"):
    theme = ThemeSentence(
        text="Les bus d’abord.", refs=(SentenceRef(question_id=questions[0].id, sentence=0),)
    )
    return Draft(
        id=id_,
        created_at="2026-03-01T08:00:00+00:00",
        round=DraftRound(
            id="r",
            title="Bus",
            language=language,
            unit="respondent",
            n_respondents=questions[0].n_respondents,
        ),
        provenance=Provenance(code="0", encoder="hash@1", llm=llm),
        ledger=Ledger(
            answers=AnswerCounts(total=0, with_content=0, no_content=0, duplicate=0, failed=0),
            verbatims=VerbatimCounts(total=0, grouped=0, isolated=0, failed=0),
        ),
        questions=questions,
        themes=(Theme(title="Transports", sections=(Section(heading=None, sentences=(theme,)),)),),
    )


def compared(before, after):
    return compare(before, after, HashEncoder().encode, "hash@1")


def told(comparison, k=0):
    """Label → change."""
    return {(m.after or m.before).text: m.change for m in comparison.questions[k].moves}


OLD = draft(question({BUS: 40, PRICE: 30, SHELTER: 30, "Rouler à l’heure.": 20}, who="a", of=100))
NEW = draft(question({BUS: 75, PRICE: 8, POOL: 30, "Rouler à l’heure.": 22}, who="b", of=100))


def test_groups_appear_grow_shrink_vanish_or_stay():
    assert told(compared(OLD, NEW)) == {
        POOL: "new",
        BUS: "grown",
        PRICE: "shrunk",
        SHELTER: "gone",
        "Rouler à l’heure.": "steady",
    }


def test_the_other_way_round_is_the_mirror():
    mirror = {"new": "gone", "gone": "new", "grown": "shrunk", "shrunk": "grown", "steady": "steady"}
    there, back = compared(OLD, NEW), compared(NEW, OLD)
    assert told(back) == {text: mirror[change] for text, change in told(there).items()}
    ends = {(m.after or m.before).text: (m.low, m.high) for m in there.questions[0].moves}
    for move in back.questions[0].moves:
        low, high = ends[(move.after or move.before).text]
        assert (move.low, move.high) == pytest.approx((-high, -low), abs=2e-4)


def test_shares_count_and_not_sizes():
    twice = draft(question({BUS: 80, PRICE: 60, SHELTER: 60, "Rouler à l’heure.": 40}, who="b", of=200))
    assert set(told(compared(OLD, twice)).values()) == {"steady"}


def test_few_respondents_prove_nothing():
    few = draft(question({BUS: 3, PRICE: 4, SHELTER: 2}, who="a", of=27))
    more = draft(question({BUS: 6, PRICE: 4}, who="b", of=29))
    found = compared(few, more)
    assert told(found) == {BUS: "steady", PRICE: "steady", SHELTER: "gone"}
    (gone,) = [m for m in found.questions[0].moves if m.change == "gone"]
    assert not gone.clear
    assert "peut être dû au hasard" in comparison_as(found, "txt")


def test_the_interval_is_newcombes():
    assert share_change(48, 80, 56, 70, same=False) == pytest.approx((0.0524, 0.3339), abs=1e-4)
    assert share_change(0, 10, 0, 0, same=False) == (-1.0, 1.0)


def test_a_round_drafted_twice_is_compared_by_its_verbatims():
    q = OLD.questions[0]
    a, b, *rest = q.groups
    merged = replace(
        a, label="Tout autre chose.", verbatim_ids=a.verbatim_ids + b.verbatim_ids, n_respondents=70
    )
    again = replace(OLD, questions=(replace(q, groups=(merged, *rest)),))
    found = compared(OLD, again)
    assert found.same_round
    move = next(m for m in found.questions[0].moves if m.after and m.after.text == "Tout autre chose.")
    assert (move.before.text, move.shared, move.change) == (BUS, 40, "grown")
    assert (move.low, move.high) == (pytest.approx(0.3), pytest.approx(0.3))
    (lost,) = [m for m in found.questions[0].moves if m.change == "gone"]
    assert (lost.before.text, lost.after) == (PRICE, None)
    assert {m.change for m in compared(OLD, OLD).questions[0].moves} == {"steady"}


def test_another_cut_of_the_same_answers_is_shared_still():
    q = OLD.questions[0]
    shorter = replace(q, verbatims=tuple(replace(v, end=v.end - 3, quote=v.quote[:-3]) for v in q.verbatims))
    moves = compared(OLD, replace(OLD, questions=(shorter,))).questions[0].moves
    assert [m.shared for m in moves] == [m.before.n for m in moves]


def test_every_group_of_both_sides_is_in_exactly_one_move():
    for one, other in ((OLD, NEW), (OLD, OLD), (NEW, OLD)):
        moves = compared(one, other).questions[0].moves
        for side, made in (("before", one), ("after", other)):
            ids = [getattr(m, side).id for m in moves if getattr(m, side)]
            assert sorted(ids) == sorted(g.id for g in made.questions[0].groups)


def test_questions_are_matched_by_what_they_ask_and_others_are_told():
    tea = question({"Du thé vert.": 3}, who="a", of=9, id_="Q1", title="Que boire le matin ?")
    bus = question({BUS: 3}, who="a", of=9, id_="Q2")
    moved = question({BUS: 5}, who="b", of=9, id_="Q1")
    found = compared(draft(tea, bus), draft(moved))
    assert [(q.before_id, q.after_id) for q in found.questions] == [("Q2", "Q1")]
    assert (found.only_before, found.only_after) == (("Q1. Que boire le matin ?",), ())
    assert "Q1. Que boire le matin" in comparison_as(found, "txt")


def test_drafts_without_a_common_question_have_nothing_that_grows_or_shrinks():
    tea = draft(question({"Du thé vert.": 3}, who="b", of=9, id_="Q1", title="Que boire le matin ?"))
    found = compared(OLD, tea)
    assert (found.themes, found.questions) == ((), ())
    said = comparison_as(found, "txt")
    assert "Rien à comparer." in said
    assert "Thèmes" not in said


def test_a_file_that_is_no_draft_is_told_with_the_command_that_makes_one(tmp_path):
    path = tmp_path / "answers.xlsx"
    for content in (b"PK\x03\x04\xff\xfe", b"id;Q1\n1;Tout\n"):
        path.write_bytes(content)
        with pytest.raises(BadInput, match=r"answers\.xlsx is no draft\.json: run `polyphonie draft` first"):
            read_draft(path)
    with pytest.raises(BadInput, match=r"nowhere\.json can't be read: No such file"):
        read_draft(tmp_path / "nowhere.json")


@pytest.mark.parametrize(
    "break_it",
    [
        lambda q: q["groups"][0].update(verbatim_ids=["none"]),
        lambda q: q["groups"][0].update(parent="none"),
        lambda q: q["verbatims"][0].update(end=10**9, quote="no"),
        lambda q: q["verbatims"][0].update(answer_id="none"),
        lambda q: q.update(isolated=["none"]),
        lambda q: q["synthesis"]["sentences"][0].update(group_ids=["none"]),
        lambda q: q["synthesis"].update(paragraphs=[[99]]),
        lambda q: q.update(id="Q9"),
    ],
)
def test_a_draft_that_does_not_hold_together_is_told_before_anything_is_made_of_it(tmp_path, break_it):
    path = tmp_path / "draft.json"
    path.write_text(to_json(small_draft()[0]), encoding="utf-8")
    read_draft(path)
    told = json.loads(path.read_text(encoding="utf-8"))
    break_it(told["questions"][0])
    path.write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(BadInput, match=r"draft\.json does not hold together: "):
        read_draft(path)


def test_themes_count_the_respondents_behind_them_once():
    (theme,) = compared(OLD, NEW).themes
    assert (theme.before.n, theme.before.of, theme.after.n, theme.after.of) == (40, 120, 75, 135)
    assert theme.change == "grown"


def test_labels_that_are_peoples_own_words_do_not_count_twice():
    one, other = (replace(d, provenance=replace(d.provenance, llm="extractive")) for d in (OLD, NEW))
    assert "moins de la moitié des regroupements" in comparison_as(compared(one, other), "txt")
    assert "moins de la moitié" not in comparison_as(compared(OLD, NEW), "txt")


def test_pairs_are_one_to_one_and_the_best_in_all():
    import numpy as np

    worth = np.array([[0.9, 0.8], [0.85, 0.1]])
    assert assigned(worth, worth > 0.3) == [(0, 1), (1, 0)]
    assert assigned(worth, worth > 0.86) == [(0, 0)]
    assert likeness([], [], HashEncoder().encode, labels=True).shape == (0, 0)


def test_two_languages_are_refused():
    with pytest.raises(BadInput, match="older draft is in fr, the newer one in en"):
        compared(OLD, replace(NEW, round=replace(NEW.round, language="en")))


def test_the_text_is_french_or_english_and_no_label_becomes_markup():
    hostile = "<script>alert(1)</script> [x](http://x) *y*"
    odd = draft(question({hostile: 9}, who="c", of=10))
    text = comparison_as(compared(OLD, odd), "md")
    assert "<script>" not in text.replace("\\<script\\>", "")
    assert "\\[x\\]" in text
    assert "## Q1. Que faut-il changer\u00a0?" in comparison_as(compared(OLD, NEW), "md")
    english = [replace(d, round=replace(d.round, language="en")) for d in (OLD, NEW)]
    said = comparison_as(compared(*english), "txt")
    assert "40 of 100 (40%) → 75 of 100 (75%), +35 points (+21 to +47)" in said
    assert not {"Apparaît", "hausse", "\u00a0:"} & set(said.split())
    data = json.loads(comparison_as(compared(OLD, NEW), "json"))
    assert data["schema"] == "polyphonie.comparison/1"
    with pytest.raises(BadSetting, match="json, md, txt"):
        comparison_as(compared(OLD, NEW), "pdf")


def test_a_draft_of_another_schema_is_told_by_its_schema():
    with pytest.raises(BadInput, match=r"schema polyphonie\.draft/9 is not polyphonie\.draft/1"):
        from_json('{"schema": "polyphonie.draft/9"}')
    with pytest.raises(BadInput, match="this is no draft"):
        from_json("[1]")
