import pytest

from service.domain.language import detect_language, is_surely_other
from service.domain.polarity import polarity
from service.domain.wording import categories, count, overclaim, people, quoted, typeset, weight
from service.stages.check import check_label, code, new_number, one_sentence, repeats, turned
from service.stages.evidence import HARDLY, SURE, Evidence
from tests.topics import encode


@pytest.mark.parametrize(
    ("text", "n", "total", "claim"),
    [
        ("La plupart des organisations le veulent", 4, 10, "La plupart"),
        ("La plupart des organisations le veulent", 8, 10, None),
        ("Une majorité le souhaite", 5, 10, "Une majorité"),
        ("Une majorité le souhaite", 6, 10, None),
        ("Plusieurs organisations", 2, 10, "Plusieurs organisations"),
        ("Plusieurs organisations", 3, 10, None),
        ("Une seule organisation", 2, 10, "Une seule organisation"),
        ("Une seule organisation", 1, 10, None),
        ("Toutes les organisations", 9, 10, "Toutes les organisations"),
        ("Toutes les organisations", 10, 10, None),
        ("Tous les territoires sont touchés", 1, 10, None),
        ("De nombreuses organisations", 3, 10, "De nombreuses organisations"),
        ("La plupart des organisations", 1, 0, None),
        ("Most respondents agree", 3, 10, "Most respond"),
        ("Several respondents agree", 3, 10, None),
        ("La moitié des organisations demande un guichet", 3, 20, "La moitié des organisations"),
        ("La moitié des organisations demande un guichet", 10, 20, None),
        ("La moitié du budget va ailleurs", 1, 20, None),
        ("Un tiers des répondants", 7, 20, None),
        ("Les deux tiers des personnes âgées", 1, 20, None),
        ("Half of the respondents want it", 2, 10, "Half of the respondents"),
        ("Plusieurs demandent un guichet", 2, 20, "Plusieurs"),
        ("Les aides dont plusieurs dépendent", 1, 20, None),
        ("Tous demandent un guichet", 5, 9, "Tous"),
        ("Il faut que tous soient formés", 1, 9, None),
        ("Most want more buses", 4, 10, "Most"),
    ],
)
def test_quantities_are_held_against_the_counts(text, n, total, claim):
    assert overclaim(text, n, total) == claim


@pytest.mark.parametrize("n", range(1, 11))
def test_the_word_we_offer_never_overclaims(n):
    for language, noun in (("fr", "des organisations"), ("en", "respondents")):
        assert overclaim(f"{weight(n, 10, language)} {noun}", n, 10) is None


def test_counts_are_said_in_words_that_fit():
    assert people(1, "organisation", "fr") == "une organisation"
    assert people(1, "respondent", "fr") == "un répondant"
    assert count(9, 27, "organisation", "fr") == "9\u00a0organisations sur 27"
    assert count(1234, 5000, "respondent", "fr") == "1\u202f234\u00a0répondants sur 5\u202f000 (25\u00a0%)"
    assert count(3, 1000, "respondent", "en") == "3 of 1,000\u00a0respondents"


def test_french_typography():
    assert (
        typeset("Quoi? « Oui » ; l'eau : bien !", "fr")
        == "Quoi\u00a0? «\u00a0Oui\u00a0»\u00a0; l’eau\u00a0: bien\u00a0!"
    )
    assert typeset("à 10:30 sur http://a.b", "fr") == "à 10:30 sur http://a.b"
    assert quoted("\u2069\u202eIl dit", "en") == "“Il dit”", "an open mark would turn the count behind it"
    assert people(0, "respondent", "fr") == "0\u00a0répondant"
    assert categories({"\u202eÉlus": 3}, "fr") == "dont Élus (3)"
    assert quoted("Il dit «\u00a0oui\u00a0».", "fr") == "«\u00a0Il dit “oui”\u00a0»"


def test_one_sentence():
    assert one_sentence("Il faut agir.", 5) is None
    assert one_sentence("Il faut agir. Et vite.", 9)
    assert one_sentence("Il dit « Oui. Non. » et part.", 9) is None
    assert one_sentence("a b c d e f", 5)
    assert one_sentence("  ", 5)
    assert one_sentence("Le Dr. Martin et M. Paul partent.", 9) is None
    assert one_sentence("Il part ; Paul reste.", 9) is None


def test_new_numbers_and_loops_are_caught():
    assert new_number("En 2016 et 40 %", ["la loi de 2016"])
    assert new_number("En 2016", ["la loi de 2016"]) is None
    assert repeats("il faut du pain " * 4)
    assert repeats("Il faut du pain et du beurre") is None


@pytest.mark.parametrize(
    "text",
    [
        "Voir https://exemple.fr",
        "Lire le fichier /etc/passwd",
        "Écrire <b>oui</b>",
        "Écrire à a@b.fr",
        "Faire run()",
    ],
)
def test_an_address_a_path_or_markup_is_no_label(text):
    assert check_label(f"{text} est demandé par tous", [text], "fr") == code("<")


@pytest.mark.parametrize(
    "text", ["Il faut plus de bus et/ou de trains", "Rouler à 30 km/h", "Un site (utile) : oui"]
)
def test_words_with_a_stroke_are_no_path(text):
    assert code(text) is None


def test_a_turned_statement_is_caught():
    assert turned("Les bus ne passent pas", ["Les bus passent", "Il y a des bus"])
    assert turned("Les bus passent", ["Les bus ne passent pas", "Aucun bus"])
    assert turned("Il n’y a pas assez de cadre", ["Un manque de cohérence et de cadre"]) is None
    assert turned("Je crains que le bus ne parte", ["Le bus part trop tôt"]) is None
    assert turned("Les bus ne passent pas", ["Les bus ne passent jamais"]) is None
    assert turned("Dix lignes, dont deux de nuit, sont demandées", ["Dix lignes sont demandées"]) is None
    assert turned("They don't run at night", ["They run at night"])


def test_support_is_high_for_what_is_said_and_low_for_what_is_not():
    said = ["Il faut plus de bus le soir", "Des bus plus tard le soir"]
    evidence = Evidence([*said, "Planter des arbres", "La cantine est chère"], encode)
    assert evidence.score("Il faut des bus le soir", said) > SURE
    assert evidence.score("La monarchie sera restaurée", said) < HARDLY
    assert evidence.score("Il faut des bus", []) == 0


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("No one should be forced to vote", 0),
        ("No, it is a bad law", -1),
        ("Those who do not agree with the candidates", 0),
        ("I agree with the ban", 1),
        ("Give lifts to take people out for support", 0),
        ("We support the ban", 1),
    ],
)
def test_an_english_word_that_only_looks_like_a_side(text, side):
    assert polarity(text) == side


def test_language_and_polarity():
    assert detect_language(["The hospital is too far from the village"]) == "en"
    assert detect_language(["L’hôpital est trop loin du village"]) == "fr"
    assert is_surely_other("The hospital is too far from the village and it is slow", "fr")
    assert not is_surely_other("Le week-end est trop court", "fr")
    assert [
        polarity(t)
        for t in ("Nous sommes favorables", "Pas favorable", "Contre", "Ni pour ni contre", "Le bus")
    ] == [1, -1, -1, 0, 0]


def test_what_is_proposed_is_no_side():
    neither = (
        "Il faut supprimer les cabines",
        "Interdire la publicité",
        "Non à la suppression du car",
        "Pour les jeunes, rien",
    )
    assert [polarity(t) for t in neither] == [0, 0, 0, 0]
    assert polarity("Une obligation ne servira à rien") == polarity("Non à l’obligation") == -1
