"""Suite *grouping*: whole answers (or the ideas of a round) grouped by the pipeline, beside people's groups."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from evals.agreement import Unit, agreement, b_cubed_f1, draws, read_units, singletons
from evals.references import read_reference
from evals.scoring.texts import Compared
from evals.statistics import Part
from evals.suites import Bench, Case, Desk, Made
from evals.suites.material import groups_of, round_of
from service.pipeline import group_question

REMOVED = 0.1
LARGEST_REPEATED = 400
"""Answers up to which a question is grouped three times more, to see how steady the groups are."""


def benches(data: Path) -> list[Bench]:
    found = []
    for name in ("argkp2021", "nhs-fft", "grand-debat-coded"):
        if (data / name).is_dir():
            found += of_set(data / name)
    return found


def of_set(folder: Path) -> list[Bench]:
    """A folder with answers and the group of each."""
    reference = read_reference(folder)
    titles, language = {q.id: q.title for q in reference.questions}, reference.language
    units = read_units(folder)
    forms: dict[str, Sequence[Unit]] = {folder.name: units}
    if folder.name == "nhs-fft":
        forms = {"nhs-fft, draws of 100": draws(units, 100, 8), "nhs-fft, whole": units}
    others: Mapping[str, Unit] = {}
    stated = {"ceiling": "one coding: no human-human agreement exists"}
    if folder.name == "grand-debat-coded":
        others = {u.id: u for u in read_units(folder, "group_ids_b")}
        stated = {"ceiling": "two careful readings by language models, not by people"}
    made = []
    for name, some in forms.items():
        cases = tuple(
            Case(
                id=u.id,
                title=titles.get(u.id, u.id),
                language=language,
                data=u,
                gold=(u.gold, others[u.id].gold if others else None),
            )
            for u in some
        )
        drafters = {"draft": _ours, "one group": _one, "random": _random}
        if others:
            drafters["human"] = _other
        made.append(
            Bench(
                suite="grouping",
                set=name,
                language=language,
                sha256=reference.sha256,
                cases=cases,
                drafters=drafters,
                score=_score,
                stated=stated,
            )
        )
    return made


def _group(case: Case, texts: Mapping[str, str], desk: Desk) -> dict[str, str | None]:
    """Our group of each answer, or None."""
    round_ = round_of(case.data.id, case.title, texts, case.language)
    worked = group_question(
        round_, round_.questions[0], encoder=desk.encoder(case.language), chat=desk.chat, whole_answers=True
    )
    return {answer: ids[0] if ids else None for answer, ids in groups_of(worked).items()}


def _ours(case: Case, desk: Desk) -> Made:
    texts = {f"{i:06d}": t for i, t in enumerate(case.data.texts)}
    groups = _group(case, texts, desk)
    ours = [groups[i] for i in texts]
    made: dict[str, object] = {"groups": ours}
    if len(texts) <= LARGEST_REPEATED:
        # the same answers under other ids stand in another order
        places = Random(f"{case.id} order").sample(range(len(texts)), len(texts))
        again = _group(
            case, {f"{place:06d}": t for place, t in zip(places, case.data.texts, strict=True)}, desk
        )
        made["same_order"] = _rand(ours, [again[f"{place:06d}"] for place in places])
        left = sorted(Random(f"{case.id} fewer").sample(list(texts), round(len(texts) * (1 - REMOVED))))
        fewer = _group(case, {i: texts[i] for i in left}, desk)
        made["steady"] = _mutual([groups[i] for i in left], [fewer[i] for i in left])
    return made


def _one(case: Case, desk: Desk) -> Made:
    return {"groups": ["all"] * len(case.data.texts)}


def _random(case: Case, desk: Desk) -> Made:
    """As many groups as people made, dealt out by lot."""
    drawn = Random(f"{case.id} random")
    most = max(2, len(set(case.gold[0]) - {""}))
    return {"groups": [str(drawn.randrange(most)) for _ in case.data.texts]}


def _other(case: Case, desk: Desk) -> Made:
    """The second reading."""
    return {"groups": [g or None for g in case.gold[1]]}


def _score(case: Case, made: Made, desk: Desk) -> Compared:
    gold: Sequence[str] = case.gold[0]
    ours: list[str | None] = made["groups"]
    numbers = {g: k for k, g in enumerate(dict.fromkeys(g for g in ours if g is not None))}
    labels = [-1 if g is None else numbers[g] for g in ours]
    got = agreement(gold, labels)
    known = [i for i, g in enumerate(gold) if g]
    both = [i for i in known if labels[i] >= 0]
    figures: dict[str, Part] = {
        "ami": (got.ami, 1),
        "ari": (got.ari, 1),
        "b3": (got.b3, 1),
        "left_out": (sum(labels[i] < 0 for i in known), len(known)),
        "groups": (len(numbers), len({gold[i] for i in known})),
    }
    if both:
        figures["b3_grouped"] = (b_cubed_f1([gold[i] for i in both], [str(labels[i]) for i in both]), 1)
    none = {i for i, g in enumerate(gold) if not g}
    if none:
        alone = {i for i, g in enumerate(labels) if g < 0}
        figures["isolated"] = (2 * len(none & alone), len(none) + len(alone))
    for name in ("same_order", "steady"):
        if name in made:
            figures[name] = (float(made[name]), 1)
    return Compared(figures=figures)


def _rand(a: Sequence[str | None], b: Sequence[str | None]) -> float:
    return float(adjusted_rand_score(_as_names(a), _as_names(b)))


def _mutual(a: Sequence[str | None], b: Sequence[str | None]) -> float:
    return float(adjusted_mutual_info_score(_as_names(a), _as_names(b)))


def _as_names(groups: Sequence[str | None]) -> list[str]:
    return singletons(["" if g is None else g for g in groups], "")
