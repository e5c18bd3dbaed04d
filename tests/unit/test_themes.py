import json
import re
from dataclasses import replace

import pytest

from service.domain.draft import DraftQuestion, Synthesis
from service.domain.steps import GivenTheme
from service.llm.chat import ScriptedChat
from service.stages.label import label_groups
from service.stages.synthesise import synthesise
from service.stages.themes import find_themes
from tests.topics import BUSES, TREES, encode, topic


def question(id_: str, groups) -> DraftQuestion:
    t = topic(groups, id_=id_, question=f"Question {id_} ?")
    t = replace(t, groups=label_groups(t, encode=encode, chat=None).groups)
    made = synthesise((t,), encode=encode, chat=None).synthesis
    return DraftQuestion(
        id=id_, title=t.question.title, groups=t.groups, verbatims=t.verbatims, synthesis=made
    )


QUESTIONS = (
    question("Q1", {"g1": BUSES, "g2": TREES}),
    question(
        "Q2",
        {
            "g1": ["Des bus gratuits le soir", "Les bus du soir gratuits"],
            "g2": ["Des arbres dans la cour", "Arbres et ombre"],
        },
    ),
    question("Q3", {"g1": ["La cantine moins chère", "Baisser le prix de la cantine"]}),
)
FIND = {"language": "fr", "encode": encode}


def test_every_sentence_of_a_theme_cites_one_that_exists():
    themes = find_themes(QUESTIONS, chat=None, **FIND).themes
    by_id = {q.id: q for q in QUESTIONS}
    cited = [
        (r.question_id, r.sentence) for t in themes for s in t.sections for x in s.sentences for r in x.refs
    ]
    assert len(themes) >= 2
    assert len(cited) == len(set(cited)) == 5
    for q, k in cited:
        assert by_id[q].synthesis.sentences[k].group_ids
    assert all(t.title for t in themes)


def test_a_theme_without_a_model_is_called_by_the_label_most_respondents_stand_behind():
    titles = [t.title for t in find_themes(QUESTIONS, chat=None, **FIND).themes]
    labels = {g.label.rstrip(".") for q in QUESTIONS for g in q.groups}
    quotes = [re.fullmatch("Autour de «\u00a0(.+)\u00a0»", t)[1] for t in titles]
    assert set(quotes) <= labels
    assert len(set(quotes)) == len(quotes)


@pytest.mark.parametrize(("joined", "said"), [(False, "une seule question"), (True, "Une seule synthèse")])
def test_of_one_synthesis_the_general_one_says_so_and_repeats_nothing(joined, said):
    first, second, _ = QUESTIONS
    more = (replace(second, synthesis=Synthesis(shared_with="Q1")),) if joined else ()
    (theme,) = find_themes((first, *more), chat=None, **FIND).themes
    (sentence,) = theme.sections[0].sentences
    assert theme.title == first.title
    assert said in sentence.text
    assert {r.question_id for r in sentence.refs} == {"Q1"}
    assert sentence.text not in {s.text for s in first.synthesis.sentences}


def test_given_themes_take_what_belongs_to_them():
    given = (
        GivenTheme(title="Les bus du soir"),
        GivenTheme(title="Les arbres, la place et la cour", question_ids=("Q3",)),
    )
    themes = find_themes(QUESTIONS, chat=None, given=given, **FIND).themes
    assert [t.title for t in themes] == ["Les bus du soir", "Les arbres, la place et la cour"]
    buses = [x.text for s in themes[0].sections for x in s.sentences]
    assert all("bus" in t for t in buses)
    rest = [x.text for s in themes[1].sections for x in s.sentences]
    assert any("cantine" in t for t in rest)


def test_a_given_theme_that_nothing_belongs_to_is_still_shown():
    given = (
        GivenTheme(title="Les bus, les arbres et la cantine", question_ids=("Q1", "Q2", "Q3")),
        GivenTheme(title="La mer"),
    )
    themes = find_themes(QUESTIONS, chat=None, given=given, **FIND).themes
    assert [(t.title, bool(t.sections)) for t in themes] == [(given[0].title, True), ("La mer", False)]


def test_no_question_no_theme():
    assert find_themes((), chat=None, **FIND).themes == ()


def writer(cites, text="Il faut plus de bus le soir et des bus gratuits."):
    """Puts every sentence into one theme, then writes that theme."""
    section = {"heading": "", "sentences": [{"text": text, "cites": cites}]}

    def script(request):
        if request.schema["title"] == "OutlineReply":
            every = re.findall(r"^(s\d+)\|", request.user, re.MULTILINE)
            return json.dumps({"themes": [{"title": "Les bus du soir", "sentences": every}]})
        return json.dumps({"sections": [section]})

    return ScriptedChat(script)


def test_model_themes_cite_through_opaque_ids():
    (theme,) = find_themes(QUESTIONS, chat=writer(["s1", "s3"]), **FIND).themes
    (sentence,) = theme.sections[0].sentences
    assert theme.title == "Les bus du soir"
    assert [(r.question_id, r.sentence) for r in sentence.refs] == [("Q1", 0), ("Q2", 0)]
    assert theme.sections[0].heading is None
    assert sentence.supported


@pytest.mark.parametrize(("answered", "refused"), [(4, False), (40, True)])
def test_a_word_of_quantity_is_held_against_those_who_answered_the_question(answered, refused):
    asked = tuple(replace(q, n_respondents=answered) for q in QUESTIONS)
    chat = writer(["s1"], "De nombreux répondants veulent plus de bus le soir.")
    themed = find_themes(asked, chat=chat, **FIND)
    assert any(f"of {answered} respondents" in f.reason for f in themed.failures) is refused


def test_an_invented_citation_is_refused_and_the_assembled_theme_stands():
    chat = writer(["s99"])
    themed = find_themes(QUESTIONS, chat=chat, **FIND)
    assert [r.prompt.name for r in chat.requests] == ["outline", "theme", "repair"]
    assert themed.failures[0].id == "Les bus du soir"
    assert all(x.origin == "extractive" for t in themed.themes for s in t.sections for x in s.sentences)


def test_an_outline_that_forgets_a_sentence_is_refused_and_vectors_find_the_themes():
    chat = ScriptedChat(lambda r: json.dumps({"themes": [{"title": "Les bus", "sentences": ["s1"]}]}))
    themed = find_themes(QUESTIONS, chat=chat, **FIND)
    assert themed.failures[0].stage == "outline"
    assert "s2" in themed.failures[0].reason
    assert len(themed.themes) > 1


def test_two_themes_of_one_title_are_refused():
    def script(request):
        every = re.findall(r"^(s\d+)\|", request.user, re.MULTILINE)
        titles = ("Les bus", "Les BUS.")
        return json.dumps({"themes": [{"title": t, "sentences": every[k::2]} for k, t in enumerate(titles)]})

    themed = find_themes(QUESTIONS, chat=ScriptedChat(script), **FIND)
    assert "« Les bus » stands above 2 parts" in themed.failures[0].reason


def test_themes_that_were_asked_for_keep_their_titles_and_get_no_other():
    given = (GivenTheme(title="Les bus du soir"), GivenTheme(title="La mer"))
    made = find_themes(QUESTIONS, chat=writer(["s1"]), given=given, **FIND)
    assert [t.title for t in made.themes] == ["Les bus du soir", "La mer"]
    assert made.failures == ()
    other = find_themes(QUESTIONS, chat=writer(["s1"]), given=(GivenTheme(title="La mer"),), **FIND)
    assert [t.title for t in other.themes] == ["La mer"]
    assert "asked for" in other.failures[0].reason
