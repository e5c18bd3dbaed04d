"""A corrected workbook becomes edits of its draft, with a report of what changed; what can't be read is told cell by cell."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from service.domain.draft import Draft, DraftQuestion, SentenceRef
from service.domain.revision import MOST_CHARACTERS, Edit, MoveVerbatims, NewGroup, SetLabel, SetSentence
from service.errors import BadInput
from service.exports.parents_back import SECOND, ParentsBack
from service.exports.sheets import CUT
from service.exports.tables_back import Line, TablesBack

MOST_ERRORS = 20

ALONE = ""
"""Where a verbatim is that no group holds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Corrections:
    edits: tuple[Edit, ...]
    """In the order in which they are to be made: groups, then labels, then sentences."""
    report: tuple[str, ...]
    """A line for each edit, then what was left as it is and why."""
    version: int | None
    """Number of the last revision that the workbook had seen; None where it does not say."""


def read_corrections(data: bytes, draft: Draft) -> Corrections:
    """Edits that make the draft say what the workbook says. data: an .xlsx written by `export`, corrected by people.

    The draft is the one at the workbook's version. Raises BadInput that names each cell that can't be used; then there is no edit.
    """
    tables = TablesBack(data)
    made_from = tables.note("polyphonie.draft")
    if made_from and made_from != draft.id:
        raise BadInput(
            f"this workbook was made from draft {made_from}, not from {draft.id}. Give the draft.json it was exported from."
        )
    if not any(sheet in tables for sheet in ("groups", "verbatims", "sentences")):
        raise BadInput(
            "no sheet of groups, verbatims or syntheses: this is no workbook of a draft. Export one anew."
        )
    reader = _Reader(draft)
    if "groups" in tables:
        reader.groups(list(tables.lines("groups", ("id", "label"))))
    if "verbatims" in tables:
        reader.moves(tables.lines("verbatims", ("id", "group")))
    if "sentences" in tables:
        reader.sentences(tables.lines("sentences", ("question", "sentence", "sentence_text")))
    if reader.errors:
        more = len(reader.errors) - MOST_ERRORS
        told = reader.errors[:MOST_ERRORS] + ([f"… and {more} more."] if more > 0 else [])
        raise BadInput("the workbook can't be taken over; nothing was changed:\n" + "\n".join(told))
    edits = reader.edits()
    return Corrections(edits=edits, report=tuple(reader.report + reader.notes), version=_version(tables))


def seen_version(data: bytes) -> int | None:
    """Number of the last revision that a workbook had seen; None where it does not say. Raises BadInput."""
    return _version(TablesBack(data))


def _version(tables: TablesBack) -> int | None:
    version = tables.note("polyphonie.version")
    return int(version) if version and version.isdecimal() and len(version) < 10 else None


