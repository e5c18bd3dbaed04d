"""Cutting and wording: exact spans, nothing lost, no negation dropped, a refused reply leaves the rules' cut."""

import json
import unicodedata
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.round import Answer
from service.domain.wordform import negations, words
from service.llm.chat import ChatRequest, ScriptedChat
from service.stages.cutting import cut
from service.stages.segment import LONG_ANSWER, segment
from service.stages.simplify import simplify


def pieces(text: str) -> list[str]:
    return [text[a:b] for a, b in cut(text)]


def answer(text: str, id_: str = "Q1:r1") -> Answer:
    return Answer(id=id_, question_id="Q1", text=text, respondent_id="r1", category="Ville")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Plus de bus le soir", 1),
        ("Les bus sont rares. Les trains aussi sont rares.", 2),
        ("M. Dupont et le Dr. Martin (cf. art. 3) ont demandé 1,5 M€ à la S.N.C.F. pour la gare.", 1),
        ("Voir le site https://exemple.fr/a.b?c=1. Écrire à jean.dupont@exemple.fr demain.", 2),
        ("Il faut des médecins, des infirmières, etc. Les urgences ferment la nuit.", 2),
        ("On attend… trois mois pour un rendez-vous. Le dossier se perd !", 2),
        ("Le maire a dit « C'est non. » et il est parti.", 1),
        ("Trop cher ; trop loin de chez nous", 2),
        ("There is no parking. We need more nurses at night.", 2),
        ("The answer was no. We need more nurses at night.", 2),
        ("Le problème reste ce qu'il est. Il faut agir vite.", 2),
        ("Délais trop longs Pas de suivi du dossier par la mairie", 2),
        ("Rouvrir la ligne entre Le Havre et La Rochelle par Les Sables", 1),
    ],
)
def test_sentences(text: str, count: int) -> None:
    assert len(pieces(text)) == count, pieces(text)


@pytest.mark.parametrize(
    "text",
    [
        "- plus de bus\n- plus de trains\n- moins d'impôts",
        "1. plus de bus\n2. plus de trains\n3. moins d'impôts",
        "• plus de bus • plus de trains • moins d'impôts",
        "1) plus de bus 2) plus de trains 3) moins d'impôts",
        "a) plus de bus b) plus de trains c) moins d'impôts",
        "plus de bus\r\nplus de trains\r\nmoins d'impôts",
        "- plus de bus - plus de trains - moins d'impôts",
    ],
)
def test_lists(text: str) -> None:
    assert pieces(text) == ["plus de bus", "plus de trains", "moins d'impôts"]


def test_what_looks_like_a_list_marker_and_is_content() -> None:
    assert pieces("20 - 25 élèves par classe") == ["20 - 25 élèves par classe"]
    assert pieces("Je chauffe à 19° le jour et à 16° la nuit") == [
        "Je chauffe à 19° le jour et à 16° la nuit"
    ]
    assert pieces("- d'impôts") == ["- d'impôts"]
    assert pieces("+ de bus\n- de voitures") == ["+ de bus", "- de voitures"]
    assert pieces("3)") == ["3)"]


def test_a_wrapped_line_is_joined_and_short_lines_are_a_list() -> None:
    assert len(pieces("Il faut davantage de médecins dans les campagnes et\ndes navettes vers la ville")) == 1
    assert len(pieces("des médecins\ndes navettes\ndes écoles")) == 3


def test_text_without_stops_is_cut_where_a_clause_begins() -> None:
    text = (
        "il faut plus de bus le soir pour rentrer du travail et puis on attend trop longtemps à la mairie pour un "
        "passeport par contre les agents sont très aimables avec nous"
    )
    assert [p.split()[0] for p in pieces(text)] == ["il", "et", "par"]


@pytest.mark.parametrize(
    "text",
    [
        "je pense qu'il faut que les élus viennent nous voir au moins une fois par an dans les quartiers où personne ne va",
        "quand on habite loin de la ville et que le dernier train part à dix-huit heures on ne peut pas travailler tard",
        "pour renouer le lien entre les citoyens et les élus de la République il faudrait des réunions dans chaque village",
        "les dossiers sont de plus en plus longs de plus en plus complexes et de moins en moins clairs pour les familles",
    ],
)
def test_one_idea_stays_whole(text: str) -> None:
    assert pieces(text) == [text]


