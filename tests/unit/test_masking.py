"""Masking without Presidio: numbers with keys, placeholders, and what a reply may name. Names are in the integration tests."""

import json
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

import prompts
from service.domain.draft import PromptRef
from service.errors import SkipItem
from service.llm.chat import ChatRequest, ScriptedChat
from service.llm.masking.coded import Found, find_coded, iban_holds, luhn, nir_key
from service.llm.masking.masked import Masked, is_loopback, mask, restore
from service.settings import Settings
from service.wiring import masks


class Coded:
    """Finds what has a form, and the names it is told."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.asked: list[str] = []

    def find(self, texts: Sequence[str]) -> list[tuple[Found, ...]]:
        self.asked += texts
        return [
            (
                *find_coded(text),
                *(
                    Found(start=text.index(n), end=text.index(n) + len(n), kind="person")
                    for n in self.names
                    if n in text
                ),
            )
            for text in texts
        ]


def request(user: str, language="fr") -> ChatRequest:
    return ChatRequest(
        prompt=PromptRef(name="label", version=1, language=language, sha256="0"), system="s", user=user
    )


def found(text: str) -> list[tuple[str, str]]:
    return [(f.kind, text[f.start : f.end]) for f in find_coded(text)]


def test_keys_are_those_of_the_standards():
    assert luhn("79927398713")
    assert not luhn("79927398710")
    assert nir_key("2550814168025") == 38, "example of a published annex"
    assert iban_holds("FR1420041010050500013M02606"), "example of ISO 13616's registry"
    assert not iban_holds("FR1420041010050500013M02607")


def test_a_changed_digit_is_no_iban_no_nir_no_rpps():
    assert found("sur FR14 2004 1010 0505 0001 3M02 606 merci") == [
        ("iban", "FR14 2004 1010 0505 0001 3M02 606")
    ]
    assert found("sur FR14 2004 1010 0505 0001 3M02 607 merci") == []
    assert found("dossier 2 55 08 14 168 025 38") == [("nir", "2 55 08 14 168 025 38")]
    assert found("dossier 2 55 08 14 168 025 39") == []
    assert found("numéro de sécu 2 55 08 14 168 025") == [("nir", "2 55 08 14 168 025")]
    assert found("mon code 10101234564") == [("rpps", "10101234564")]
    assert found("mon code 10101234567") == []
    assert found("RPPS : 1010 123 4567") == [("rpps", "1010 123 4567")], "named, so a slip of the pen"


GAPS = st.sampled_from(["", " ", "\u00a0", "\u202f", ".", "-"])


@given(st.integers(100_000_000, 999_999_999), GAPS, st.sampled_from(["0", "+33", "+33 ", "0033 ", "+33 (0)"]))
def test_french_numbers_are_found_in_any_usual_form(digits, gap, front):
    number = f"{front}{str(digits)[0]}" + gap + gap.join(str(digits)[k : k + 2] for k in range(1, 9, 2))
    text = f"Rappelez-moi au {number}, svp."
    assert ("phone", number) in found(text)


@given(
    st.integers(0, 1),
    st.integers(0, 99),
    st.integers(1, 12),
    st.integers(1, 95),
    st.integers(0, 999),
    st.integers(0, 999),
    GAPS,
)
def test_every_social_security_number_with_its_key_is_found(sex, year, month, place, town, rank, gap):
    body = f"{sex + 1}{year:02}{month:02}{place:02}{town:03}{rank:03}"
    key = f"{nir_key(body):02}"
    parts = [body[0], body[1:3], body[3:5], body[5:7], body[7:10], body[10:], key]
    number = gap.join(parts)
    assert found(f"le {number} de mon père") == [("nir", number)]


@pytest.mark.parametrize(
    "text",
    [
        "En 2019-2024, 12 500 000 euros ont été dépensés.",
        "Le 12.05.2024 à 10 h 30, 15 personnes sur 3 939.",
        "Appelez le 15, le 3939 ou le 36 46.",
        "Un budget de 120000000 €, soit 0,5 % du total.",
        "La rue est sale et la place du village est vide.",
        "3 cours de français, 2 places de parking, 5 routes.",
        "Article L. 1110-4 du code, décret n° 2021-1382.",
        "rendez-vous @mairie et #santé",
    ],
)
def test_other_numbers_are_left_alone(text):
    assert found(text) == []


def test_masked_goes_out_and_comes_back_as_it_was():
    chat = ScriptedChat(lambda r: json.dumps({"label": r.user.split("| ")[1].split("\n")[0]}))
    masked = Masked(chat, Coded("Rose Martin"))
    user = prompts.fence(["Écrivez à Rose Martin, r.martin@exemple.fr", "Rose Martin au 06 12 34 56 78"])
    reply = masked.reply(request(user))
    (sent,) = chat.requests
    assert sent.user == (
        "<<<\nv1| Écrivez à <PERSONNE_1>, <COURRIEL_1>\nv2| <PERSONNE_1> au <TELEPHONE_1>\n>>>"
    )
    assert json.loads(reply.text) == {"label": "Écrivez à Rose Martin, r.martin@exemple.fr"}
    assert masked.counts() == {"email": 1, "person": 1, "phone": 1}


def test_placeholders_do_not_depend_on_the_order_of_lines_and_lines_are_read_once():
    names = ["Ada", "Bob", "Cyd", "Dan"]
    lines = [f"merci à {n}" for n in names]
    finder = Coded(*names)
    sent = set()
    for seed in range(5):
        random.Random(seed).shuffle(lines)
        chat = ScriptedChat(lambda r: "{}")
        Masked(chat, finder).reply(request("\n".join(lines)))
        sent.add(tuple(sorted(chat.requests[0].user.split("\n"))))
    assert len(sent) == 1
    again = Masked(ScriptedChat(lambda r: "{}"), finder)
    again.reply(request(prompts.fence(lines)))
    finder.asked.clear()
    again.reply(request(prompts.fence([*reversed(lines), "nouveau"])))
    assert finder.asked == ["nouveau"]


@pytest.mark.parametrize(
    "form", ["<PERSONNE_7>", "PERSONNE_7", "&lt;PERSONNE_7&gt;", "\\u003cPERSONNE_7\\u003e"]
)
def test_a_placeholder_that_nobody_gave_is_refused(form):
    with pytest.raises(SkipItem, match="PERSONNE_7"):
        restore(f'{{"label": "{form} dit non"}}', {"PERSONNE_1": "Ada"}, "v1| <PERSONNE_1>")


@pytest.mark.parametrize(
    "form", ["<PERSONNE_1>", "PERSONNE_1", "&lt;PERSONNE_1&gt;", "\\u003cPERSONNE_1\\u003e"]
)
def test_a_placeholder_is_known_in_the_forms_that_models_give_it(form):
    assert restore(f'{{"label": "{form} dit non"}}', {"PERSONNE_1": "Ada"}, "") == '{"label": "Ada dit non"}'


def test_what_is_restored_stays_json():
    got = restore('{"label": "<ADRESSE_1>"}', {"ADRESSE_1": '3 rue "du\\Lac"'}, "")
    assert json.loads(got) == {"label": '3 rue "du\\Lac"'}


def test_an_answer_that_writes_a_placeholder_gets_nobodys_name():
    user = prompts.fence(["<PERSONNE_1> et PERSONNE_2 mentent", "Ada a raison"])
    chat = ScriptedChat(lambda r: '{"label": "PERSONNE_1, PERSONNE_2"}')
    reply = Masked(chat, Coded("Ada")).reply(request(user))
    assert "<PERSONNE_3> a raison" in chat.requests[0].user
    assert reply.text == '{"label": "PERSONNE_1, PERSONNE_2"}'


@given(st.lists(st.text(max_size=30), max_size=4), st.lists(st.text(min_size=1, max_size=8), max_size=4))
def test_masking_and_restoring_is_the_identity_on_any_text(lines, names):
    user = prompts.fence(lines)
    values = {("person", n) for n in names if n.strip() and "\n" not in n and not set("<>|_") & set(n)}
    masked, mapping = mask(user, values, "en")
    if mapping:
        assert restore(json.dumps(masked, ensure_ascii=False), mapping, user) == json.dumps(
            user, ensure_ascii=False
        )


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ({"llm": "local"}, False),
        ({"llm": "local:1.5b"}, False),
        ({"llm": "openai:gpt"}, True),
        ({"llm": "openai:gpt", "llm_base_url": "http://127.0.0.1:8000/v1"}, False),
        ({"llm": "openai:gpt", "llm_base_url": "http://[::1]:8000/v1"}, False),
        ({"llm": "openai:gpt", "llm_base_url": "http://localhost/v1"}, False),
        ({"llm": "openai:gpt", "llm_base_url": "https://localhost.example.org/v1"}, True),
        ({"llm": "openai:gpt", "llm_base_url": "http://10.0.0.3/v1"}, True),
        ({"llm": "openai:gpt", "mask": "never"}, False),
        ({"llm": "local", "mask": "always"}, True),
    ],
)
def test_masking_is_on_unless_the_model_is_on_this_machine(setting, expected):
    assert masks(Settings(**setting)) is expected
    assert not is_loopback(None)


def test_a_stop_is_told_to_the_model_behind():
    told: list[str] = []

    class Stoppable(ScriptedChat):
        def stop(self) -> None:
            told.append("stop")

    Masked(Stoppable(lambda r: "{}"), Coded()).stop()
    assert told == ["stop"]
