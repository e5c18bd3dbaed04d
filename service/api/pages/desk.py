"""What the pages keep between requests: what drafts are searched by, and syntheses that are being drafted again."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from service.api.offers import ENCODERS
from service.domain.draft import Draft, Verbatim
from service.domain.revision import Redraft
from service.domain.round import Language
from service.domain.wordform import fold
from service.errors import PolyphonieError
from service.redraft import redraft_question
from service.settings import Settings
from service.wiring import folder_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from embeddings.encoder import Encoder
    from embeddings.neighbours import Searched
    from service.wiring import Tools

How = Literal["words", "meaning"]


class ToolsFor(Protocol):
    """As `service.wiring.tools_for`."""

    def __call__(
        self, settings: Settings, language: Language, kept: Path | None = None
    ) -> AbstractContextManager["Tools"]: ...


FOUND = 60
"""Most verbatims that a search tells."""

KEPT = 4
"""Drafts whose verbatims are kept ready to be searched."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    question_id: str
    v: Verbatim
    score: float | None
    """Cosine of the vectors; None for a search by words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Results:
    found: tuple[Found, ...]
    total: int
    """All that a search by words found."""


@dataclass(kw_only=True, slots=True)
class _Index:
    """The verbatims of a draft; they do not change with revisions."""

    question_ids: list[str]
    verbatims: list[Verbatim]
    folded: list[str]
    encoder: "Encoder | None" = None
    rows: "Searched | None" = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Writing:
    """A synthesis that a model is drafting again."""

    running: bool
    error: str | None = None


class Desk:
    """One for each application; safe to use from several threads."""

    def __init__(self, settings: Settings, tools_for: ToolsFor) -> None:
        self._settings = settings
        self._tools_for = tools_for
        self._lock = threading.Lock()
        self._encoding = threading.Lock()
        self._indexes: OrderedDict[str, _Index] = OrderedDict()
        self._writing: dict[tuple[str, str], Writing] = {}

    def search(
        self,
        draft_id: str,
        round_id: str,
        draft: Draft,
        words: str,
        *,
        how: How,
        question_ids: Sequence[str] = (),
    ) -> Results:
        """Verbatims that have every word (in the order of the draft), or the nearest by meaning (nearest first).

        question_ids: only of these; none: of all.
        """
        index = self._index(draft_id, draft)
        inside = set(question_ids)
        places = [i for i, q in enumerate(index.question_ids) if not inside or q in inside]
        if how == "words":
            wanted = fold(words).split()
            hits = [i for i in places if all(w in index.folded[i] for w in wanted)] if wanted else []
            told: list[tuple[int, float | None]] = [(i, None) for i in hits[:FOUND]]
            total = len(hits)
        else:
            told = [*self._nearest(index, round_id, draft, words, places)] if words.strip() else []
            total = len(told)
        return Results(
            found=tuple(
                Found(question_id=index.question_ids[i], v=index.verbatims[i], score=score)
                for i, score in told
            ),
            total=total,
        )

    def redraft(
        self,
        draft_id: str,
        round_id: str,
        draft: Draft,
        question_id: str,
        *,
        llm: str | None,
        done: Callable[[Redraft], None],
    ) -> bool:
        """Draft a question's synthesis again, and hand the edit to `done`. llm: the draft's own, None for the settings'.

        Without a model it is done on return: True. With one it goes on in the background, and `writing` tells how it stands.
        """
        settings = self._settings if llm is None else self._settings.model_copy(update={"llm": llm})
        kept = folder_of(settings, round_id)

        def encode(texts: Sequence[str]) -> "NDArray[np.float32]":
            with self._tools_for(settings, draft.round.language, kept) as tools:
                return tools.encoder.encode(texts)

        def write() -> None:
            with self._tools_for(settings, draft.round.language, kept) as tools:
                made = redraft_question(draft, question_id, encode=tools.encoder.encode, chat=tools.chat)
            done(made)

        if settings.llm == "extractive":
            # the encoder is loaded only if it is asked for something
            done(redraft_question(draft, question_id, encode=encode, chat=None))
            return True
        key = draft_id, question_id
        with self._lock:
            if key in self._writing and self._writing[key].running:
                return False
            self._writing[key] = Writing(running=True)
        threading.Thread(target=self._watched, args=(key, write), name="redraft", daemon=True).start()
        return False

    def writing(self, draft_id: str, question_id: str) -> Writing | None:
        """How a redraft stands; one that failed is told once."""
        with self._lock:
            found = self._writing.get((draft_id, question_id))
            if found is not None and not found.running:
                del self._writing[draft_id, question_id]
        return found

    def forget(self, draft_id: str) -> None:
        """The draft was deleted with its round."""
        with self._lock:
            self._indexes.pop(draft_id, None)

    def _watched(self, key: tuple[str, str], write: Callable[[], None]) -> None:
        error = None
        try:
            write()
        except PolyphonieError as refused:
            error = str(refused)
        except Exception as defect:  # the thread is the last to see it
            error = type(defect).__name__
        with self._lock:
            if error is None:
                del self._writing[key]
            else:
                self._writing[key] = Writing(running=False, error=error)

    def _index(self, draft_id: str, draft: Draft) -> _Index:
        with self._lock:
            if draft_id in self._indexes:
                self._indexes.move_to_end(draft_id)
                return self._indexes[draft_id]
        pairs = [(q.id, v) for q in draft.questions for v in q.verbatims]
        made = _Index(
            question_ids=[q for q, _ in pairs],
            verbatims=[v for _, v in pairs],
            folded=[fold(f"{v.text} {v.quote}") for _, v in pairs],
        )
        with self._lock:
            self._indexes[draft_id] = made
            while len(self._indexes) > KEPT:
                self._indexes.popitem(last=False)
        return made

    def _nearest(
        self, index: _Index, round_id: str, draft: Draft, words: str, places: Sequence[int]
    ) -> list[tuple[int, float]]:
        import numpy as np

        from embeddings.neighbours import Searched  # FAISS: only who searches by meaning waits for it

        with self._encoding:
            if index.encoder is None or index.rows is None:
                kept = folder_of(self._settings, round_id)
                with self._tools_for(self._like(draft), draft.round.language, kept) as tools:
                    index.encoder = tools.encoder
                index.rows = Searched(index.encoder.encode([v.text for v in index.verbatims]))
            query = index.encoder.encode([words])[0]
        among = None if len(places) == len(index.verbatims) else np.asarray(places, dtype=np.int64)
        return [(n, score) for n, score in index.rows.nearest(query, FOUND, among) if score > 0]

    def _like(self, draft: Draft) -> Settings:
        """The settings with the draft's own encoder, whose vectors are in the cache, and no model."""
        name = draft.provenance.encoder.split("@")[0]
        known = name if name in ENCODERS else self._settings.encoder
        return self._settings.model_copy(update={"llm": "extractive", "encoder": known})
