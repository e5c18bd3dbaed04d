import json
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.cli import files
from service.domain.draft import Support
from service.domain.round import Question
from service.errors import BadInput
from service.llm.chat import ScriptedChat
from service.stages.assemble import MOST_SENTENCES, standing_alone
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


def lines(folder, *labels):
    path = folder / "labels.jsonl"
    path.write_text(json.dumps({"question_id": "Q1", "labels": labels}) + "\n", encoding="utf-8")
    return path


def test_unknown_sizes_say_no_numbers(tmp_path):
    (line,) = files.read_labels(
        lines(tmp_path, {"id": "a", "text": "Plus de bus."}, {"id": "b", "text": "Moins de bus."})
    )
    made = synthesise((files.topic_of_labels(*line, "fr"),), encode=encode, chat=None).synthesis
    assert [s.text for s in made.sentences] == [
        "Des regroupements se résument ainsi\u00a0: «\u00a0Plus de bus\u00a0»\u00a0; «\u00a0Moins de bus\u00a0».",
    ]
    assert [s.n_respondents for s in made.sentences] == [None]


def test_labels_of_equal_weight_stay_in_their_order(tmp_path):
    labels = [{"id": f"g{k}", "text": f"Il faut la mesure numéro {k}."} for k in range(1, 13)]
    (line,) = files.read_labels(lines(tmp_path, *labels))
    t = files.topic_of_labels(*line, "fr")
    chat = ScriptedChat(lambda request: "{}")
    made = synthesise((t,), encode=encode, chat=chat).synthesis
    for text in (chat.requests[0].user, " ".join(s.text for s in made.sentences)):
        assert re.findall(r"numéro (\d+)", text) == [str(k) for k in range(1, 13)]


def test_no_more_words_are_asked_for_than_there_are_to_sum_up(tmp_path):
    short = [{"id": f"g{k}", "text": f"Mesure {k} à prendre."} for k in range(20)]
    long = [{"id": f"g{k}", "text": f"Mesure {k} à prendre {'bien ' * 20}."} for k in range(9)]
    asked = []
    for labels in (short, long):
        (line,) = files.read_labels(lines(tmp_path, *labels))
        chat = ScriptedChat(lambda request: "{}")
        synthesise((files.topic_of_labels(*line, "fr"),), encode=encode, chat=chat)
        asked += re.findall(r"Longueur : (\d+) mots", chat.requests[0].user)
    assert asked == ["80", "166"]


def test_sizes_without_a_total_say_no_total(tmp_path):
    labels = [{"id": i, "text": f"Il faut {i}.", "size": n} for i, n in (("a", 9), ("b", 4))]
    (line,) = files.read_labels(lines(tmp_path, *labels))
    made = synthesise((files.topic_of_labels(*line, "fr"),), encode=encode, chat=None).synthesis
    assert "(9\u00a0répondants)" in made.sentences[0].text
    assert "de 4\u00a0répondants" in made.sentences[1].text
    assert not any(" sur " in s.text for s in made.sentences)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"question_id": "Q1", "labels": [{"id": "a", "text": "x", "size": "many"}]}, "size 'many'"),
        ({"question_id": "Q1", "labels": [{"id": "a", "text": "x", "size": -3}]}, "size -3"),
        ({"question_id": "Q1", "labels": [{"id": "a", "text": " "}]}, "no text"),
        ({"question_id": "Q1", "labels": [{"id": "a", "text": "x"}, {"id": "a", "text": "y"}]}, "twice"),
        ({"question_id": "Q1", "labels": [{"id": "a", "text": "x\ud800"}]}, "half a character"),
        ({"question_id": "Q1\ud800", "labels": [{"id": "a", "text": "x"}]}, "half a character"),
        ({"question_id": "Q1", "labels": [{"id": None, "text": "x"}]}, "the id None"),
        ({"question_id": "Q1"}, "no labels"),
        (None, "holds no labels"),
    ],
)
def test_a_wrong_file_of_labels_is_told(tmp_path, row, says):
    path = tmp_path / "labels.jsonl"
    path.write_text(json.dumps(row) + "\n" if row else "\n", encoding="utf-8")
    with pytest.raises(BadInput, match=says):
        files.read_labels(path)


