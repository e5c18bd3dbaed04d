"""Edits of texts: labels, sentences, "it holds", approvals."""

from dataclasses import replace

from service.domain.draft import Draft, SentenceRef, Support, ThemeSentence
from service.domain.review.regroup import people_of
from service.domain.review.state import (
    CITES,
    Changed,
    State,
    Touch,
    cited_exists,
    citing,
    clean,
    counted,
    mark,
    name,
    recounted,
    reopened,
    sentence_at,
    settled,
    theme_sentences,
    with_left_out,
    with_questions,
    with_theme_sentences,
)
from service.domain.revision import (
    Approve,
    Confirm,
    GroupRef,
    SetLabel,
    SetSentence,
    ThemeRef,
    Unapprove,
    Was,
)
from service.domain.wording import overclaim
from service.errors import BadEdit, NotInDraft


def set_label(state: State, edit: SetLabel, by: Touch) -> Changed:
    q, group = state.group(edit.group_id)
    text = clean(edit.text, "the label")
    person = Support(supported=True, score=1.0, origin="person")
    groups = tuple(replace(g, label=text, label_support=person) if g is group else g for g in q.groups)
    state = with_questions(state, replace(q, groups=groups))
    state = settled(state, GroupRef(group_id=group.id), by)
    state = mark(state, citing(state.leader(q), [group.id]), "label_changed", by)
    return reopened(state, q), (Was(id=group.id, value=group.label),)


def set_sentence(state: State, edit: SetSentence, by: Touch) -> Changed:
    if isinstance(edit.at, ThemeRef):
        return _set_theme_sentence(state, edit, edit.at, by)
    at = edit.at
    q, old = sentence_at(state, at)
    joined = state.joined(q)
    new = replace(
        old,
        text=clean(edit.text, "the sentence"),
        group_ids=old.group_ids if edit.group_ids is None else tuple(dict.fromkeys(edit.group_ids)),
        verbatim_ids=old.verbatim_ids
        if edit.verbatim_ids is None
        else tuple(dict.fromkeys(edit.verbatim_ids)),
        supported=True,
        note=None,
        origin="person",
    )
    cited_exists(joined, new)
    new = recounted(new, {g.id: g for p in joined for g in p.groups}, people_of(joined))
    sentences = tuple(new if k == at.sentence else s for k, s in enumerate(q.synthesis.sentences))
    synthesis = with_left_out(replace(q.synthesis, sentences=sentences), joined)
    state = settled(with_questions(state, replace(q, synthesis=synthesis)), at, by)
    above = [ref for ref, s in theme_sentences(state.draft) if at in s.refs]
    state = mark(state, above, "sentence_changed", by)
    total = max(p.n_respondents for p in joined)
    if new.n_respondents is not None and not new.closed_ids and overclaim(new.text, new.n_respondents, total):
        state = mark(state, [at], "quantity", by)
    was = [Was(id=name(at), value=old.text)]
    if (new.group_ids, new.verbatim_ids) != (old.group_ids, old.verbatim_ids):
        was.append(Was(id=name(at) + CITES, value=" ".join((*old.group_ids, *old.verbatim_ids))))
    return reopened(state, q), tuple(was)


def _theme_sentence_at(draft: Draft, at: ThemeRef) -> ThemeSentence:
    found = dict(theme_sentences(draft)).get(at)
    if found is None:
        raise NotInDraft(
            f"the general synthesis has no sentence {at.sentence + 1} in part {at.section + 1} of theme {at.theme + 1}",
            why="no_such_sentence",
        )
    return found


def _set_theme_sentence(state: State, edit: SetSentence, at: ThemeRef, by: Touch) -> Changed:
    old = _theme_sentence_at(state.draft, at)
    if edit.group_ids is not None or edit.verbatim_ids is not None:
        raise BadEdit(
            "a sentence of the general synthesis cites sentences of questions: leave its citations out",
            why="theme_cites",
        )
    new = replace(old, text=clean(edit.text, "the sentence"), supported=True, note=None, origin="person")
    state = replace(state, draft=counted(with_theme_sentences(state.draft, {at: new})))
    return reopened(settled(state, at, by), None), (Was(id=name(at), value=old.text),)


def confirm(state: State, edit: Confirm, by: Touch) -> Changed:
    match edit.at:
        case GroupRef(group_id=id_):
            q, group = state.group(id_)
            support = Support(
                supported=True,
                score=1.0,
                origin=group.label_support.origin if group.label_support else "person",
            )
            groups = tuple(replace(g, label_support=support) if g is group else g for g in q.groups)
            return settled(with_questions(state, replace(q, groups=groups)), edit.at, by), ()
        case SentenceRef() as at:
            q, s = sentence_at(state, at)
            new = replace(s, supported=True, note=None)
            sentences = tuple(new if k == at.sentence else x for k, x in enumerate(q.synthesis.sentences))
            q = replace(q, synthesis=replace(q.synthesis, sentences=sentences))
            return settled(with_questions(state, q), at, by), ()
        case ThemeRef() as at:
            sound = replace(_theme_sentence_at(state.draft, at), supported=True, note=None)
            state = replace(state, draft=counted(with_theme_sentences(state.draft, {at: sound})))
            return settled(state, at, by), ()


def approve(state: State, edit: Approve | Unapprove, by: Touch) -> Changed:
    every = {q.id for q in state.draft.questions if q.kind == "open"}
    ids = (
        every if edit.question_id is None else {q.id for q in state.joined(state.question(edit.question_id))}
    )
    if isinstance(edit, Approve):
        approved = {**dict.fromkeys(sorted(ids), by), **state.approved}
        return replace(state, approved=approved, whole=by if edit.question_id is None else state.whole), ()
    if edit.question_id is None:
        return replace(state, whole=None), ()
    approved = {id_: touch for id_, touch in state.approved.items() if id_ not in ids}
    return replace(state, approved=approved, whole=None), ()
