"""Presidio with the French model of spaCy and our recognisers, loaded at first use: the imports alone take seconds.

There is no English spaCy model on the package index; the French one and the rules of `names` serve both languages, measured by
`python -m evals.masking`.
"""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast, get_args

from service.llm.masking.coded import Found, Kind, find_coded
from service.llm.masking.names import persons

if TYPE_CHECKING:
    from presidio_analyzer import BatchAnalyzerEngine

MODEL = "fr_core_news_md"
LANGUAGE = "fr"
"""The only language that Presidio is told of: one model, one set of recognisers for both of ours."""

UNUSED = ["tagger", "parser", "lemmatizer", "attribute_ruler", "morphologizer", "senter"]


class Detector:
    """Finds personal data in texts. One for a process: the model takes about 150 MB; calls wait for each other."""

    def __init__(self) -> None:
        self._engine: BatchAnalyzerEngine | None = None
        self._lock = threading.Lock()

    def find(self, texts: Sequence[str]) -> list[tuple[Found, ...]]:
        """What is found in each text, none inside another, in reading order."""
        with self._lock:
            if self._engine is None:
                self._engine = _engine()
            results = self._engine.analyze_iterator(list(texts), LANGUAGE, batch_size=64)
        return [
            _apart([Found(start=r.start, end=r.end, kind=cast(Kind, r.entity_type)) for r in one])
            for one in results
        ]


def _apart(found: Sequence[Found]) -> tuple[Found, ...]:
    """A number or an address has a form and wins over a name; the longer over the shorter."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda f: (f.kind == "person", f.start - f.end, f.start)):
        if all(one.end <= k.start or one.start >= k.end for k in kept):
            kept.append(one)
    return tuple(sorted(kept, key=lambda f: f.start))


def _engine() -> "BatchAnalyzerEngine":
    import logging

    import spacy
    from presidio_analyzer import (
        AnalyzerEngine,
        BatchAnalyzerEngine,
        EntityRecognizer,
        RecognizerRegistry,
        RecognizerResult,
    )
    from presidio_analyzer.nlp_engine import NerModelConfiguration, NlpArtifacts, SpacyNlpEngine

    class Recognizer(EntityRecognizer):
        """Our finders in Presidio's form; the names take what spaCy's model found."""

        def load(self) -> None:
            pass

        def analyze(
            self,
            text: str,
            entities: list[str],  # noqa: ARG002
            nlp_artifacts: NlpArtifacts,
        ) -> list[RecognizerResult]:
            spans = [(e.start_char, e.end_char) for e in nlp_artifacts.entities if e.label_ == "PERSON"]
            found = (*find_coded(text), *persons(text, spans))
            return [RecognizerResult(entity_type=f.kind, start=f.start, end=f.end, score=1.0) for f in found]

    class Engine(SpacyNlpEngine):
        def load(self) -> None:
            self.nlp = {LANGUAGE: spacy.load(MODEL, exclude=UNUSED)}  # type: ignore[assignment]

    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    ours = Recognizer(supported_entities=list(get_args(Kind)), supported_language=LANGUAGE, name="polyphonie")
    ner = NerModelConfiguration(
        model_to_presidio_entity_mapping={"PER": "PERSON"}, labels_to_ignore={"LOC", "ORG", "MISC"}
    )
    engine = Engine(models=[{"lang_code": LANGUAGE, "model_name": MODEL}], ner_model_configuration=ner)
    engine.load()
    registry = RecognizerRegistry(recognizers=[ours], supported_languages=[LANGUAGE])
    return BatchAnalyzerEngine(
        AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=[LANGUAGE])
    )
