import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.round import Question
from service.llm.chat import ScriptedChat
from service.stages.label import label_groups
from service.stages.synthesise import synthesise
from tests.topics import BUSES, TREES, encode, topic


def labelled(groups, **more):
    t = topic(groups, **more)
    return replace(t, groups=label_groups(t, encode=encode, chat=None).groups)


def covered(topics, synthesis):
    cited = {g for s in synthesis.sentences for g in s.group_ids} | set(synthesis.left_out)
    return all(g.id in cited for t in topics for g in t.groups if g.level == 1)


def test_assembled_synthesis_cites_counts_and_keeps_isolated_voices():
    closed = Question(
        id="Q1a", title="Faut-il changer ?", kind="closed", closed_part_of="Q1", counts={"Oui": 4, "Non": 2}
    )
    t = labelled({"g1": BUSES, "g2": TREES}, isolated=("Supprimer la police municipale",), closed=closed)
    made = synthesise((t,), encode=encode, chat=None).synthesis
    texts = [s.text for s in made.sentences]
    assert "«\u00a0Oui\u00a0» 4" in texts[0]
    assert made.sentences[0].closed_ids == ("Q1",)
    assert "3\u00a0organisations sur 6" in texts[1]
    assert "Supprimer la police municipale" in texts[-1]
    assert made.sentences[-1].verbatim_ids == (t.isolated[0].verbatim_id,)
    assert covered((t,), made)
    assert [s.n_respondents for s in made.sentences] == [6, 3, 2, 1]


def test_unknown_sizes_say_no_numbers():
    t = replace(labelled({"g1": BUSES, "g2": TREES}), n_respondents=0)
    made = synthesise((t,), encode=encode, chat=None).synthesis
    assert not any(c.isdigit() for s in made.sentences for c in s.text)


def test_joined_questions_share_one_synthesis():
    one, two = labelled({"g1": BUSES}), labelled({"g1": TREES}, id_="Q2")
    made = synthesise((one, two), encode=encode, chat=None).synthesis
    assert {g for s in made.sentences for g in s.group_ids} == {"Q1.g1", "Q2.g1"}


def test_english_round_reads_english():
    t = labelled({"g1": ["We need more buses", "More buses are needed"]}, language="en", unit="respondent")
    text = synthesise((t,), encode=encode, chat=None).synthesis.sentences[0].text
    assert text.startswith("The largest group (2\u00a0respondents")


@given(st.lists(st.integers(1, 6), min_size=1, max_size=30))
@settings(max_examples=25, deadline=None)
def test_every_group_is_cited_or_left_out(sizes):
    t = labelled(
        {
            f"g{k}": [f"Il faut la chose numéro {k} partout {j}" for j in range(n)]
            for k, n in enumerate(sizes, 1)
        }
    )
    made = synthesise((t,), encode=encode, chat=None).synthesis
    assert covered((t,), made)
    assert sorted(i for p in made.paragraphs for i in p) == list(range(len(made.sentences)))
    assert len(made.sentences) <= 16


def reply(*sentences) -> str:
    return json.dumps({"paragraphs": [{"sentences": [{"text": t, "cites": c} for t, c in sentences]}]})


GOOD = (("Il faut plus de bus le soir.", ["g1"]), ("Il faut aussi planter des arbres sur la place.", ["g2"]))


def ask(*replies):
    given_ = iter(replies)
    chat = ScriptedChat(lambda r: next(given_))
    t = labelled({"g1": BUSES, "g2": TREES}, isolated=("Supprimer la police",))
    return t, chat, synthesise((t,), encode=encode, chat=chat)


def test_model_synthesis_is_used_with_our_counts():
    _, chat, made = ask(reply(*GOOD))
    assert [s.origin for s in made.synthesis.sentences] == ["model", "model"]
    assert made.synthesis.sentences[0].n_respondents == 3
    assert made.synthesis.sentences[0].by_category == {"Élus": 2, "Patients": 1}
    assert made.failures == ()
    assert len(chat.requests) == 1
    assert "[une majorité]" not in chat.requests[0].user
    assert "[plusieurs]" in chat.requests[0].user


def test_each_kind_of_bad_sentence_is_sent_back_with_its_reason():
    cases = {
        "cites": (("Il faut plus de bus le soir.", ["g7"]), GOOD[1]),
        "cited by no sentence: g2": GOOD[:1],
        "number": (("Il faut 40 bus le soir.", ["g1"]), GOOD[1]),
        "la plupart des organi": (("La plupart des organisations veulent des bus le soir.", ["g1"]), GOOD[1]),
        "English": None,
    }
    for reason, bad in cases.items():
        if bad is None:
            continue
        _, chat, made = ask(reply(*bad), reply(*GOOD))
        assert reason.casefold() in chat.requests[1].user.casefold(), reason
        assert made.failures == ()


def test_twice_refused_falls_back_to_the_assembled_text_marked():
    t, _, made = ask("{}", "not json")
    assert all(s.origin == "extractive" for s in made.synthesis.sentences)
    assert all("refusée" in s.note for s in made.synthesis.sentences)
    assert made.failures[0].stage == "synthesise"
    assert covered((t,), made.synthesis)


def test_an_unsupported_sentence_is_rewritten_once_then_shown_as_unsupported():
    invented = (("La fusée spatiale attire énormément de vacanciers étrangers.", ["g1"]), GOOD[1])
    _, chat, made = ask(reply(*invented), reply(*invented))
    assert len(chat.requests) == 2
    sentence = made.synthesis.sentences[0]
    assert not sentence.supported
    assert "À vérifier" in sentence.note
