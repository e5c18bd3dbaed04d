"""The column of level-2 groups in a corrected workbook: which group goes under which, and which level-2 groups are new."""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches

from service.domain.draft import Draft
from service.domain.revision import MoveGroups
from service.exports.tables_back import Line

SECOND = 2


class ParentsBack:
    """Filled line by line; what can't be used is told to `error` with its line and the key of its column."""

    def __init__(self, draft: Draft, error: Callable[[Line, str, str], None]) -> None:
        self._groups = {g.id: g for q in draft.questions for g in q.groups}
        self._home = {g.id: q.id for q in draft.questions for g in q.groups}
        self._error = error
        self._told: dict[str, Line] = {}
        self.new: dict[str, tuple[str, str]] = {}
        """Id in the sheet → (question id, label) of a level-2 group that people added."""
        self.moves: dict[str, str] = {}
        """Group of the draft → id of the level-2 group, one of the draft or of `new`."""
        self.of_new: dict[str, str] = {}
        """Level-1 group that people added → level-2 group of the draft."""
        self.anew: set[str] = set()
        """Level-2 groups of the draft that `edits` makes anew, with their label: they were gone in between."""

    def read(self, lines: Iterable[Line], added: Mapping[str, tuple[str, str]]) -> None:
        """added: level-1 groups that people added, as `new`, which is to be filled before."""
        for line in lines:
            id_ = line.values["id"]
            key = "under" if "under" in line.values else "parent"
            if id_ not in added and id_ not in self._groups:
                continue  # new level-2 groups, and ids that were told of already
            question = added[id_][0] if id_ in added else self._home[id_]
            to = line.values.get(key)
            level = self._groups[id_].level if id_ in self._groups else 1
            old = self._groups[id_].parent if id_ in self._groups else None
            if to is None or to == (old or "") or (level == SECOND and not to):
                continue
            if level == SECOND:
                self._error(line, key, f"{id_} is a level-2 group itself: leave the cell empty")
                continue
            target = self._target(line, key, question, to)
            if target is None or target == old:
                continue
            if self.moves.get(id_, target) != target:
                self._error(
                    line, key, f"group {id_} stands in row {self._told[id_].row} already, under another"
                )
            elif id_ in added and target in self.new:
                self._error(
                    line, key, f"{id_} and {to} are both new: put {id_} under a level-2 group that exists"
                )
            elif id_ in added:
                self.of_new[id_] = target
            else:
                self.moves[id_] = target
                self._told.setdefault(id_, line)

    def _target(self, line: Line, key: str, question: str, to: str) -> str | None:
        """Id of the level-2 group that a cell names; None after an error. `r3` may stand for `Q1.r3`."""
        known = {**self._home, **{id_: home for id_, (home, _) in self.new.items()}}
        id_ = next((i for i in (to, f"{question}.{to}") if i in known), None)
        heads = [g.id for g in self._groups.values() if g.level == SECOND and self._home[g.id] == question]
        if not to:
            self._error(line, key, "the cell is empty: name a level-2 group, or put the old one back")
        elif id_ is None:
            near = get_close_matches(to, heads, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            self._error(
                line,
                key,
                f"no group {to}.{hint} To make one, add a line with its id, question, level 2 and label",
            )
        elif known[id_] != question:
            self._error(line, key, f"group {id_} is of question {known[id_]}, not {question}")
        elif id_ in self._groups and self._groups[id_].level != SECOND:
            self._error(line, key, f"{id_} holds verbatims, not groups: name a level-2 group")
        else:
            return id_
        return None

    def edits(self, new: Iterable[str], labels: Mapping[str, str]) -> tuple[list[MoveGroups], list[str]]:
        """A move for each level-2 group that gets any, and a line of the report for each.

        new: level-1 groups of `of_new` that are there before. labels: of level-2 groups, as corrected.
        """
        waiting: dict[str, list[str]] = {}
        for id_, target in sorted(self.moves.items()):
            waiting.setdefault(target, []).append(id_)
        inside = {g.id: g.parent for g in self._groups.values() if g.level == 1}
        inside |= {id_: self.of_new[id_] for id_ in new if id_ in self.of_new}
        made, report = [], []
        while waiting:
            # one that loses all it had before others come is gone: those come first
            in_order = (t for t in sorted(waiting) if not _emptied(inside, waiting[t]) & waiting.keys() - {t})
            target = next(in_order, min(waiting))
            ids = waiting.pop(target)
            question, label = self.new.get(target, (self._home.get(target, ""), None))
            called = f"new level-2 group {target} « {label} »" if label else target
            if target not in self.new and target not in inside.values():
                # two that change all their groups: the second is gone before its own come
                label = labels.get(target, self._groups[target].label)
                called = f"{target}, made anew « {label} »"
                self.anew.add(target)
            made.append(MoveGroups(group_ids=tuple(ids), to=None if label else target, label=label))
            report.append(f"{question}: {', '.join(ids)} put under {called}")
            inside |= dict.fromkeys(ids, target)
        return made, report


def _emptied(inside: Mapping[str, str | None], ids: Iterable[str]) -> set[str]:
    """Level-2 groups that hold nothing any more once these level-1 groups have left. inside: group → its level-2 group."""
    left = set(ids)
    losing = {p for id_ in left if (p := inside[id_]) is not None}
    return losing - {p for id_, p in inside.items() if id_ not in left and p is not None}
