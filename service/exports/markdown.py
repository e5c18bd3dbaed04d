"""Markdown: the whole draft as text, every sentence with what it rests on; no answer can become markup, a link or HTML."""

import re
from collections.abc import Iterable, Iterator, Sequence

from service.domain.draft import Draft, Group, Sentence, Support, Verbatim
from service.domain.wording import NBSP, categories, ideas, number, people, typeset
from service.exports.facts import DraftFacts, QuestionFacts, listed, short
from service.exports.package import contained
from service.exports.review import NO_REVIEW, Review
from service.exports.terms import TERMS, long_date

MARKUP = re.compile(r"([\\`*_{}\[\]<>#~|&!$@]|(?<=\w):(?=//)|(?<=\bwww)\.)", re.ASCII)
BLANKS = re.compile("[ \t\n\r\x85\u2028\u2029]+")
"""No-break spaces stay: they are typography."""

STARTS = re.compile(r"^(\d+(?=[.)])|(?=[-+=]))")
"""What would begin a list, a rule or a heading where a text begins a line."""


def to_markdown(draft: Draft, review: Review = NO_REVIEW) -> str:
    """The draft in the round's language. Lines end with a line feed."""
    return "\n".join(_Text(DraftFacts(draft, review)).lines()) + "\n"


def escaped(text: str) -> str:
    """A text on one line that reads the same once it is rendered."""
    one_line = BLANKS.sub(" ", contained(text)).strip(" ")
    return STARTS.sub(lambda m: m[0] + "\\", MARKUP.sub(r"\\\1", one_line))


