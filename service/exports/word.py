"""DOCX: the report that is circulated. General synthesis, each question with its labels for the record, method, ledger."""

from collections.abc import Iterable
from itertools import groupby

from docx.shared import Pt
from docx.text.paragraph import Paragraph

from service.domain.draft import Draft, Sentence, SentenceRef
from service.domain.wording import NBSP, NOUNS, categories, people, quoted
from service.exports.facts import QuestionFacts, clip, listed, short
from service.exports.package import contained, repacked
from service.exports.pictures import Pictures
from service.exports.review import NO_REVIEW, Review
from service.exports.terms import long_date
from service.exports.word_front import frame, title_page
from service.exports.word_kit import Kit
from service.exports.word_parts import ACCENT, SOFT, TEXT_WIDTH, WARN, Cell, colour, link, saved

MOST_VOICES = 100
"""Isolated voices printed for a question; the report says how many there are and where the rest is."""

MOST_SAID = 1_200
"""Characters of an isolated voice; the other formats have all of it."""

MOST_FAILURES = 200

MOST_SHOWN = 600
"""Characters of an answer that looks like an order; the other formats have all of it."""


def to_docx(draft: Draft, review: Review = NO_REVIEW) -> bytes:
    """The report of a draft in the round's language; the same draft and review give the same bytes."""
    return repacked(_Report(Kit(draft, review)).made(), draft.created_at)