def test_examples_reasons_and_lead_ins_belong_to_their_idea() -> None:
    text = "Il faut des médecins de nuit. Par exemple, à Saint-Lô, les urgences ferment à vingt heures."
    assert pieces(text) == [text]
    (verbatim,) = segment((answer(text),), "fr").verbatims
    assert verbatim.quote == text
    assert verbatim.text == "Il faut des médecins de nuit."
    assert len(pieces("Les loyers sont trop chers. Ce qui fait fuir les jeunes ménages.")) == 1
    assert len(pieces("Voici ma réponse : il faut plus de bus. Il manque aussi des trains.")) == 2
    assert pieces("Bonjour, merci. Il faut plus de bus le soir.") == [
        "Bonjour, merci. Il faut plus de bus le soir."
    ]
    assert pieces("Non. Il faut garder la poste ouverte.") == ["Non. Il faut garder la poste ouverte."]


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("De plus, je pense que les bus sont trop rares", "Les bus sont trop rares"),
        ("à mon avis, les bus sont trop rares.", "Les bus sont trop rares."),
        ("I think that we need more nurses", "We need more nurses"),
        ("Des outils (ex. : un agenda, un carnet) utiles à tous", "Des outils utiles à tous"),
        ("Développer les transports en zone rurale, par exemple des navettes.", "Développer les transports en zone rurale."),
        ("Bonjour, il faut plus de trains. Merci d'avance !", "Il faut plus de trains."),
        ("la nécessité par exemple de remplir dix fois la fiche", "La nécessité par exemple de remplir dix fois la fiche"),
        ("Merci de baisser les taxes", "Merci de baisser les taxes"),
        ("Je ne pense pas que ce soit utile", "Je ne pense pas que ce soit utile"),
        ("-10 % de taxes", "-10 % de taxes"),
        ("- d'impôts", "- d'impôts"),
        ("Et", "Et"),
        ("et puis quand on a\u00a0mal\u00a0: rien", "Quand on a\u00a0mal\u00a0: rien"),
    ],
)  # fmt: skip
def test_wording(quote: str, text: str) -> None:
    assert simplify(quote) == text


FRAGMENTS = st.sampled_from(
    ["Il faut", "plus de bus", "ne pas fermer", "je pense que", "De plus, ", "par exemple", ", par exemple le soir", "1) ",
     "2) ", "\n- ", "\r\n", ". ", " ; ", "… ", "?", " !", "(ex. : là)", "(", ")", "« ", " »", "M. ", "1,5 %", "+ de ",
     "mais il ", "et puis ", "e\u0301te\u0301", "👩‍👩‍👧", "👍", "\u200d", "\x00", "\u00a0", "œuvre", "Non. ", "Bonjour, ",
     "merci", "aucun", "sans", "we don't", "and we need", " • ", "a) ", "b) ", "R.I.B. ", "etc. ", "https://a.b/c", "19° "]
)  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=60), st.lists(FRAGMENTS, max_size=14).map(" ".join), st.lists(FRAGMENTS).map("".join)
)


@given(TEXTS)
def test_spans_are_exact_in_order_and_hold_every_letter(text: str) -> None:
    spans = cut(text)
    inside = set()
    last = 0
    for start, end in spans:
        assert last <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
        inside |= set(range(start, end))
        last = end
    for at, char in enumerate(text):
        if char.isalpha() and at not in inside:  # only the letter of a list marker: "a)", "b)"
            assert char.lower() in "abcdefgh"
            assert text[at + 1 : at + 3].strip()[:1] in tuple(".)°/-]")
        if char > "\u2190" and unicodedata.category(char) == "So" and char not in "▪►●○◦→➢✓✔":
            assert at in inside or not any(c.isalnum() for c in text)