def test_groups_come_by_weight_and_stand_alone_in_themes():
    sizes = (2, 5, 5, 1, 1)
    groups = {
        f"g{k}": [f"Il faut la chose {k} partout {j}" for j in range(n)] for k, n in enumerate(sizes, 1)
    }
    t = labelled(groups, parents={"g1": "r1", "g2": "r1", "g3": "r2", "g4": "r4", "g5": "r5"})
    made = synthesise((t,), encode=encode, chat=None).synthesis
    said = [s.text for s in made.sentences]
    assert said[0].startswith("Le regroupement le plus large (7\u00a0organisations sur 14")
    assert made.sentences[0].group_ids == ("Q1.r1", "Q1.g2", "Q1.g1")
    assert (
        "» (regroupement de 5\u00a0organisations)\u00a0; «" in said[0]
    )  # one member's words are not all members' own
    assert said[1].startswith("Ensuite, un regroupement de 5\u00a0organisations sur 14 s’illustre ainsi")
    assert said[2].startswith("De petits regroupements s’illustrent ainsi")
    assert standing_alone(said[1], "fr").startswith("Un regroupement de 5\u00a0organisations")
    assert [s.n_respondents for s in made.sentences] == [7, 5, 2]


def test_no_connective_opens_two_sentences_in_a_row():
    sizes = (9, 8, 7, 6, 5, 4, 3)
    groups = {
        f"g{k}": [f"Il faut la chose {k} partout {j}" for j in range(n)] for k, n in enumerate(sizes, 1)
    }
    made = synthesise((labelled(groups),), encode=encode, chat=None).synthesis
    firsts = [s.text.split()[0] for s in made.sentences]
    assert firsts == ["Le", "Ensuite,", "Puis", "Un", "Puis", "Un", "Enfin,"]


def test_what_a_person_or_a_file_wrote_is_not_told_as_somebody_s_own_words(tmp_path):
    t = labelled({"g1": BUSES, "g2": TREES}, parents={"g1": "r1", "g2": "r1"})
    mine = Support(supported=True, score=1.0, origin="person")
    t = replace(t, groups=tuple(replace(g, label_support=mine) if g.id == "Q1.g1" else g for g in t.groups))
    (sentence, *_) = synthesise((t,), encode=encode, chat=None).synthesis.sentences
    assert sentence.text.count("(libellé corrigé, 3\u00a0organisations)") == 1
    assert "(regroupement de 2\u00a0organisations)" in sentence.text
    path = tmp_path / "labels.jsonl"
    path.write_text(
        '{"question_id": "Q1", "group_id": "a", "label": "Plus de bus.", "model": "extractive"}\n'
        '{"question_id": "Q2", "group_id": "a", "label": "Plus de bus.", "model": "openai:x"}\n'
    )
    said = [
        synthesise((files.topic_of_labels(*line, "fr"),), encode=encode, chat=None)
        .synthesis.sentences[0]
        .text
        for line in files.read_labels(path)
    ]
    assert ["illustre" in one for one in said] == [True, False]


def test_equal_groups_are_said_equal_and_none_the_largest():
    groups = {f"g{k}": [f"Il faut la chose {k} partout {j}" for j in range(4)] for k in (1, 2, 3)}
    said = [s.text for s in synthesise((labelled(groups),), encode=encode, chat=None).synthesis.sentences]
    assert [s.split(" regroupement")[0] for s in said] == ["Un", "À égalité, un", "Enfin, un"]


def test_more_groups_than_a_sentence_holds_go_on_in_their_paragraph():
    groups = {f"g{k}": [f"Il faut la chose {k} partout {j}" for j in range(4)] for k in range(1, 6)}
    t = labelled(groups, parents=dict.fromkeys(groups, "r1"))
    made = synthesise((t,), encode=encode, chat=None).synthesis
    assert made.paragraphs == ((0, 1),)
    assert made.sentences[1].text.startswith("De la même famille, des regroupements")
    assert made.left_out == ()


