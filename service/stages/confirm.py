"""Confirm: a chat model's second opinion on texts of which the evidence is in doubt. It says whether what is cited carries a text,
which citations the text says nothing of, and rewrites it once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import prompts
from service.domain.draft import Failure
from service.domain.round import Language
from service.domain.wording import typeset
from service.llm.ask import Ask, BadReply, Refused, ask
from service.llm.chat import ChatModel
from service.llm.replies import OpinionReply, SupportReply
from service.stages.blocks import Block, show
from service.stages.evidence import Cited, Evidence, Found
from service.stages.extractive import as_sentence

TOGETHER = 12
"""Texts in one request at most."""

VERBATIMS_SHOWN = 5
"""Of each thing cited."""

ROUNDS = 2
"""The texts, then those that were rewritten and are still in doubt."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A text of a model and what it cites."""

    text: str
    cited: tuple[Cited, ...]
    form: Callable[[str], str | None]
    """The reason to refuse a rewriting, or None."""
    found: Found
    supported: bool = False
    doubt: str = ""
    """Why it is not, in the round's language; empty for a supported text."""


def claim(text: str, cited: Sequence[Cited], form: Callable[[str], str | None], evidence: Evidence) -> Claim:
    """With what the evidence says of it."""
    return Claim(text=text, cited=tuple(cited), form=form, found=_found(text, cited, evidence))


def _found(text: str, cited: Sequence[Cited], evidence: Evidence) -> Found:
    return evidence.found(text.replace("[n]", ""), cited)


def confirm(
    claims: Sequence[Claim], *, id_: str, language: Language, evidence: Evidence, chat: ChatModel
) -> tuple[tuple[Claim, ...], tuple[Failure, ...]]:
    """The same claims in order, each judged and perhaps rewritten, and the requests that were refused: there the evidence alone
    decides."""
    judged = [replace(c, supported=c.found.sure) for c in claims]
    failures: list[Failure] = []
    todo = [k for k, c in enumerate(judged) if not c.supported]
    for _ in range(ROUNDS):
        parts = [todo[i : i + TOGETHER] for i in range(0, len(todo), TOGETHER)]
        replies = ask(chat, [_Request([judged[k] for k in part], id_, language).ask() for part in parts])
        todo = []
        for part, got in zip(parts, replies, strict=True):
            if isinstance(got, Refused):
                failures.append(Failure(id=id_, stage="support", reason=got.reason))
            opinions = [None] * len(part) if isinstance(got, Refused) else got
            for k, opinion in zip(part, opinions, strict=True):
                judged[k] = _judged(judged[k], opinion, language, evidence)
                if opinion is not None and judged[k].text == opinion.text and not judged[k].supported:
                    todo.append(k)
        if not todo:
            break
    return tuple(judged), tuple(failures)


def _judged(one: Claim, opinion: OpinionReply | None, language: Language, evidence: Evidence) -> Claim:
    """After one opinion; None: there is none."""
    if opinion is None:
        return replace(
            one, supported=one.found.likely, doubt="" if one.found.likely else _weak(one.found, language)
        )
    if _yes(opinion):
        kept = not one.found.hopeless
        return replace(one, supported=kept, doubt="" if kept else _weak(one.found, language))
    if opinion.text:
        found = _found(opinion.text, one.cited, evidence)
        return replace(
            one,
            text=opinion.text,
            found=found,
            supported=found.sure,
            doubt="" if found.sure else _said(opinion, language),
        )
    return replace(one, supported=False, doubt=_said(opinion, language))


def _yes(opinion: OpinionReply) -> bool:
    return opinion.verdict == "yes" and not opinion.idle


def _weak(found: Found, language: Language) -> str:
    """Why the evidence alone does not carry it."""
    if found.turned:
        french, english = "une négation ne s’y retrouve pas", "a negation does not match"
    elif found.lone:
        french, english = (
            "une seule voix le dit, les autres de son regroupement non",
            "one voice says it, the others of its group do not",
        )
    elif min(found.each, default=1.0) < found.score:
        french, english = "elle ne dit rien d’une de ses citations", "it says nothing of one of its citations"
    else:
        french, english = "l’appui dans ce qui est cité est faible", "weak support in what is cited"
    return french if language == "fr" else english


def _said(opinion: OpinionReply, language: Language) -> str:
    """What the second opinion says."""
    french, english = {
        "no": (
            "un second avis ne la trouve pas dans ce qui est cité",
            "a second opinion does not find it in what is cited",
        ),
        "partly": (
            "un second avis n’en trouve qu’une part dans ce qui est cité",
            "a second opinion finds only a part of it in what is cited",
        ),
        "yes": ("un second avis trouve une citation de trop", "a second opinion finds a citation too many"),
    }[opinion.verdict]
    return french if language == "fr" else english


def doubt_note(one: Claim, language: Language) -> str | None:
    """What stands beside a text that is shown as unsupported."""
    if one.supported:
        return None
    return typeset(
        f"À vérifier : {one.doubt}." if language == "fr" else f"To be checked: {one.doubt}.", language
    )


class _Request:
    """One request over a few claims and the meaning of its opaque ids."""

    def __init__(self, claims: Sequence[Claim], id_: str, language: Language) -> None:
        self.claims = {f"p{k}": c for k, c in enumerate(claims, start=1)}
        self.id = id_
        self.language = language
        every = dict.fromkeys(c for one in claims for c in one.cited)
        self.names = {c: f"c{k}" for k, c in enumerate(every, start=1)}
        self.tries = 0

    def ask(self) -> Ask[list[OpinionReply]]:
        blocks, n = [], 0
        for cited, name in self.names.items():
            shown = [(f"v{n + k}", text) for k, text in enumerate(cited.verbatims[:VERBATIMS_SHOWN], start=1)]
            n += len(shown)
            blocks.append(Block(name=name, head=cited.head or "–", verbatims=tuple(shown)))
        sentences = [
            (name, f"({', '.join(self.names[c] for c in one.cited)}) {one.text}")
            for name, one in self.claims.items()
        ]
        return Ask(
            id=self.id,
            prompt=prompts.load("support", self.language),
            values={"sentences": prompts.fence_named(sentences), "cited": show(blocks)},
            reply=SupportReply,
            check=self.check,
        )

    def check(self, reply: SupportReply) -> list[OpinionReply]:
        """One opinion per claim, in order; a rewriting that is refused twice is left out. Raises BadReply."""
        self.tries += 1
        if sorted(one.id for one in reply.opinions) != sorted(self.claims):
            raise BadReply(f"opinions: give each of {', '.join(self.claims)} once, and no other id")
        by_name = {one.id: self._opinion(one) for one in reply.opinions}
        return [by_name[name] for name in self.claims]

    def _opinion(self, opinion: OpinionReply) -> OpinionReply:
        one = self.claims[opinion.id]
        unknown = [c for c in opinion.idle if c not in {self.names[cited] for cited in one.cited}]
        if unknown:
            raise BadReply(f"{opinion.id}: idle {unknown[0]} is nothing that it cites")
        if _yes(opinion) or not opinion.text.strip():
            return opinion.model_copy(update={"text": ""})
        text = as_sentence(opinion.text, self.language)
        reason = one.form(text)
        if reason and self.tries == 1:
            raise BadReply(f"{opinion.id}, text: {reason}")
        return opinion.model_copy(update={"text": "" if reason else text})
