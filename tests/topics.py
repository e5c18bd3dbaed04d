"""Small questions by hand, for tests of the stages."""

from embeddings.encoder import HashEncoder
from service.domain.draft import Group, Isolated, Verbatim
from service.domain.round import Question
from service.domain.steps import Topic
from service.stages.voices import count_people

encode = HashEncoder().encode


def topic(
    groups: dict[str, list[str]],
    *,
    isolated: tuple[str, ...] = (),
    language="fr",
    unit="organisation",
    question="Que faut-il changer ?",
    id_="Q1",
    closed: Question | None = None,
    parents: dict[str, str] | None = None,
) -> Topic:
    """Groups by name, each a list of texts; every text is one respondent's own answer."""
    verbatims, made, voices, categories = [], [], {}, {}
    number = 0

    def one(text: str) -> str:
        nonlocal number
        number += 1
        v = Verbatim(
            id=f"{id_}:R{number:02d}.1",
            answer_id=f"{id_}:R{number:02d}",
            start=0,
            end=len(text),
            quote=text,
            text=text,
        )
        verbatims.append(v)
        voices[v.id] = (f"R{number:02d}",)
        categories[f"R{number:02d}"] = "Élus" if number % 2 else "Patients"
        return v.id

    families: dict[str, list[str]] = {}
    for k, (name, texts) in enumerate(groups.items(), start=1):
        ids = tuple(one(t) for t in texts)
        parent = f"{id_}.{(parents or {}).get(name, f'r{k}')}"
        families.setdefault(parent, []).extend(ids)
        n, by = count_people(ids, voices, categories)
        made.append(
            Group(
                id=f"{id_}.{name}",
                level=1,
                parent=parent,
                verbatim_ids=ids,
                n_respondents=n,
                by_category=by,
                exemplar_ids=ids[:3],
            )
        )
    for parent, ids in families.items():
        n, by = count_people(ids, voices, categories)
        made.append(
            Group(
                id=parent,
                level=2,
                verbatim_ids=tuple(ids),
                n_respondents=n,
                by_category=by,
                exemplar_ids=tuple(ids[:3]),
            )
        )
    alone = tuple(Isolated(verbatim_id=one(t), score=0.9) for t in isolated)
    return Topic(
        question=Question(id=id_, title=question),
        language=language,
        unit=unit,
        verbatims=tuple(verbatims),
        groups=tuple(made),
        isolated=alone,
        voices=voices,
        categories=categories,
        n_respondents=number,
        closed=closed,
    )


BUSES = [
    "Il faut plus de bus le soir",
    "Les bus doivent passer plus tard le soir",
    "Il manque des bus le soir",
]
TREES = ["Il faut planter des arbres sur la place", "Planter des arbres pour avoir de l'ombre"]
