"""Synthesise: paragraphs for one question or for joined ones, every sentence citing groups. A model's, checked, or assembled."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import prompts
from service.domain.draft import Failure, Group, Sentence, Synthesis
from service.domain.round import Language
from service.domain.steps import Synthesised, Topic
from service.domain.wordform import words
from service.domain.wording import MOST, count, typeset, weight
from service.llm.ask import Ask, BadReply, Refused, ask
from service.llm.chat import ChatModel
from service.llm.replies import SentenceReply, SynthesisReply
from service.stages.assemble import assemble, closed_sentence
from service.stages.check import Encode, check_sentence
from service.stages.confirm import Claim, claim, confirm, doubt_note
from service.stages.evidence import Cited, Evidence, evidence_of
from service.stages.extractive import as_sentence
from service.stages.voices import behind

GROUPS_SHOWN = 40
"""Labels that a synthesis is written from; the rest, the smallest, are listed as left out."""

CATEGORY_SHARE = 2 / 3
"""Share of a group's respondents of a known category from which that category is told to the model."""

VOICES_SHOWN = 12
"""Isolated voices shown to the model, the most isolated first."""


Structure = Literal["consensus", "sides", "facets"]
STRUCTURES: Mapping[Language, Mapping[Structure, str]] = {
    "fr": {"consensus": "consensus", "sides": "camps", "facets": "facettes"},
    "en": {"consensus": "consensus", "sides": "sides", "facets": "facets"},
}
STANCES: Mapping[Language, Mapping[str, str]] = {
    "fr": {"for": "pour", "against": "contre", "mixed": "avis partagés"},
    "en": {"for": "for", "against": "against", "mixed": "mixed views"},
}

PLACE = "[n]"
"""What a model writes where a count of respondents shall stand."""


def synthesise(topics: tuple[Topic, ...], *, encode: Encode, chat: ChatModel | None) -> Synthesised:
    """The synthesis of one question, or of joined ones. chat None: assembled from the labels."""
    assembled = assemble(topics)
    if chat is None or not any(t.groups for t in topics):
        return Synthesised(synthesis=assembled)
    asked = _Request(topics, evidence_of(topics, encode))
    (got,) = ask(chat, [asked.ask()])
    if isinstance(got, Refused):
        return Synthesised(
            synthesis=replace(
                assembled,
                sentences=tuple(replace(s, note=_note(topics[0], got.reason)) for s in assembled.sentences),
            ),
            fallbacks=len(assembled.sentences),
            failures=(Failure(id=asked.id, stage="synthesise", reason=got.reason),),
        )
    claims = [w.claim for paragraph in got for w in paragraph]
    judged, failures = confirm(
        claims, id_=asked.id, language=asked.language, evidence=asked.evidence, chat=chat
    )
    return Synthesised(synthesis=asked.finished(got, judged), failures=failures)


def _note(topic: Topic, reason: str) -> str:
    if topic.language == "fr":
        return typeset(
            f"Synthèse du modèle refusée ({reason}) ; celle-ci est assemblée à partir des libellés.", "fr"
        )
    return f"The model's synthesis was refused ({reason}); this one is assembled from the labels."


def structure(groups: Sequence[Group], total: int) -> Structure:
    """What is in the answers: two sides that both have a group, one position that most share, or neither."""
    largest = max(groups, key=lambda g: g.n_respondents)
    if {"for", "against"} <= {g.stance for g in groups} or largest.stance == "mixed":
        return "sides"
    return "consensus" if total and largest.n_respondents > MOST * total else "facets"


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """A sentence as the model wrote it: its count is still [n]."""

    claim: Claim
    group_ids: tuple[str, ...]
    verbatim_ids: tuple[str, ...]
    """Isolated voices."""
    n: int
    by_category: Mapping[str, int]


Paragraphs = list[list[Written]]


