"""Content: what says nothing, what repeats, and that nobody is lost on the way."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.round import Answer, Question
from service.domain.steps import Content
from service.stages.content import find_content
from service.stages.nothing import question_named, says_nothing

QUESTIONS = tuple(Question(id=f"Q{i}", title=f"Question {i} ?") for i in range(1, 9))

LETTER = (
    "Nous demandons que la maternité de notre ville reste ouverte la nuit et le dimanche, car la suivante "
    "est à une heure de route, et que les sages-femmes puissent y suivre les grossesses sans rendez-vous préalable."
)


def answers(*texts: str, question: str = "Q5") -> tuple[Answer, ...]:
    return tuple(
        Answer(id=f"{question}:{i:03}", question_id=question, text=t, respondent_id=f"r{i}")
        for i, t in enumerate(texts)
    )


def reason(text: str) -> tuple[str, str | None] | None:
    found = says_nothing(answers(text)[0], QUESTIONS)
    return (found.reason, found.see) if found else None


@pytest.mark.parametrize("text", ["", "  \n\t", "-", "...", "…", "?", "—", " . ", "\x00", "\ufeff"])
def test_blanks_and_punctuation_are_empty(text: str) -> None:
    assert reason(text) == ("empty", None)


@pytest.mark.parametrize(
    "text",
    [
        "RAS",
        "R.A.S.",
        "ras !",
        "Néant",
        "Pas de commentaire",
        "no comment",
        "x",
        "a",
        "aa",
        "blah",
        "Rien à signaler",
        "RAS, merci",
    ],
)
def test_nothing_said(text: str) -> None:
    assert reason(text) == ("nothing_said", None)


@pytest.mark.parametrize(
    "text",
    [
        "sans objet",
        "Sans-objet",
        "S/O",
        "N/A",
        "n/a.",
        "non concerné",
        "Non concerné à ce jour.",
        "Not applicable",
    ],
)
def test_not_concerned(text: str) -> None:
    assert reason(text) == ("not_concerned", None)


@pytest.mark.parametrize(
    "text",
    ["NSP", "Ne sait pas", "je ne sais pas…", "sans opinion", "sans avis", "Pas d’avis", "don't know",
     "I don’t know",      "NSP (ne sais pas)", "Pas d'avis sur la question", "je ne sais vraiment pas", "Je ne vois pas.",
     "Je n'ai pas d'exemple précis", "je n'ai pas d'idées en tête à l'instant", "no example"],
)  # fmt: skip
def test_no_opinion(text: str) -> None:
    assert reason(text) == ("no_opinion", None)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("sans obbjet", "not_concerned"),
        ("san objet", "not_concerned"),
        ("non cocnerné", "not_concerned"),
        ("je ne sait pas", "no_opinion"),
        ("jene sais pas", "no_opinion"),
        ("pas de comentaire", "nothing_said"),
        ("dont knw", "no_opinion"),
        ("voir réponse précedante", "same_as_above"),
    ],
)
def test_misspelt(text: str, why: str) -> None:
    found = reason(text)
    assert found is not None
    assert found[0] == why


@pytest.mark.parametrize(
    ("text", "see"),
    [
        ("cf. question 3", "Q3"),
        ("Voir question n°3", "Q3"),
        ("cf Q3", "Q3"),
        ("Voir réponse question2", "Q2"),
        ("see my answer to Q2", "Q2"),
        ("same as Q2", "Q2"),
        ("Idem question 2.", "Q2"),
        ("cf. questions 2 et 3", "Q2"),
        ("Déjà répondu à la question 4", "Q4"),
        ("cf. question précédente", "Q4"),
        ("Voir ma réponse à la première question", "Q1"),
        ("cf. question 30", None),
    ],
)
def test_pointing_elsewhere_keeps_its_link(text: str, see: str | None) -> None:
    assert reason(text) == ("refers", see)


@pytest.mark.parametrize(
    "text",
    [
        "idem",
        "- idem -",
        "same as above",
        "voir ci-dessus",
        "Voir + haut !",
        "Déjà répondu",
        "see above",
        "Cf ma réponse dans le premier cadre de ce questionnaire SVP.",
    ],
)
def test_same_as_above(text: str) -> None:
    assert reason(text) == ("same_as_above", None)


@pytest.mark.parametrize(
    "text",
    ["Rien", "Aucun", "Aucune.", "Non", "Oui", "Nothing", "None", "Rien à améliorer", "Rien de plus",
     "OK", "Tout", "3", "👍", "👎", "cf. question 3, et surtout il faut des médecins",
     "idem, et plus de bus", "Voir plus de médecins", "RAS avec la sécu, mais pas avec la CAF",
     "RAS tout s'est bien passé", "pas d'amis", "nothing to pay", "déjà fait", "Même justice pour tous",
     "comme avant", "as before", "Pas de réponse de la mairie", "All of the above",
     "Non concerné : je suis retraité", "sans abri", "Voir la Suisse", "idem aujourd'hui",
     "Déjà trop d'impôts", "O", "n", "Je ne vois pas de médecin", "Pas d'exemple à suivre", "aaa bbb"],
)  # fmt: skip
def test_positions_are_content(text: str) -> None:
    assert reason(text) is None


def test_a_question_is_named_by_number_or_else_by_place() -> None:
    assert question_named("12", tuple(Question(id=i, title="") for i in ("Q1", "Q4", "Q12"))) == "Q12"
    assert question_named("2", tuple(Question(id=i, title="") for i in ("Q1", "Q4", "Q12"))) is None
    assert question_named("2", tuple(Question(id=i, title="") for i in ("freins", "leviers"))) == "leviers"
    assert question_named("9", tuple(Question(id=i, title="") for i in ("freins", "leviers"))) is None
    assert question_named("3", (Question(id="question_03", title=""),)) == "question_03"


def kinds(*texts: str) -> dict[str, str]:
    found = find_content(answers(*texts), QUESTIONS)
    assert len({d.of for d in found.duplicates}) <= 1
    return {d.answer_id[-3:]: d.kind for d in found.duplicates}


def test_exact_duplicates_differ_in_case_accents_and_punctuation_only() -> None:
    assert kinds("Plus de médecins !", "plus de medecins", "PLUS DE MÉDECINS.") == {
        "000": "exact",
        "002": "exact",
    }


def test_signs_are_words() -> None:
    assert kinds("+ de médecins", "- de médecins") == {}
    assert kinds("Les bus 👍", "Les bus 👎") == {}


def test_near_duplicates() -> None:
    text = "Il faut rouvrir la ligne de train entre le bourg et la préfecture"
    assert kinds(text, "Il faut rouvrir la ligne de train entre le bourg et la prefecturre") == {
        "001": "near"
    }
    assert kinds(text, text + ", merci") == {"001": "near"}


@pytest.mark.parametrize(
    "other",
    [
        "Je ne suis pas pour la fermeture du bureau de poste de notre village le samedi",
        "Je suis contre la fermeture du bureau de poste de notre village le samedi",
        "Je suis pour la fermeture du bureau de poste de notre village le dimanche",
        "Je suis pour la fermeture du bureau de poste de notre village le samedi 2",
        "Je suis pour la réouverture du bureau de poste de notre village le samedi",
        "Je suis seulement pour la fermeture du bureau de poste de notre village le samedi",
    ],
)
def test_what_changes_the_meaning_is_no_duplicate(other: str) -> None:
    assert kinds("Je suis pour la fermeture du bureau de poste de notre village le samedi", other) == {}


def test_a_campaign_is_one_idea_with_its_number() -> None:
    found = find_content(answers(LETTER, LETTER.upper(), LETTER + " Merci.", "Autre chose"), QUESTIONS)
    assert [(d.answer_id, d.of, d.kind) for d in found.duplicates] == [
        ("Q5:001", "Q5:000", "campaign"),
        ("Q5:002", "Q5:000", "campaign"),
    ]


def test_one_respondent_who_repeats_himself_is_no_campaign() -> None:
    same = tuple(Answer(id=f"a{i}", question_id="Q5", text=LETTER, respondent_id="r") for i in range(4))
    assert {d.kind for d in find_content(same, QUESTIONS).duplicates} == {"exact"}


def test_row_order_does_not_matter() -> None:
    texts = [LETTER, LETTER + " Merci.", "RAS", "idem", "Oui", "oui !", "Plus de bus", "", "cf. question 2"]
    rows = list(answers(*texts))
    first = find_content(tuple(rows), QUESTIONS)
    random.Random(3).shuffle(rows)
    assert find_content(tuple(rows), QUESTIONS) == first


def test_which_copy_leads_does_not_depend_on_the_rows() -> None:
    texts = [LETTER, LETTER + " Merci.", LETTER.upper(), LETTER + "!", "Oui", "oui !", "OUI"]
    for seed in range(5):
        random.Random(seed).shuffle(texts)
        assert {a.text for a in find_content(answers(*texts), QUESTIONS).kept} == {LETTER, "Oui"}


def states(found: Content) -> list[str]:
    return sorted(
        [a.id for a in found.kept]
        + [n.answer_id for n in found.no_content]
        + [d.answer_id for d in found.duplicates]
        + [f.id for f in found.failures]
    )


@given(
    st.lists(
        st.one_of(st.text(max_size=40), st.sampled_from(["RAS", "oui", "Oui.", LETTER, "cf. Q2"])), max_size=8
    )
)
def test_every_answer_in_exactly_one_state(texts: list[str]) -> None:
    rows = answers(*texts)
    found = find_content(rows, QUESTIONS)
    assert states(found) == sorted(a.id for a in rows)
    assert {d.of for d in found.duplicates} <= {a.id for a in found.kept}
    assert all(a in rows for a in found.kept)