def test_labels_about_different_things_do_not_oppose():
    groups = {
        "g1": ["Nous sommes favorables à des arbres", "Favorable à des arbres"],
        "g2": ["Nous sommes opposés au tramway", "Opposés au tramway"],
    }
    made = synthesise((labelled(groups),), encode=encode, chat=None).synthesis
    assert not any("s’opposent" in s.text for s in made.sentences)


def test_a_family_that_holds_both_sides_is_called_after_both():
    t = labelled({"g1": ["Non", "Non."], "g2": ["Oui", "Oui."]}, parents={"g1": "r1", "g2": "r1"})
    [family] = [g for g in t.groups if g.level == 2]
    assert family.label == "Les avis s’opposent\u00a0: «\u00a0Non\u00a0» / «\u00a0Oui\u00a0»."
    assert family.stance == "mixed"


def test_labels_that_oppose_are_put_side_by_side():
    groups = {
        "g1": ["Nous sommes favorables à cette mesure", "Favorable à cette mesure"],
        "g2": ["Nous sommes opposés à cette mesure", "Opposés à la mesure"],
        "g3": BUSES,
    }
    made = synthesise((labelled(groups),), encode=encode, chat=None).synthesis
    assert made.sentences[0].text.startswith("Des avis s’opposent\u00a0: «")
    assert made.sentences[0].group_ids == ("Q1.g1", "Q1.g2")


def test_too_many_groups_are_quoted_or_left_out():
    groups = {f"g{k}": [f"Il faut la chose {k} partout {j}" for j in range(3)] for k in range(60)}
    t = labelled(groups, parents={f"g{k}": f"r{k % 20}" for k in range(60)})
    made = synthesise((t,), encode=encode, chat=None).synthesis
    assert len([s for s in made.sentences if s.group_ids]) == MOST_SENTENCES
    assert covered((t,), made)
    assert made.left_out


def test_isolated_voices_are_counted_as_people_too():
    t = labelled({"g1": BUSES}, isolated=("Un", "Deux"))
    voices = {**t.voices, t.isolated[1].verbatim_id: t.voices[t.isolated[0].verbatim_id]}
    made = synthesise((replace(t, voices=voices),), encode=encode, chat=None).synthesis
    assert made.sentences[-1].text.startswith("2 voix isolées, venant d’une organisation")


def test_joined_questions_share_one_synthesis():
    one, two = labelled({"g1": BUSES}), labelled({"g1": TREES}, id_="Q2")
    made = synthesise((one, two), encode=encode, chat=None).synthesis
    assert {g for s in made.sentences for g in s.group_ids} == {"Q1.g1", "Q2.g1"}


def test_english_round_reads_english():
    t = labelled(
        {"g1": ["We need more buses", "More buses are needed"], "g2": ["Plant trees"]},
        language="en",
        unit="respondent",
    )
    text = synthesise((t,), encode=encode, chat=None).synthesis.sentences[0].text
    assert text.startswith("The largest group (2 of 3\u00a0respondents")


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
    assert "g1| [plusieurs, surtout Élus] " in chat.requests[0].user


def test_labels_of_a_file_have_no_families_and_a_model_writes_from_them_all_the_same(tmp_path):
    (line,) = files.read_labels(
        lines(
            tmp_path,
            {"id": "a", "text": "Il faut des bus le soir."},
            {"id": "b", "text": "Il faut des arbres."},
        )
    )
    chat = ScriptedChat(lambda r: reply(("Il faut des bus le soir et des arbres.", ["g1", "g2"])))
    made = synthesise((files.topic_of_labels(*line, "fr"),), encode=encode, chat=chat).synthesis
    assert [s.group_ids for s in made.sentences] == [("a", "b")]
    assert "f1|" not in chat.requests[0].user


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
    _, chat, made = ask(reply(*invented), reply(*invented), "{}", "{}")
    assert [r.prompt.name for r in chat.requests] == ["synthesis", "repair", "support", "repair"]
    sentence = made.synthesis.sentences[0]
    assert not sentence.supported
    assert "À vérifier" in sentence.note
