"""Reviewing: whatever people do to a draft, it adds up, every citation exists, and it can be taken back."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.encoder import HashEncoder
from service.domain.draft import Section, SentenceRef, Theme, ThemeSentence
from service.domain.review import Reviewed, apply, check_seen, extend, revise, void, with_peoples
from service.domain.revision import (
    Approve,
    Confirm,
    Edit,
    GroupRef,
    MergeGroups,
    MoveGroups,
    MoveVerbatims,
    NewGroup,
    Redraft,
    RemoveSentence,
    SetLabel,
    SetSentence,
    SplitGroup,
    ThemeRef,
    Unapprove,
    Undo,
    Was,
)
from service.domain.wording import ONE_SYNTHESIS
from service.errors import BadEdit, Outdated
from service.redraft import redraft_question
from service.stages.final_check import check_draft
from tests.drafts import small_draft

DRAFT, ROUND = small_draft()
NOW = "2026-01-05T10:00:00Z"
FIRST = SentenceRef(question_id="Q1", sentence=0)
SECOND = SentenceRef(question_id="Q1", sentence=1)


def fresh() -> Reviewed:
    return apply(DRAFT, ())


def do(reviewed: Reviewed, *edits: Edit) -> Reviewed:
    for edit in edits:
        reviewed = revise(reviewed, edit, who="ana", at=NOW)
    return reviewed


def group(reviewed: Reviewed, id_: str):
    return next(g for q in reviewed.draft.questions for g in q.groups if g.id == id_)


def sentences(reviewed: Reviewed, question_id: str = "Q1"):
    return next(q for q in reviewed.draft.questions if q.id == question_id).synthesis.sentences


def reasons(reviewed: Reviewed, place) -> set[str]:
    return {m.reason for m in reviewed.state.marks.get(place, ())}


def holds(reviewed: Reviewed) -> None:
    """The final check of a run finds nothing, save numbers in assembled sentences, all of which are marked."""
    marked = {
        f"{p.question_id}, sentence {p.sentence + 1}"
        for p in reviewed.state.marks
        if isinstance(p, SentenceRef)
    }
    for finding in check_draft(reviewed.draft, ROUND):
        assert finding.what.startswith(("does not say", "the group is not the largest")), finding
        assert finding.where in marked, f"{finding} is not marked"


def test_the_small_draft_is_sound():
    assert check_draft(DRAFT, ROUND) == ()


CHOICE = st.tuples(st.integers(0, 13), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))


def edit_of(reviewed: Reviewed, choice: tuple[int, int, int, int]) -> Edit:
    """An edit of each kind over what the draft now has; it may still be refused."""
    kind, a, b, c = choice
    open_ = reviewed.draft.questions
    q = open_[a % len(open_)]
    firsts = [g for g in q.groups if g.level == 1] or [g for g in open_[0].groups if g.level == 1]
    g, h = firsts[b % len(firsts)], q.groups[c % len(q.groups)] if q.groups else firsts[0]
    leader = next(p for p in open_ if p.id == (q.synthesis.shared_with or q.id))
    at = SentenceRef(question_id=leader.id, sentence=b % len(leader.synthesis.sentences))
    verbatims = [v.id for v in q.verbatims]
    some = tuple(dict.fromkeys((verbatims[b % len(verbatims)], verbatims[c % len(verbatims)])))
    match kind:
        case 0:
            return SetLabel(group_id=h.id, text=f"Libellé {b}")
        case 1:
            return SetSentence(at=at, text=f"La plupart disent {c}.")
        case 2:
            return MoveVerbatims(verbatim_ids=some, to=g.id)
        case 3:
            return MoveVerbatims(verbatim_ids=some, to=None)
        case 4:
            return MergeGroups(group_ids=(h.id,), into=g.id)
        case 5:
            return MergeGroups(
                group_ids=tuple(x.id for x in q.groups if x.level == h.level), into=h.id, label="Tout."
            )
        case 6:
            return SplitGroup(group_id=g.id, verbatim_ids=g.verbatim_ids[: 1 + c % 2], label="À part.")
        case 7:
            return NewGroup(question_id=q.id, verbatim_ids=some, label="Nouveau.")
        case 8:
            return RemoveSentence(at=at)
        case 9:
            fresh_ = replace(leader.synthesis.sentences[0], text=f"Encore {b}.", origin="model")
            new = replace(leader.synthesis, sentences=(fresh_,), paragraphs=((0,),))
            return Redraft(
                question_id=leader.id, synthesis=with_peoples(leader.synthesis, new), llm="extractive"
            )
        case 10:
            return (Approve, Unapprove)[b % 2](question_id=(None, q.id)[c % 2])
        case 11:
            heads = [x.id for x in q.groups if x.level == 2] or [None]
            to = heads[c % len(heads)]
            several = tuple(x.id for x in firsts[: 1 + b % 3] if x in q.groups) or (g.id,)
            return MoveGroups(group_ids=several, to=to)
        case 12:
            return MoveGroups(group_ids=(g.id,), to=None, label="Ensemble.")
        case _:
            return Undo(revision=1 + c % max(1, reviewed.version)) if b % 2 else Undo()


@settings(max_examples=25, deadline=None)
@given(st.lists(CHOICE, max_size=9))
def test_any_edits_keep_the_draft_sound_and_each_can_be_undone(choices):
    reviewed = fresh()
    for choice in choices:
        edit = edit_of(reviewed, choice)
        try:
            after = do(reviewed, edit)
        except BadEdit:
            continue
        assert after.version == reviewed.version + 1
        assert do(after, Undo(revision=after.version)).state == reviewed.state
        assert extend(reviewed, after.revisions[-1:]) == after
        holds(after)
        reviewed = after
    assert apply(DRAFT, reviewed.revisions) == reviewed


def test_a_new_label_is_the_persons_and_marks_the_sentences_that_cite_it():
    after = do(fresh(), SetLabel(group_id="Q1.g1", text="  Des bus\nle soir. "))
    assert group(after, "Q1.g1").label == "Des bus le soir."
    assert group(after, "Q1.g1").label_support.origin == "person"
    citing = [k for k, s in enumerate(sentences(after)) if "Q1.g1" in s.group_ids]
    assert citing
    for k in citing:
        assert reasons(after, SentenceRef(question_id="Q1", sentence=k)) == {"label_changed"}
    assert reasons(after, ThemeRef(theme=0, section=0, sentence=0)) == {"support_changed"}
    assert after.revisions[0].before == (Was(id="Q1.g1", value="Plus de bus le soir."),)
    assert after.revisions[0].after == (Was(id="Q1.g1", value="Des bus le soir."),)
    assert after.state.touched[GroupRef(group_id="Q1.g1")].who == "ana"


def test_a_moved_verbatim_is_counted_where_it_went():
    moved = group(fresh(), "Q1.g2").verbatim_ids[0]
    after = do(fresh(), MoveVerbatims(verbatim_ids=(moved,), to="Q1.g1"))
    assert group(after, "Q1.g1").n_respondents == 5  # three, a duplicate's author, and the newcomer
    assert group(after, "Q1.g2").n_respondents == 1
    assert reasons(after, GroupRef(group_id="Q1.g1")) == {"members_changed"}
    holds(after)


def test_a_group_emptied_by_a_move_disappears_and_what_cited_it_cites_where_its_verbatims_went():
    ids = group(fresh(), "Q1.g3").verbatim_ids
    after = do(
        fresh(), MoveVerbatims(verbatim_ids=ids[:1], to="Q1.g1"), MoveVerbatims(verbatim_ids=ids[1:], to=None)
    )
    assert not {"Q1.g3", "Q1.r2"} & {g.id for g in after.draft.questions[0].groups}
    assert after.draft.ledger.verbatims.isolated == DRAFT.ledger.verbatims.isolated + 1
    citing = next(k for k, s in enumerate(DRAFT.questions[0].synthesis.sentences) if "Q1.g3" in s.group_ids)
    assert sentences(after)[citing].verbatim_ids == ids[1:]
    assert reasons(after, SentenceRef(question_id="Q1", sentence=citing)) == {
        "members_changed",
        "group_gone",
    } or reasons(after, SentenceRef(question_id="Q1", sentence=citing)) == {"group_gone"}
    holds(after)


def test_a_group_goes_under_another_level_2_group_and_both_and_what_cites_them_are_marked():
    citing_head = SetSentence(at=SECOND, text="Moins cher.", group_ids=("Q1.r2",))
    before = do(fresh(), citing_head)
    after = do(before, MoveGroups(group_ids=("Q1.g2",), to="Q1.r2"))
    assert group(after, "Q1.g2").parent == "Q1.r2"
    assert group(after, "Q1.g2").verbatim_ids == group(before, "Q1.g2").verbatim_ids
    assert set(group(after, "Q1.r2").verbatim_ids) == {
        v for id_ in ("Q1.g2", "Q1.g3") for v in group(before, id_).verbatim_ids
    }
    assert group(after, "Q1.r1").verbatim_ids == group(before, "Q1.g1").verbatim_ids
    assert group(after, "Q1.r2").n_respondents == 4
    for head in ("Q1.r1", "Q1.r2"):
        assert reasons(after, GroupRef(group_id=head)) == {"members_changed"}
    assert reasons(after, GroupRef(group_id="Q1.g2")) == set(), "its own verbatims are what they were"
    assert "members_changed" in reasons(after, SECOND)
    assert sentences(after)[1].n_respondents == 4
    revision = after.revisions[-1]
    assert revision.before == (Was(id="Q1.g2 under", value="Q1.r1"),)
    assert revision.after == (Was(id="Q1.g2 under", value="Q1.r2"),)
    assert do(after, Undo()).state == before.state
    holds(after)


def test_a_level_2_group_that_loses_its_last_group_is_no_more_and_what_cited_it_follows():
    cited = do(fresh(), SetSentence(at=SECOND, text="Moins cher.", group_ids=("Q1.r2",)))
    after = do(cited, MoveGroups(group_ids=("Q1.g3",), to="Q1.r1"))
    assert "Q1.r2" not in {g.id for g in after.draft.questions[0].groups}
    assert sentences(after)[1].group_ids == ("Q1.r1",)
    assert "group_gone" in reasons(after, SECOND)
    holds(after)


def test_groups_make_a_new_level_2_group_of_their_own():
    after = do(fresh(), MoveGroups(group_ids=("Q1.g2", "Q1.g3"), to=None, label="Le dimanche et les prix."))
    head = group(after, "Q1.p1")
    assert (head.level, head.label, head.label_support.origin) == (2, "Le dimanche et les prix.", "person")
    assert {g.id for g in after.draft.questions[0].groups if g.parent == "Q1.p1"} == {"Q1.g2", "Q1.g3"}
    assert reasons(after, GroupRef(group_id="Q1.p1")) == set()
    assert "Q1.r2" not in {g.id for g in after.draft.questions[0].groups}
    made = do(after, NewGroup(question_id="Q1", verbatim_ids=("Q1:R01.1",), label="Tôt.", parent="Q1.p1"))
    assert group(made, "Q1.n2").parent == "Q1.p1"
    holds(made)


def test_that_a_synthesis_stands_for_the_general_one_holds_whatever_it_says():
    said = ThemeSentence(text=ONE_SYNTHESIS["fr"][0], refs=(FIRST, SECOND))
    theme = Theme(title="Transports", sections=(Section(heading=None, sentences=(said,)),))
    after = do(apply(replace(DRAFT, themes=(theme,)), ()), SetLabel(group_id="Q1.g1", text="Des bus."))
    assert reasons(after, FIRST) == {"label_changed"}
    assert reasons(after, ThemeRef(theme=0, section=0, sentence=0)) == set()


def test_ids_of_groups_are_never_used_again_after_an_undo():
    cut = SplitGroup(group_id="Q1.g1", verbatim_ids=group(fresh(), "Q1.g1").verbatim_ids[:1], label="Tôt.")
    after = do(fresh(), cut, Undo(), cut)
    assert {g.id for g in after.draft.questions[0].groups} >= {"Q1.n3"}
    assert "Q1.n1" not in {g.id for g in after.draft.questions[0].groups}


def test_opposed_groups_under_one_label_are_marked_unless_the_label_is_new():
    q = DRAFT.questions[2]
    sided = tuple(replace(g, stance={"Q3.g1": "for", "Q3.g2": "against"}.get(g.id)) for g in q.groups)
    reviewed = apply(replace(DRAFT, questions=(*DRAFT.questions[:2], replace(q, groups=sided))), ())
    silent = do(reviewed, MergeGroups(group_ids=("Q3.g2",), into="Q3.g1"))
    assert "opposed" in reasons(silent, GroupRef(group_id="Q3.g1"))
    assert group(silent, "Q3.g1").stance == "mixed"
    said = do(reviewed, MergeGroups(group_ids=("Q3.g2",), into="Q3.g1", label="Les avis s’opposent."))
    assert reasons(said, GroupRef(group_id="Q3.g1")) == set()


def test_a_group_put_under_the_label_of_the_opposed_side_is_marked():
    q = DRAFT.questions[0]
    sides = {"Q1.g1": "for", "Q1.g2": "for", "Q1.r1": "for", "Q1.g3": "against", "Q1.r2": "against"}
    sided = tuple(replace(g, stance=sides[g.id]) for g in q.groups)
    reviewed = apply(replace(DRAFT, questions=(replace(q, groups=sided), *DRAFT.questions[1:])), ())
    after = do(reviewed, MoveGroups(group_ids=("Q1.g2",), to="Q1.r2"))
    assert reasons(after, GroupRef(group_id="Q1.r2")) == {"members_changed", "opposed"}
    assert group(after, "Q1.r2").stance == "mixed"


def test_a_word_of_quantity_that_the_count_does_not_carry_is_marked_in_a_persons_sentence():
    k = next(
        k for k, s in enumerate(sentences(fresh())) if s.group_ids == ("Q1.g3",) or "Q1.g3" in s.group_ids
    )
    at = SentenceRef(question_id="Q1", sentence=k)
    assert reasons(
        do(fresh(), SetSentence(at=at, text="La plupart des organisations veulent moins cher.")), at
    ) == {"quantity"}
    assert reasons(do(fresh(), SetSentence(at=at, text="Des organisations veulent moins cher.")), at) == set()


def test_an_edit_takes_the_approval_back_and_confirming_does_not():
    approved = do(fresh(), Approve())
    assert set(approved.state.approved) == {"Q1", "Q2", "Q3"}
    assert approved.state.whole is not None
    assert do(approved, Confirm(at=FIRST)).state.whole is not None
    edited = do(approved, SetLabel(group_id="Q2.g1", text="Des vélos."))
    assert set(edited.state.approved) == {"Q3"}, "joined questions are approved together"
    assert edited.state.whole is None


def test_confirming_takes_the_marks_off():
    after = do(fresh(), SetLabel(group_id="Q1.g1", text="Autre chose."))
    assert FIRST in after.to_look_at
    assert FIRST not in do(after, Confirm(at=FIRST)).to_look_at


def test_a_redraft_keeps_peoples_sentences_and_the_general_synthesis_follows():
    mine = do(fresh(), SetSentence(at=FIRST, text="Les bus du soir manquent."))
    old = mine.draft.questions[0].synthesis
    new = DRAFT.questions[0].synthesis
    after = do(mine, Redraft(question_id="Q1", synthesis=with_peoples(old, new), llm="extractive"))
    texts = [s.text for s in sentences(after)]
    assert texts.count("Les bus du soir manquent.") == 1
    assert new.sentences[0].text not in texts, "what the person's sentence stands for is not said twice"
    k = texts.index("Les bus du soir manquent.")
    assert after.state.touched[SentenceRef(question_id="Q1", sentence=k)].who == "ana"
    assert after.draft.themes[0].sections[0].sentences[0].refs == (SentenceRef(question_id="Q1", sentence=k),)
    holds(after)


def test_an_undo_can_be_undone_and_one_that_others_rest_on_is_refused():
    cut = SplitGroup(group_id="Q1.g1", verbatim_ids=group(fresh(), "Q1.g1").verbatim_ids[:1], label="Tôt.")
    after = do(fresh(), cut, SetLabel(group_id="Q1.n1", text="Très tôt."))
    with pytest.raises(BadEdit, match=r"revision 1 can't be undone.*revision 2"):
        do(after, Undo(revision=1))
    back = do(after, Undo(), Undo(revision=3))
    assert back.state == after.state
    assert void(back.revisions) == {3}
    with pytest.raises(BadEdit, match="undone already"):
        do(back, Undo(revision=3))


def test_two_people_on_the_same_label_the_second_is_told_and_edits_elsewhere_do_not_matter():
    seen = fresh()
    now = do(seen, SetLabel(group_id="Q1.g1", text="Le premier."))
    with pytest.raises(Outdated, match="last by ana"):
        check_seen(seen, now, SetLabel(group_id="Q1.g1", text="Le second."))
    check_seen(seen, now, SetLabel(group_id="Q3.g1", text="Ailleurs."))
    with pytest.raises(Outdated):
        check_seen(seen, now, Approve(question_id="Q2"))
    with pytest.raises(Outdated):
        check_seen(seen, now, SetSentence(at=FIRST, text="Sans avoir vu le libellé."))


BAD = [
    (SetLabel(group_id="Q9.g1", text="x"), "Q9.g1 does not exist"),
    (SetLabel(group_id="Q1.g1", text=" \u0000\n"), "label is empty"),
    (SetLabel(group_id="Q1.g1", text="x" * 5000), "4000 at most"),
    (SetSentence(at=SentenceRef(question_id="Q1", sentence=99), text="x"), "no sentence 100"),
    (SetSentence(at=SentenceRef(question_id="Q2", sentence=0), text="x"), "change that of Q1"),
    (SetSentence(at=FIRST, text="x", group_ids=("Q3.g1",)), "which its question does not have"),
    (SetSentence(at=FIRST, text="x", group_ids=()), "cites nothing"),
    (SetSentence(at=ThemeRef(theme=0, section=0, sentence=7), text="x"), "no sentence 8"),
    (MoveVerbatims(verbatim_ids=(), to=None), "no verbatim is named"),
    (MoveVerbatims(verbatim_ids=("Q1:R01.1",), to="Q3.g1"), "belongs to question Q3"),
    (MoveVerbatims(verbatim_ids=("Q1:R01.1", "Q3:R01.1"), to=None), "is not of question Q1"),
    (MoveVerbatims(verbatim_ids=("Q1:R01.1",), to="Q1.r1"), "holds groups"),
    (MoveVerbatims(verbatim_ids=("Q1:R01.1",), to="Q1.g1"), "there already"),
    (MoveGroups(group_ids=(), to="Q1.r1"), "no group is named"),
    (MoveGroups(group_ids=("Q1.g1",), to="Q1.r1"), "there already"),
    (MoveGroups(group_ids=("Q1.r1",), to="Q1.r2"), "merge it with another"),
    (MoveGroups(group_ids=("Q1.g3",), to="Q1.g1"), "name a level-2 group"),
    (MoveGroups(group_ids=("Q1.g1", "Q3.g1"), to="Q1.r2"), "belongs to question Q3"),
    (MoveGroups(group_ids=("Q3.g1",), to="Q1.r2"), "belongs to question Q1"),
    (MoveGroups(group_ids=("Q1.g1",), to=None), "new level-2 group is empty"),
    (NewGroup(question_id="Q1", verbatim_ids=("Q1:R01.1",), label="x", parent="Q1.g2"), "no level-2 group"),
    (MergeGroups(group_ids=("Q1.g1",), into="Q1.g1"), "two groups at least"),
    (MergeGroups(group_ids=("Q1.r1",), into="Q1.g1"), "other question or level|another question or level"),
    (
        SplitGroup(group_id="Q1.g1", verbatim_ids=("Q1:R01.1", "Q1:R02.1", "Q1:R03.1"), label="x"),
        "leaves some",
    ),
    (SplitGroup(group_id="Q1.g1", verbatim_ids=("Q1:R04.1",), label="x"), "not in group"),
    (NewGroup(question_id="Q2", verbatim_ids=("Q1:R01.1",), label="x"), "belongs to question Q1"),
    (Approve(question_id="Q9"), "question Q9 does not exist"),
    (Undo(), "no such change"),
]


@pytest.mark.parametrize(("edit", "told"), BAD, ids=lambda x: x if isinstance(x, str) else type(x).__name__)
def test_an_edit_that_does_not_fit_is_refused_with_what_is_wrong(edit, told):
    with pytest.raises(BadEdit, match=told):
        do(fresh(), edit)


def test_a_question_is_drafted_again_from_the_corrected_labels():
    after = do(
        fresh(),
        SetLabel(group_id="Q1.g1", text="Des bus tard le soir."),
        SetSentence(at=SECOND, text="Pas le dimanche."),
    )
    edit = redraft_question(after.draft, "Q2", encode=HashEncoder().encode, chat=None)
    assert edit.question_id == "Q1", "joined questions are drafted together"
    again = do(after, edit)
    texts = [s.text for s in sentences(again)]
    assert any("Des bus tard le soir" in t for t in texts)
    assert not any("Plus de bus le soir" in s.text and "Q1.g1" in s.group_ids for s in sentences(again))
    assert [s.origin for s in sentences(again) if s.text == "Pas le dimanche."] == ["person"]
    assert not [p for p in again.state.marks if isinstance(p, SentenceRef)]
    assert check_draft(again.draft, ROUND) == ()
    with pytest.raises(BadEdit, match="no open question Q9"):
        redraft_question(after.draft, "Q9", encode=HashEncoder().encode, chat=None)


def test_a_label_that_a_person_gave_to_a_family_is_said_by_the_new_synthesis_and_nothing_stays_marked():
    after = do(fresh(), SetLabel(group_id="Q1.r1", text="Des bus à toute heure."))
    assert FIRST in after.to_look_at
    again = do(after, redraft_question(after.draft, "Q1", encode=HashEncoder().encode, chat=None))
    assert "Des bus à toute heure" in sentences(again)[0].text
    unchanged = do(after, Redraft(question_id="Q1", synthesis=after.draft.questions[0].synthesis, llm="x"))
    assert FIRST not in unchanged.to_look_at, "drafted after the correction"
    mine = do(fresh(), SetSentence(at=FIRST, text="Les miens."), SetLabel(group_id="Q1.r1", text="Autre."))
    kept = do(mine, Redraft(question_id="Q1", synthesis=mine.draft.questions[0].synthesis, llm="x"))
    assert FIRST in kept.to_look_at, "a person's sentence stays marked until a person looks"
    assert check_draft(again.draft, ROUND) == ()