class _Request:
    """One request and the meaning of its opaque ids."""

    def __init__(self, topics: tuple[Topic, ...], evidence: Evidence) -> None:
        self.topics = topics
        self.id = topics[0].question.id
        self.evidence = evidence
        self.language = topics[0].language
        groups = sorted(
            ((t, g) for t in topics for g in t.groups if g.level == 1),
            key=lambda pair: -pair[1].n_respondents,  # stable: else in the order of the labels
        )
        shown = groups[:GROUPS_SHOWN]
        self.joined = len(topics) > 1
        if not self.joined:  # family by family, the one with the largest group first
            order = {g.parent: k for k, (_, g) in reversed(list(enumerate(shown)))}
            shown = sorted(shown, key=lambda pair: order[pair[1].parent])
        self.groups: Mapping[str, tuple[Topic, Group]] = {
            f"g{k}": pair for k, pair in enumerate(shown, start=1)
        }
        self.left_out = tuple(g.id for _, g in groups[GROUPS_SHOWN:])
        voices = [(t, one.verbatim_id) for t in topics for one in t.isolated]
        self.voices: Mapping[str, tuple[Topic, str]] = {
            f"i{k}": pair for k, pair in enumerate(voices[:VOICES_SHOWN], start=1)
        }
        self.texts = {v.id: v.text for t in topics for v in t.verbatims}
        self.total = max(t.n_respondents for t in topics)
        self.tries = 0

    def ask(self) -> Ask[Paragraphs]:
        none = "–"
        voices = [self._from(t) + self.texts[v] for t, v in self.voices.values()]
        closed = [s.text for s in map(closed_sentence, self.topics) if s]
        titles = prompts.fence([t.question.title for t in self.topics], "q")
        return Ask(
            id=self.id,
            prompt=prompts.load("joined" if self.joined else "synthesis", self.language),
            values={
                "questions" if self.joined else "question": titles,
                "closed": " ".join(closed) or none,
                "labels": prompts.fence_named(self._labels()),
                "voices": prompts.fence(voices, "i") if voices else none,
                "structure": STRUCTURES[self.language][
                    structure([g for _, g in self.groups.values()], self.total)
                ],
                "length": str(self.length),
            },
            reply=SynthesisReply,
            check=self.check,
        )

    @property
    def length(self) -> int:
        """Words asked for: with the number of groups, as in hand-made reports of the field (60 to 220 words), and no more than
        there are to sum up."""
        shown = [g.label for _, g in self.groups.values()] + [self.texts[v] for _, v in self.voices.values()]
        return min(260, 40 + 14 * len(self.groups), max(40, sum(len(text.split()) for text in shown)))

    def _labels(self) -> list[tuple[str, str]]:
        """The labels with what is known of each; those of one question under their families, where these have several."""
        families = {g.id: g for t in self.topics for g in t.groups if g.level == 2}
        sizes = Counter(g.parent for _, g in self.groups.values())
        lines: list[tuple[str, str]] = []
        told: dict[str, None] = {}
        for name, (topic, group) in self.groups.items():
            family = families.get(group.parent or "")  # labels of a file have none
            if family and not self.joined and sizes[family.id] > 1 and family.id not in told:
                lines.append((f"f{len(told) + 1}", family.label))
                told[family.id] = None
            known = ", ".join(self._known(topic, group))
            lines.append((name, self._from(topic) + (f"[{known}] " if known else "") + group.label))
        return lines

    def _from(self, topic: Topic) -> str:
        return f"(q{self.topics.index(topic) + 1}) " if self.joined else ""

    def _known(self, topic: Topic, group: Group) -> list[str]:
        """Weight in words, stance, and the category that prevails."""
        said = [weight(group.n_respondents, topic.n_respondents, self.language)]
        if group.stance in ("for", "against", "mixed"):
            said.append(STANCES[self.language][group.stance])
        total = sum(group.by_category.values())
        for name, n in list(group.by_category.items())[:1]:
            if n >= 2 and n >= CATEGORY_SHARE * total:
                said.append(f"surtout {name}" if self.language == "fr" else f"mostly {name}")
        return [one for one in said if one]

    def check(self, reply: SynthesisReply) -> Paragraphs:
        """Raises BadReply; a sentence that nothing cited carries is sent back once, then shown as unsupported."""
        self.tries += 1
        made = [[self._sentence(s) for s in p.sentences] for p in reply.paragraphs if p.sentences]
        n = sum(len(w.claim.text.split()) for paragraph in made for w in paragraph)
        if n > 1.5 * self.length:
            raise BadReply(f"{n} words: at most {self.length}")
        cited = {g for paragraph in made for w in paragraph for g in w.group_ids}
        missing = [key for key, (_, g) in self.groups.items() if g.id not in cited]
        if missing:
            raise BadReply(f"these labels are cited by no sentence: {', '.join(missing)}")
        return made

    def _sentence(self, reply: SentenceReply) -> Written:
        unknown = [c for c in reply.cites if c not in self.groups and c not in self.voices]
        if unknown or not reply.cites:
            raise BadReply(
                f"« {reply.text[:60]} » cites {unknown or 'nothing'}: cite ids that are given, such as g1"
            )
        names = list(dict.fromkeys(reply.cites))
        groups = [self.groups[c][1] for c in names if c in self.groups]
        alone = [self.voices[c][1] for c in names if c in self.voices]
        n, by_category = behind(self.topics, [*(v for g in groups for v in g.verbatim_ids), *alone])
        cited = [
            *(Cited(head=g.label, verbatims=tuple(self.texts[v] for v in g.exemplar_ids)) for g in groups),
            *(Cited(verbatims=(self.texts[v],)) for v in alone),
        ]
        sources = [c.texts[0] for c in cited]

        def form(text: str) -> str | None:
            if PLACE in text and not self.total:
                return f"counts are not known here, write it without {PLACE}"
            return check_sentence(text, sources, self.language, n=n, total=self.total) or self._stranger(
                text, sources, by_category
            )

        made = claim(as_sentence(reply.text, self.language), cited, form, self.evidence)
        reason = form(made.text)
        if made.found.hopeless and self.tries == 1:
            reason = (
                reason or "it says what its labels do not say, or nothing of one of them; use their words"
            )
        if reason:
            raise BadReply(f"« {reply.text[:60]} »: {reason}")
        return Written(
            claim=made,
            group_ids=tuple(g.id for g in groups),
            verbatim_ids=tuple(alone),
            n=n,
            by_category=by_category,
        )

    def finished(self, paragraphs: Paragraphs, judged: Sequence[Claim]) -> Synthesis:
        """The synthesis, with the judged texts in place of those that the model wrote first."""
        told = [s for s in map(closed_sentence, self.topics) if s]
        sentences = list(told)
        places = [tuple(range(len(told)))] if told else []
        claims = iter(judged)
        for paragraph in paragraphs:
            first = len(sentences)
            sentences += [self._finished(w, next(claims)) for w in paragraph]
            places.append(tuple(range(first, len(sentences))))
        return Synthesis(sentences=tuple(sentences), paragraphs=tuple(places), left_out=self.left_out)

    def _finished(self, written: Written, one: Claim) -> Sentence:
        return Sentence(
            text=self._counted(one.text, written.n),
            group_ids=written.group_ids,
            verbatim_ids=written.verbatim_ids,
            supported=one.supported,
            note=doubt_note(one, self.language),
            origin="model",
            n_respondents=written.n if self.total else None,
            by_category=written.by_category,
        )

    def _stranger(self, text: str, sources: Sequence[str], by_category: Mapping[str, int]) -> str | None:
        """A category of respondents that the sentence names and nobody behind it has."""
        known = {c for t in self.topics for c in t.categories.values()} - by_category.keys()
        said, cited = f" {' '.join(words(text))} ", f" {' '.join(words(' . '.join(sources)))} "
        for name in sorted(known):
            plain = f" {' '.join(words(name))} "
            if plain in said and plain not in cited:
                return f"nobody of « {name} » is behind what is cited"
        return None

    def _counted(self, text: str, n: int) -> str:
        """The sentence with its count: a model writes [n], the number is ours."""
        topic = self.topics[0]
        total = 0 if self.joined else self.total
        said = count(n, max(n, total), topic.unit, self.language)
        return typeset(
            text.replace(PLACE, said[:1].upper() + said[1:] if text.startswith(PLACE) else said),
            self.language,
        )