class _Text:
    def __init__(self, facts: DraftFacts) -> None:
        self.facts, self.draft = facts, facts.draft
        self.language, self.unit = facts.draft.round.language, facts.draft.round.unit
        self.t = {key: typeset(text, self.language) for key, text in TERMS[self.language].items()}
        self.colon = f"{NBSP}:" if self.language == "fr" else ":"

    def lines(self) -> Iterator[str]:
        yield from self._front()
        if self.draft.themes:
            yield from self._general()
        for facts in self.facts.questions:
            yield from self._question(facts)
        yield from ("", f"## {self.t['method']}")
        for key in self.facts.method:
            yield from ("", self._say(self.t[key]))
        yield from self._ledger()
        yield from ("", f"## {self.t['provenance']}", "")
        yield from (
            f"- {self._say(name)}{self.colon} {self._say(v)}" for name, v in self.facts.provenance(self.t)
        )

    def _front(self) -> Iterator[str]:
        round_, touch = self.draft.round, self.facts.review.whole
        yield f"# {self._say(round_.title)}"
        yield ""
        if touch:
            date = long_date(touch.at, self.language)
            yield "> " + self._say(self.t["approved"].format(who=touch.who, date=date))
        else:
            yield f"> **{self._say(self.t['mark'])}**"
        yield from (">", f"> {self._say(self.facts.origin(self.t))}")
        who = people(round_.n_respondents, self.unit, self.language)
        made = f" · {self.t['created']} {long_date(self.draft.created_at, self.language)}"
        yield from ("", who + (made if self.draft.created_at else ""))
        if round_.note:
            yield from ("", f"*{self._say(round_.note)}*")
        if self.facts.panel:
            rows = [(line.category, line.consulted, line.responded) for line in self.facts.panel]
            rows.append((self.t["total"], self.facts.consulted, round_.n_respondents))
            yield from ("", f"**{self.t['panel']}**", "")
            yield from self._table((self.t["category"], self.t["consulted"], self.t["responded"]), rows)

    def _general(self) -> Iterator[str]:
        yield from ("", f"## {self.t['general']}")
        for i, theme in enumerate(self.draft.themes):
            yield from ("", f"### {self._say(theme.title)}")
            if not theme.sections:
                yield from ("", f"*{self.t['theme_empty']}*")
            for j, section in enumerate(theme.sections):
                if section.heading:
                    yield from ("", f"#### {self._say(section.heading)}")
                said = (
                    f"{self._say(s.text)} "
                    f"({escaped(', '.join(f'{r.question_id}.{r.sentence + 1}' for r in s.refs))})"
                    f"{self._doubt(s.supported, s.note)}{self._again(self.facts.theme_again(i, j, k))}"
                    for k, s in enumerate(section.sentences)
                )
                yield from ("", " ".join(said))

    def _question(self, facts: QuestionFacts) -> Iterator[str]:
        q = facts.q
        yield from ("", f"## {self._say(facts.heading)}")
        if q.kind == "open":
            usable = self.t["answered"].format(n=self._n(facts.usable), total=self._n(facts.total))
            joined = f" · {self.t['joined']} {escaped(', '.join(q.joined_with))}" if q.joined_with else ""
            yield from ("", f"*{usable}{joined}*")
        if q.closed_counts:
            yield from ("", f"**{self._say(q.closed_title or self.t['closed'])}**", "")
            yield from self._table((self.t["option"], self.t["answer_count"]), q.closed_counts.items())
        if q.synthesis.shared_with:
            yield from ("", f"{self.t['shared']} {escaped(q.synthesis.shared_with)}.")
        for paragraph in q.synthesis.paragraphs:
            yield from ("", " ".join(self._sentence(q.synthesis.sentences[i], q.id, i) for i in paragraph))
        if facts.families:
            yield from ("", f"### {self.t['labels']}")
            for parent, children in facts.families:
                yield from self._family(facts, parent, children)
        if facts.left_out:
            yield from ("", f"{self.t['left_out']}{self.colon} {escaped(', '.join(facts.left_out))}.")
        yield from self._isolated(facts)
        yield from self._answers(facts)

    def _sentence(self, s: Sentence, home: str, place: int) -> str:
        ids = [short(g) if g.startswith(f"{home}.") else g for g in s.group_ids]
        cited = escaped(", ".join((*ids, *s.verbatim_ids, *s.closed_ids)))
        doubt = self._doubt(s.supported, s.note) + self._again(self.facts.sentence_again(home, place))
        return f"{self._say(s.text)} ({place + 1}{self.colon} {cited}){doubt}"

    def _family(self, facts: QuestionFacts, parent: Group, children: Sequence[Group]) -> Iterator[str]:
        if len(children) > 1:
            who = people(parent.n_respondents, self.unit, self.language)
            again = self._again(self.facts.label_again(parent))
            yield from ("", f"**{escaped(short(parent.id))}. {self._say(parent.label)}** ({who}){again}")
        yield ""
        for g in children:
            size = ideas(len(g.verbatim_ids), self.language)
            who = people(g.n_respondents, self.unit, self.language)
            more = categories(g.by_category, self.language, most=len(g.by_category))
            support = g.label_support or Support(supported=True, score=1.0, origin="extractive")
            told = escaped(", ".join(part for part in (who, more, size) if part))
            doubt = self._doubt(support.supported, support.note)
            doubt += self._again(self.facts.label_again(*([g] if len(children) > 1 else [g, parent])))
            yield f"- **{escaped(short(g.id))}** {self._say(g.label)} ({told}){doubt}"
            for id_ in g.verbatim_ids:
                v = facts.verbatims[id_]
                who = self._by(v.respondent_id, v.category, v.answer_id)
                yield f"    - {escaped(v.quote)} — {who}{self._also(facts, v)}"

    def _isolated(self, facts: QuestionFacts) -> Iterator[str]:
        if not facts.q.isolated:
            return
        total = self._n(len(facts.q.isolated))
        yield from ("", f"### {self.t['isolated']} ({total})", "")
        for id_ in facts.q.isolated:
            v = facts.verbatims[id_]
            who = self._by(v.respondent_id, v.category, v.answer_id)
            yield f"- {escaped(v.quote)} — {who}, {escaped(id_)}{self._also(facts, v)}"

    def _answers(self, facts: QuestionFacts) -> Iterator[str]:
        if not facts.q.answers:
            return
        yield from ("", f"### {self.t['answers']} ({self._n(facts.total)})", "")
        for a in facts.q.answers:
            reason = self.t.get("near_kind" if a.reason == "near" else a.reason or "", a.reason)
            parts = (self.t[a.state], reason, f"→ {a.of}" if a.of else None)
            state = "" if a.state == "with_content" else f" [{escaped(', '.join(p for p in parts if p))}]"
            text = "\\\n  ".join(escaped(line) for line in a.text.splitlines() if line.strip())
            yield f"- **{self._by(a.respondent_id, a.category, a.id)}**{state}{self.colon} {text}"

    def _ledger(self) -> Iterator[str]:
        yield from ("", f"## {self.t['ledger']}", "")
        rows = []
        for line in self.facts.ledger:
            rows.append((self.t[line.name], line.total))
            rows += [(f"– {self.t[name]}", n) for name, n in line.parts]
        yield from self._table((self.t["state"], self.t["answer_count"]), rows)
        failures = self.draft.ledger.failures
        if failures:
            yield from ("", f"**{self.t['failures']} ({self._n(len(failures))})**", "")
            yield from (f"- {escaped(f.id)} · {escaped(f.stage)} · {escaped(f.reason)}" for f in failures)
        suspects = self.facts.suspects
        if suspects:
            yield from (
                "",
                f"**{self.t['suspects']} ({self._n(len(suspects))})**",
                "",
                self.t["suspects_help"],
                "",
            )
            for s in suspects:
                ways = ", ".join(self.t[way] for way in s.ways)
                yield f"- {escaped(s.answer.id)} · {ways}{self.colon} {escaped(s.answer.text)}"

    def _table(self, header: Sequence[str], rows: Iterable[Sequence[str | int | None]]) -> Iterator[str]:
        """The first column is text, the others are figures."""
        yield "| " + " | ".join(header) + " |"
        yield "|---|" + "---:|" * (len(header) - 1)
        for name, *figures in rows:
            told = ["–" if n is None else self._n(int(n)) for n in figures]
            yield "| " + " | ".join([self._say(str(name)), *told]) + " |"

    def _doubt(self, supported: bool, note: str | None) -> str:
        if supported:
            return ""
        return f" **\\[{self.t['unsupported']}{self.colon + ' ' + escaped(note) if note else ''}\\]**"

    def _again(self, why: str) -> str:
        return f" **\\[{self.t['look_again']}{self.colon} {escaped(why)}\\]**" if why else ""

    def _also(self, facts: QuestionFacts, verbatim: Verbatim) -> str:
        names = facts.also(verbatim)
        return f" ({escaped(self.t['also'].replace('{names}', listed(names, self.t)))})" if names else ""

    def _by(self, respondent: str | None, category: str | None, answer: str) -> str:
        return escaped(", ".join(part for part in (respondent or answer, category) if part))

    def _say(self, text: str) -> str:
        return escaped(typeset(text, self.language))

    def _n(self, n: int) -> str:
        return number(n, self.language)
