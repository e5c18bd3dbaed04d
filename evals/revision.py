"""`python -m evals.revision QUESTION [--llm SPEC] [--answers N]`: do the groups agree better with careful readers once a model
revised them? One question of `grand-debat-coded`, each answer one verbatim; any model that `polyphonie draft` takes.
"""

import argparse
import os
import random
from collections.abc import Mapping
from pathlib import Path

from evals.agreement import agreement
from evals.references import ReferenceAnswer, read_answers, read_reference
from service.domain.round import Answer, Question, Round
from service.domain.steps import Topic
from service.pipeline import group_question
from service.settings import load_settings
from service.stages.settle import revise_in_rounds
from service.wiring import tools_for

READERS = ("A", "B")


def round_of(question: Question, answers: list[ReferenceAnswer]) -> Round:
    return Round(
        id="revision",
        title="Agreement before and after revision",
        language="fr",
        n_respondents=len(answers),
        questions=(question,),
        answers=tuple(Answer(id=a.answer_id, question_id=question.id, text=a.text) for a in answers),
    )


def told(name: str, topic: Topic, gold: Mapping[str, ReferenceAnswer]) -> str:
    """A row: agreement of the groups with each reader, over the answers that the reader put in a group."""
    ids = [v.id for v in topic.verbatims]
    home = {v: k for k, g in enumerate(g for g in topic.groups if g.level == 1) for v in g.verbatim_ids}
    answer = {v.id: gold[v.answer_id] for v in topic.verbatims}
    cells = []
    for reader in range(len(READERS)):
        groups = [next(iter(answer[v].codings[reader]), "") for v in ids]
        got = agreement(groups, [home.get(v, -1) for v in ids])
        cells.append(f"{got.ami:.3f}")
    n = len(set(home.values()))
    return f"| {name} | {' | '.join(cells)} | {n} | {len(ids) - len(home)} |"


def ceiling(gold: Mapping[str, ReferenceAnswer]) -> str:
    """The two readers with each other."""
    pairs = [tuple(next(iter(c), "") for c in a.codings) for a in gold.values()]
    names = sorted({b for _, b in pairs if b})
    got = agreement([a for a, _ in pairs], [names.index(b) if b else -1 for _, b in pairs])
    return f"The two readers agree with each other at {got.ami:.3f}."


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m evals.revision", description=__doc__)
    parser.add_argument("question", help="such as democratie_14")
    parser.add_argument("--llm", default="local", help="as for `polyphonie draft`; not extractive")
    parser.add_argument("--answers", type=int, help="a random part of the answers, the same each time")
    parser.add_argument("--data", type=Path, default=os.environ.get("POLYPHONIE_DATA", "../shared/data"))
    given = parser.parse_args()
    folder = Path(given.data) / "grand-debat-coded"
    titles = {q.id: q.title for q in read_reference(folder).questions}
    if given.question not in titles:
        parser.error(f"no question {given.question}: it has {', '.join(titles)}")
    found = sorted(
        (a for a in read_answers(folder) if a.question_id == given.question), key=lambda a: a.answer_id
    )
    chosen = random.Random(0).sample(found, min(given.answers or len(found), len(found)))
    gold = {a.answer_id: a for a in chosen}
    round_ = round_of(Question(id=given.question, title=titles[given.question]), chosen)
    with tools_for(load_settings(llm=given.llm), "fr") as tools:
        if tools.chat is None:
            parser.error("--llm extractive revises nothing")
        topic = group_question(round_, round_.questions[0], encoder=tools.encoder, whole_answers=True).topic
        revised = revise_in_rounds(topic, encode=tools.encoder.encode, chat=tools.chat)
        usage = tools.usage()
    print(
        f"{given.question}, {len(topic.verbatims)} of {len(chosen)} answers with content, model {given.llm}\n"
    )
    print(f"| groups | AMI with reader {' | with reader '.join(READERS)} | groups | isolated |")
    print("|---|---|---|---|---|")
    print(told("as vectors made them", topic, gold))
    print(told("revised", revised.topic, gold))
    print(f"\n{ceiling(gold)}")
    print(
        f"{revised.moved} verbatims moved, {revised.dropped} changes left out as opposed; {usage.calls} calls, "
        f"{usage.tokens.input + usage.tokens.output} tokens, {usage.tokens.cached} from the cache."
    )
    for failure in revised.failures:
        print(f"refused: {failure.reason}")


if __name__ == "__main__":
    main()