class _Report:
    def __init__(self, kit: Kit) -> None:
        self.kit, self.draft, self.facts, self.t = kit, kit.draft, kit.facts, kit.t
        self.pictures = Pictures(kit.facts)
        self.printed = {id_ for q in kit.draft.questions for id_ in q.isolated[:MOST_VOICES]}

    def made(self) -> bytes:
        frame(self.kit)
        title_page(self.kit)
        contents = self.kit.para("TOC Heading", self.t["contents"])
        contents.paragraph_format.page_break_before = True
        self._general()
        self._questions()
        self._maps()
        self._method()
        self._ledger()
        self._provenance()
        self.kit.contents(contents)
        self.kit.notes.attach()
        return saved(self.kit.document)

    def _general(self) -> None:
        if not self.draft.themes:
            return
        self.kit.heading(1, self.t["general"])
        for k, theme in enumerate(self.draft.themes, start=1):
            self.kit.heading(2, f"{k}. {self.kit.plain(theme.title)}")
            if not theme.sections:
                self.kit.para("Meta", self.t["theme_empty"])
            for j, section in enumerate(theme.sections):
                if section.heading:
                    self.kit.heading(3, self.kit.plain(section.heading))
                paragraph = self.kit.para("Normal", "")
                for i, s in enumerate(section.sentences):
                    paragraph.add_run(self.kit.plain(s.text))
                    self._cite_sentences(self.kit.notes.add(paragraph), s.refs)
                    self._marks(paragraph, s.supported, s.note, self.facts.theme_again(k - 1, j, i))
                    paragraph.add_run(" ")
        self.kit.figure(self.pictures.themes())

    def _questions(self) -> None:
        self.kit.heading(1, self.t["questions"])
        for facts in self.facts.questions:
            self.kit.heading(2, self.kit.plain(facts.heading), id_=facts.q.id)
            self._about(facts)
            self._closed(facts)
            self._synthesis(facts)
            self._labels(facts)
            self._isolated(facts)

    def _about(self, facts: QuestionFacts) -> None:
        q = facts.q
        if q.kind == "open":
            usable = self.t["answered"].format(n=self.kit.n(facts.usable), total=self.kit.n(facts.total))
            joined = f" · {self.t['joined']} {', '.join(q.joined_with)}" if q.joined_with else ""
            touch = self.facts.review.questions.get(q.id)
            when = long_date(touch.at, self.kit.language) if touch else ""
            approved = (
                " · " + self.t["approved"].format(who=self.kit.plain(touch.who), date=when) if touch else ""
            )
            about = self.kit.para("Meta", f"{usable}{joined}{approved}")
            about.paragraph_format.keep_with_next = True
        if q.synthesis.shared_with:
            line = self.kit.para("Normal", f"{self.t['shared']} ")
            link(
                line,
                self.kit.bookmarks.name("q", q.synthesis.shared_with),
                q.synthesis.shared_with,
                hex_=ACCENT,
            )
            line.add_run(".")

    def _closed(self, facts: QuestionFacts) -> None:
        if not facts.q.closed_counts:
            return
        title = self.kit.plain(facts.q.closed_title or self.t["closed"]).rstrip(" .:")
        said = self.t["cap_closed"].format(question=facts.q.id, title=title)
        self.kit.caption("table", said if title.endswith(("?", "!", "…")) else f"{said}.")
        counts = facts.q.closed_counts
        rows = [[Cell(text=option), *self.kit.numbers(n)] for option, n in counts.items()]
        rows.append(
            [
                Cell(text=self.t["total"], bold=True),
                Cell(text=self.kit.n(sum(counts.values())), bold=True, right=True),
            ]
        )
        header = self.kit.header("option", "answer_count", right=1)
        self.kit.table(header, rows, [TEXT_WIDTH - 3.5, 3.5])
        self.kit.figure(self.pictures.closed(facts))

    def _synthesis(self, facts: QuestionFacts) -> None:
        q = facts.q
        for indexes in q.synthesis.paragraphs:
            paragraph = self.kit.para("Normal", "")
            for i in indexes:
                s = q.synthesis.sentences[i]
                mark = self.kit.bookmarks.begin(paragraph, self.kit.bookmarks.name("s", f"{q.id}/{i}"))
                paragraph.add_run(self.kit.plain(s.text))
                self.kit.bookmarks.end(paragraph, mark)
                self._cite_labels(self.kit.notes.add(paragraph), s, q.id)
                self._marks(paragraph, s.supported, s.note, self.facts.sentence_again(q.id, i))
                paragraph.add_run(" ")

    def _labels(self, facts: QuestionFacts) -> None:
        if not facts.firsts:
            return
        self.kit.heading(3, self.t["labels"])
        self.kit.caption("table", self.t["cap_labels"].format(question=facts.q.id))
        rows: list[list[Cell]] = []
        heads = set()
        for parent, children in facts.families:
            if len(children) > 1:
                heads.add(len(rows))
                who = people(parent.n_respondents, self.kit.unit, self.kit.language)
                again = self._again(self.facts.label_again(parent))
                text = f"{short(parent.id)}  {self.kit.plain(parent.label)} ({who}){again}"
                rows.append([Cell(text=text, bookmark=self.kit.bookmarks.name("g", parent.id))])
            lone = self.kit.bookmarks.name("g", parent.id) if len(children) == 1 else None
            for g in children:
                by = ", ".join(f"{name}{NBSP}{n}" for name, n in g.by_category.items())
                doubt = (
                    f" [{self.t['unsupported']}]" if g.label_support and not g.label_support.supported else ""
                ) + self._again(self.facts.label_again(*([g] if len(children) > 1 else [g, parent])))
                rows.append(
                    [
                        Cell(text=short(g.id), bookmark=self.kit.bookmarks.name("g", g.id), soft=True),
                        Cell(text=self.kit.plain(g.label) + doubt, bookmark=lone, below=by),
                        *self.kit.numbers(g.n_respondents, len(g.verbatim_ids)),
                    ]
                )
        people_ = NOUNS[self.kit.language, self.kit.unit][1].capitalize()
        header = [
            *self.kit.header("ref", "label"),
            Cell(text=people_, right=True),
            Cell(text=self.t["verbatim_count"], right=True),
        ]
        self.kit.table(header, rows, [1.6, TEXT_WIDTH - 6.3, 2.6, 2.1], frozenset(heads))
        self._repeated(facts)
        if facts.left_out:
            names_ = ", ".join(short(g) for g in facts.left_out)
            self.kit.para("Meta", f"{self.t['left_out']}{self.kit.colon} {names_}.")
        self.kit.figure(self.pictures.groups(facts))

    def _repeated(self, facts: QuestionFacts) -> None:
        """Who is counted in a group by a duplicate: the group's verbatims do not show them."""
        named = [(g, facts.also(*(facts.verbatims[v] for v in g.verbatim_ids))) for g in facts.firsts]
        told = [
            f"{short(g.id)}, {self.t['also'].replace('{names}', listed(names, self.t))}"
            for g, names in named
            if names
        ]
        if told:
            between = f"{NBSP}; " if self.kit.language == "fr" else "; "
            said = f"{self.t['repeated']}{self.kit.colon} {between.join(told)}."
            self.kit.para("Meta", contained(said))

    def _isolated(self, facts: QuestionFacts) -> None:
        if facts.q.kind != "open" or not facts.q.verbatims:
            return
        total = len(facts.q.isolated)
        self.kit.heading(3, f"{self.t['isolated']} ({self.kit.n(total)})")
        if not total:
            self.kit.para("Meta", self.t["isolated_none"])
            return
        self.kit.para("Meta", self.t["isolated_help"]).paragraph_format.keep_with_next = True
        for id_ in facts.q.isolated[:MOST_VOICES]:
            v = facts.verbatims[id_]
            line = self.kit.para("Voice", "")
            mark = self.kit.bookmarks.begin(line, self.kit.bookmarks.name("i", id_))
            line.add_run(f"–{NBSP}{contained(quoted(clip(v.text, MOST_SAID), self.kit.language))}")
            self.kit.bookmarks.end(line, mark)
            names = facts.also(v)
            also = self.t["also"].replace("{names}", listed(names, self.t)) if names else ""
            who = ", ".join(part for part in (v.respondent_id, v.category, also) if part)
            line.add_run(f"  {contained(who)}").font.color.rgb = colour(SOFT)
        if total > MOST_VOICES:
            said = self.t["isolated_more"].format(shown=MOST_VOICES, total=self.kit.n(total))
            self.kit.para("Meta", said)

    def _cite_sentences(self, note: Paragraph, refs: Iterable[SentenceRef]) -> None:
        """ "Q1, sentences 2 and 3", each a link."""
        for k, (question_id, some) in enumerate(groupby(refs, lambda r: r.question_id)):
            places = [ref.sentence for ref in some]
            word = self.t["sentence_one" if len(places) == 1 else "sentence_many"]
            between = f"{NBSP}; " if self.kit.language == "fr" else "; "
            note.add_run(f"{between if k else ''}{question_id}, {word} ")
            for j, place in enumerate(places):
                note.add_run(", " if j else "")
                link(note, self.kit.bookmarks.name("s", f"{question_id}/{place}"), str(place + 1))
        note.add_run(".")

    def _cite_labels(self, note: Paragraph, s: Sentence, home: str) -> None:
        """Labels with the people behind them, isolated voices, closed counts: each a link where it has a place."""
        if s.group_ids:
            note.add_run(self.t["label_one" if len(s.group_ids) == 1 else "label_many"] + " ")
            for k, id_ in enumerate(s.group_ids):
                note.add_run(", " if k else "")
                away = not id_.startswith(f"{home}.")
                link(note, self.kit.bookmarks.name("g", id_), id_ if away else short(id_))
            if s.n_respondents is not None:
                more = categories(s.by_category, self.kit.language)
                who = people(s.n_respondents, self.kit.unit, self.kit.language) + (
                    f", {more}" if more else ""
                )
                note.add_run(f"{self.kit.colon} {contained(who)}")
            note.add_run(". ")
        if s.verbatim_ids:
            note.add_run(
                self.t["voice_one" if len(s.verbatim_ids) == 1 else "voice_many"] + self.kit.colon + " "
            )
            for k, id_ in enumerate(s.verbatim_ids):
                note.add_run(", " if k else "")
                if id_ in self.printed:
                    link(note, self.kit.bookmarks.name("i", id_), contained(id_))
                else:
                    note.add_run(contained(id_))
            note.add_run(". ")
        if s.closed_ids:
            note.add_run(self.t["closed_cited"] + " ")
        if s.origin == "person":
            note.add_run(self.t["by_person"])

    def _again(self, why: str) -> str:
        return f" [{self.t['look_again']}{self.kit.colon} {why}]" if why else ""

    def _marks(self, paragraph: Paragraph, supported: bool, note: str | None, why: str) -> None:
        """why: it is to be looked at again; empty: it is not."""
        said = self._again(why)
        if not supported:
            doubt = (
                f"{self.t['unsupported']}{self.kit.colon} {contained(note)}"
                if note
                else self.t["unsupported"]
            )
            said = f" [{doubt}]{said}"
        if not said:
            return
        run = paragraph.add_run(said)
        run.bold, run.font.size, run.font.color.rgb = True, Pt(8.5), colour(WARN)

    def _maps(self) -> None:
        shown = [facts for facts in self.facts.questions if facts.spots]
        if not shown:
            return
        self.kit.heading(1, self.t["maps"])
        self.kit.para("Normal", self.t["maps_help"])
        for facts in shown:
            self.kit.heading(3, self.kit.plain(facts.heading))
            self.kit.figure(self.pictures.map(facts))

    def _method(self) -> None:
        self.kit.heading(1, self.t["method"])
        for key in self.facts.method:
            self.kit.para("Normal", self.t[key])
        self.kit.figure(self.pictures.panel())

    def _ledger(self) -> None:
        self.kit.heading(1, self.t["ledger"], fresh=False)
        self.kit.caption("table", self.t["cap_ledger"])
        rows: list[list[Cell]] = []
        heads = set()
        for line in self.facts.ledger:
            if line.parts:
                heads.add(len(rows))
                rows.append([Cell(text=f"{self.t[line.name]}{self.kit.colon} {self.kit.n(line.total)}")])
                rows += [[Cell(text=self.t[name]), *self.kit.numbers(n)] for name, n in line.parts]
            else:
                rows.append([Cell(text=self.t[line.name]), *self.kit.numbers(line.total)])
        header = self.kit.header("state", "answer_count", right=1)
        self.kit.table(header, rows, [TEXT_WIDTH - 3.5, 3.5], frozenset(heads))
        failures = self.draft.ledger.failures
        if failures:
            self.kit.heading(3, f"{self.t['failures']} ({self.kit.n(len(failures))})")
            header = self.kit.header("ref", "stage", "reason")
            rows = [
                [Cell(text=f.id, soft=True), Cell(text=f.stage), Cell(text=f.reason)]
                for f in failures[:MOST_FAILURES]
            ]
            self.kit.table(header, rows, [4, 2.5, TEXT_WIDTH - 6.5])
        if len(failures) > MOST_FAILURES:
            said = self.t["failures_more"].format(shown=MOST_FAILURES, total=self.kit.n(len(failures)))
            self.kit.para("Meta", said)
        self._suspects()

    def _suspects(self) -> None:
        """Every answer that looks like an order, with its words: an analyst judges them."""
        lines = self.facts.suspects
        if not lines:
            return
        self.kit.heading(3, f"{self.t['suspects']} ({self.kit.n(len(lines))})")
        self.kit.para("Meta", self.t["suspects_help"]).paragraph_format.keep_with_next = True
        header = self.kit.header("ref", "answer", "reason")
        rows = [
            [
                Cell(text=s.answer.id, soft=True),
                Cell(text=clip(s.answer.text, MOST_SHOWN)),
                Cell(text=", ".join(self.t[way] for way in s.ways)),
            ]
            for s in lines
        ]
        self.kit.table(header, rows, [2.6, TEXT_WIDTH - 6.8, 4.2])

    def _provenance(self) -> None:
        self.kit.heading(1, self.t["provenance"], fresh=False)
        self.kit.caption("table", self.t["cap_made"])
        lines = groupby(self.facts.provenance(self.t), lambda line: line[0])
        rows = [[Cell(text=name), Cell(text=" · ".join(value for _, value in same))] for name, same in lines]
        header = self.kit.header("what", "value")
        self.kit.table(header, rows, [5.5, TEXT_WIDTH - 5.5])