class _Reader:
    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._questions = {q.id: q for q in draft.questions}
        self._home = {g.id: q for q in draft.questions for g in q.groups}
        self._groups = {g.id: g for q in draft.questions for g in q.groups}
        self._verbatims = {v.id: q for q in draft.questions for v in q.verbatims}
        self._at = {
            v: g.id for q in draft.questions for g in q.groups if g.level == 1 for v in g.verbatim_ids
        }
        self._labels: dict[str, tuple[Line, str]] = {}
        self._new: dict[str, tuple[str, str]] = {}
        """Id in the sheet → (question id, label) of a group that people added."""
        self._parents = ParentsBack(draft, self._error)
        self._moves: dict[str, str] = {}
        self._sentences: dict[SentenceRef, tuple[Line, str]] = {}
        self.errors: list[str] = []
        self.report: list[str] = []
        self.notes: list[str] = []

    def groups(self, lines: Sequence[Line]) -> None:
        self._read_labels(lines)
        self._parents.read(lines, self._new)

    def _read_labels(self, lines: Iterable[Line]) -> None:
        seen: dict[str, tuple[Line, str]] = {}
        for line in lines:
            id_, label = line.values["id"], line.values["label"]
            if not id_:
                self._error(line, "id", "no id: give the line the id of its group, or delete it")
            elif id_ in seen:
                if _same(seen[id_][1], label):
                    continue
                self._error(
                    line, "id", f"group {id_} stands in row {seen[id_][0].row} already, with another label"
                )
            elif not label:
                self._error(line, "label", f"the label of {id_} is empty: write one, or put the old one back")
            elif len(label) > MOST_CHARACTERS:
                self._error(line, "label", f"{len(label)} characters: {MOST_CHARACTERS} at most")
            elif id_ not in self._groups:
                self._added(line, id_, label)
            elif not _same(label, self._groups[id_].label):
                self._labels[id_] = line, label
            seen.setdefault(id_, (line, label))
        missing = len(self._groups.keys() - seen.keys())
        if missing:
            self.notes.append(f"{missing} group(s) are not in the sheet of groups: left as they are.")

    def _added(self, line: Line, id_: str, label: str) -> None:
        question = line.values.get("question", "")
        if question in self._questions:
            second = line.values.get("level") == str(SECOND)
            (self._parents.new if second else self._new)[id_] = question, label
            return
        near = get_close_matches(id_, self._groups, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        self._error(
            line,
            "id",
            f"no group {id_} in this draft.{hint} For a new group, give the line a question that exists",
        )

    def moves(self, lines: Iterable[Line]) -> None:
        seen: dict[str, Line] = {}
        for line in lines:
            id_, to = line.values["id"], line.values["group"]
            question = self._verbatims.get(id_)
            if question is None:
                self._error(line, "id", f"no verbatim {id_} in this draft: ids are not to be changed")
                continue
            target = self._target(line, question, to)
            if target is None:
                continue
            if id_ in seen and self._moves.get(id_, self._at.get(id_, ALONE)) != target:
                self._error(
                    line, "group", f"verbatim {id_} stands in row {seen[id_].row} already, in another group"
                )
            elif target != self._at.get(id_, ALONE):
                self._moves[id_] = target
            seen.setdefault(id_, line)
        missing = len(self._verbatims.keys() - seen.keys())
        if missing:
            self.notes.append(
                f"{missing} verbatim(s) are not in the sheet of verbatims: left where they are."
            )

    def _target(self, line: Line, question: DraftQuestion, to: str) -> str | None:
        """Id of the level-1 group that a cell names, ALONE for none; None after an error. `g3` may stand for `Q1.g3`."""
        if not to:
            return ALONE
        found, problem = self._named(question, to)
        if problem:
            self._error(line, "group", problem)
        return found

    def _named(self, question: DraftQuestion, to: str) -> tuple[str | None, str]:
        """The id that a name means and "", or None and what is wrong with it."""
        names = (to, f"{question.id}.{to}")
        if any(i in self._parents.new for i in names):
            return None, f"{to} holds groups, not verbatims: name one of its groups"
        id_ = next((i for i in names if i in self._new or i in self._groups), None)
        if id_ is None:
            near = get_close_matches(to, [g.id for g in question.groups if g.level == 1], n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            return (
                None,
                f"no group {to}.{hint} To make one, add a line with its id, question and label to the groups",
            )
        home = self._new[id_][0] if id_ in self._new else self._home[id_].id
        if home != question.id:
            return None, f"group {id_} is of question {home}, not {question.id}"
        if id_ in self._groups and self._groups[id_].level == 2:
            return None, f"{id_} holds groups, not verbatims: name one of its groups"
        return id_, ""

    def sentences(self, lines: Iterable[Line]) -> None:
        for line in lines:
            question = self._questions.get(line.values["question"])
            number, text = line.values["sentence"], line.values["sentence_text"]
            known = question.synthesis.sentences if question else ()
            if question is None or not number.isdecimal() or not 1 <= int(number) <= len(known):
                where = f"question {line.values['question']}, sentence {number}"
                self._error(
                    line, "sentence", f"{where} is not in this draft: sentences are added on the page"
                )
                continue
            at = SentenceRef(question_id=question.id, sentence=int(number) - 1)
            if not text:
                self._error(line, "sentence_text", "the sentence is empty: sentences are removed on the page")
            elif _same(text, known[at.sentence].text):
                continue
            elif at in self._sentences and not _same(self._sentences[at][1], text):
                self._error(
                    line, "sentence_text", f"stands in row {self._sentences[at][0].row} already, otherwise"
                )
            elif text.endswith(CUT) or len(text) > MOST_CHARACTERS:
                self._error(line, "sentence_text", f"{len(text)} characters: {MOST_CHARACTERS} at most")
            else:
                self._sentences[at] = line, text

    def edits(self) -> tuple[Edit, ...]:
        """Groups moved, new ones, verbatims moved, labels of groups that are still there, sentences; fills the report."""
        emptied = self._emptied()
        for id_ in sorted(emptied & self._parents.moves.keys()):
            del self._parents.moves[id_]
            self.notes.append(f"{id_} has no verbatim any more: it was put nowhere.")
        by_target: dict[tuple[str, str], list[str]] = {}
        for verbatim, target in self._moves.items():
            by_target.setdefault((self._verbatims[verbatim].id, target), []).append(verbatim)
        filled = {target for _, target in by_target}
        moved, told = self._parents.edits(filled, {id_: label for id_, (_, label) in self._labels.items()})
        self.report += told
        used = {*self._parents.moves.values()}
        self.notes += [
            f"new level-2 group {id_}: no group was put under it, so it was not made."
            for id_ in self._parents.new
            if id_ not in used
        ]
        # a new group comes before others leave the level-2 group that it is put under, which would be gone without it
        first, made = list[Edit](), list[Edit](moved)
        for id_, (question, label) in self._new.items():
            members = by_target.pop((question, id_), [])
            if members:
                parent = self._parents.of_new.get(id_)
                (made if parent is None else first).append(
                    NewGroup(
                        question_id=question, verbatim_ids=tuple(sorted(members)), label=label, parent=parent
                    )
                )
                self.report.append(f"new group {id_} in {question}, {len(members)} verbatim(s): « {label} »")
            else:
                self.notes.append(f"new group {id_}: no verbatim was given to it, so it was not made.")
        made = [*first, *made]
        for (question, target), members in sorted(by_target.items()):
            made.append(MoveVerbatims(verbatim_ids=tuple(sorted(members)), to=target or None))
            where = target or "the isolated voices"
            self.report.append(f"{question}: {', '.join(sorted(members))} moved to {where}")
        for id_, (line, label) in self._labels.items():
            if id_ in self._parents.anew:
                continue
            if id_ in emptied:
                self.notes.append(
                    f"{line.where('label')}: {id_} has no verbatim any more, its new label was left out."
                )
                continue
            made.append(SetLabel(group_id=id_, text=label))
            self.report.append(f"{id_}: « {self._groups[id_].label} » → « {label} »")
        for at, (_, text) in self._sentences.items():
            made.append(SetSentence(at=at, text=text))
            was = self._questions[at.question_id].synthesis.sentences[at.sentence].text
            self.report.append(f"{at.question_id}, sentence {at.sentence + 1}: « {was} » → « {text} »")
        return tuple(made)

    def _emptied(self) -> frozenset[str]:
        """Groups that lose all their verbatims, or all their groups, and gain none."""
        filled: set[str] = set()
        for home in (self._at | self._moves).values():
            if home in self._groups:
                filled |= {home, self._parents.moves.get(home) or self._groups[home].parent or home}
            elif home in self._new:
                filled.add(self._parents.of_new.get(home, home))
        return frozenset(self._groups.keys() - filled)

    def _error(self, line: Line, key: str, what: str) -> None:
        self.errors.append(f"{line.where(key)}: {what}.")


def _same(one: str, other: str) -> bool:
    """Alike but for spaces, which spreadsheet programs change."""
    return " ".join(one.split()) == " ".join(other.split())