@given(TEXTS)
def test_wording_adds_no_word_and_drops_no_negation(text: str) -> None:
    wording = simplify(text)
    assert not Counter(words(wording)) - Counter(words(text))
    if not any(mark in text.lower() for mark in ("exemple", "ex.", "e.g", "example", "instance", "(")):
        assert negations(wording) == negations(text)


@given(TEXTS, st.booleans())
def test_every_answer_has_a_verbatim_or_a_failure(text: str, whole: bool) -> None:
    made = segment((answer(text),), "fr", whole=whole)
    assert bool(made.verbatims) != bool(made.failures)
    for k, verbatim in enumerate(made.verbatims, start=1):
        assert verbatim.id == f"Q1:r1.{k}"
        assert verbatim.quote == text[verbatim.start : verbatim.end]
        assert verbatim.text
        assert (verbatim.answer_id, verbatim.respondent_id, verbatim.category) == ("Q1:r1", "r1", "Ville")


def test_whole_answers_are_one_verbatim_each() -> None:
    (verbatim,) = segment((answer("  Plus de bus.\nPlus de trains.  "),), "fr", whole=True).verbatims
    assert (verbatim.start, verbatim.end) == (2, 30)
    assert verbatim.quote == "Plus de bus.\nPlus de trains."


@pytest.mark.parametrize(
    "unit", [".", " ", "a", "a:-", "(par exemple ", "merci ", "\x00", "et puis ", "; ", "1) "]
)
def test_hostile_length_takes_no_time(unit: str) -> None:
    text = unit * (20_000 // len(unit))
    made = segment((answer(text),), "fr")
    assert all(v.quote == text[v.start : v.end] for v in made.verbatims)


LONG = " ".join(
    f"Le bus numéro {n} ne passe plus le soir dans notre quartier et les enfants rentrent à pied."
    for n in range(1, 6)
)


def replying(*ideas: tuple[int, int, str]) -> ScriptedChat:
    reply = {"ideas": [{"first": a, "last": b, "text": text} for a, b, text in ideas]}
    return ScriptedChat(lambda request: json.dumps(reply))


def test_a_chat_model_merges_and_rewords_long_answers() -> None:
    assert len(words(LONG)) >= LONG_ANSWER
    chat = replying(
        (1, 2, "Le bus ne passe plus le soir"), (3, 5, "Les enfants rentrent à pied, le bus ne passe plus")
    )
    made = segment((answer(LONG),), "fr", chat=chat)
    assert made.failures == ()
    assert [v.text for v in made.verbatims] == [
        "Le bus ne passe plus le soir",
        "Les enfants rentrent à pied, le bus ne passe plus",
    ]
    assert all(v.quote == LONG[v.start : v.end] for v in made.verbatims)
    assert made.verbatims[0].end < made.verbatims[1].start


def test_short_answers_are_not_sent() -> None:
    def refuse(request: ChatRequest) -> str:
        raise AssertionError("asked about a short answer")

    assert (
        len(segment((answer("Plus de bus. Plus de trains."),), "fr", chat=ScriptedChat(refuse)).verbatims)
        == 2
    )


@pytest.mark.parametrize(
    "ideas",
    [
        [(1, 4, "Le bus ne passe plus le soir")],
        [(1, 3, "Le bus ne passe plus le soir"), (3, 5, "Les enfants rentrent à pied, plus de bus ne passe")],
        [(2, 5, "Le bus ne passe plus le soir"), (1, 1, "Le bus ne passe plus le soir")],
        [(1, 9, "Le bus ne passe plus le soir")],
        [(1, 5, "Le bus passe le soir dans notre quartier")],
        [(1, 5, "La mairie doit absolument financer vingt navettes électriques gratuites")],
        [(1, 5, "Le bus numéro 44 ne passe plus le soir")],
        [(1, 5, "")],
        [],
    ],
)
def test_a_refused_reply_leaves_the_rules_cut_and_says_why(ideas: list[tuple[int, int, str]]) -> None:
    made = segment((answer(LONG),), "fr", chat=replying(*ideas))
    assert made.verbatims == segment((answer(LONG),), "fr").verbatims
    (failure,) = made.failures
    assert (failure.id, failure.stage) == ("Q1:r1", "segment")
    assert failure.reason.startswith("cut by rule: ")
