import json
import re

from hypothesis import given
from hypothesis import strategies as st

from service.llm.chat import ScriptedChat
from service.llm.rehearsal import answer
from service.stages.distinguish import distinguish, near_duplicates
from service.stages.label import MOST_LABELLED, label_groups
from service.stages.membership import part_of, rebuild
from service.stages.regroup import regroup
from service.stages.revise import revise
from service.stages.settle import settle
from tests.topics import encode, topic

BUSES = ["Il faut plus de bus le soir", "Des bus le soir pour rentrer", "Plus de bus en soirée le week-end"]
TREES = [
    "Planter des arbres sur la place",
    "Il faut des arbres devant la mairie",
    "Ajouter des bus le soir aussi",
]
ALONE = ("Planter aussi des arbres à l'école", "Supprimer la police")


def labelled(groups=None, isolated=ALONE, **more):
    t = topic(groups or {"g1": BUSES, "g2": TREES}, isolated=isolated, **more)
    return rebuild(
        t,
        [part_of(g) for g in label_groups(t, encode=encode, chat=None).groups if g.level == 1],
        encode=encode,
    )


def says(**changes):
    return json.dumps({"moves": [], "new": [], "merges": [], "isolate": []} | changes)


def name_of(request, text):
    return re.search(rf"^(\w+)\| {re.escape(text)}$", request.user, re.MULTILINE)[1]


def group_of(request, text):
    """Opaque id of the group under which a verbatim is shown."""
    before = request.user[: request.user.index(f"| {text}\n")]
    return re.findall(r"^(g\d+)\|", before, re.MULTILINE)[-1]


def members(t):
    texts = {v.id: v.text for v in t.verbatims}
    return {frozenset(texts[v] for v in g.verbatim_ids) for g in t.groups if g.level == 1}


def test_a_verbatim_and_an_isolated_voice_go_where_they_belong():
    def script(r):
        buses, trees = group_of(r, BUSES[0]), group_of(r, TREES[0])
        moves = [(TREES[2], buses), (ALONE[0], trees)]
        return says(moves=[{"to": to, "verbatims": [name_of(r, text)]} for text, to in moves])

    t = labelled()
    made = revise(t, encode=encode, chat=ScriptedChat(script))
    assert members(made.topic) == {frozenset([*BUSES, TREES[2]]), frozenset([*TREES[:2], ALONE[0]])}
    assert made.moved == 2
    assert not made.settled
    first = made.topic.groups[0]
    assert (first.id, first.n_respondents, first.label) == ("Q1.g1", 4, "")
    assert [one.verbatim_id for one in made.topic.isolated] == [
        v.id for v in t.verbatims if v.text == ALONE[1]
    ]
    assert made.failures == ()


def test_a_missing_group_is_made_and_a_group_left_alone_is_none():
    def script(r):
        names = [name_of(r, text) for text in TREES[:2]]
        return says(new=[{"label": "Il faut planter des arbres.", "verbatims": names}])

    made = revise(labelled(), encode=encode, chat=ScriptedChat(script)).topic
    assert members(made) == {frozenset(BUSES), frozenset(TREES[:2])}
    texts = {v.id: v.text for v in made.verbatims}
    assert {texts[one.verbatim_id] for one in made.isolated} == {TREES[2], *ALONE}


def test_groups_that_say_the_same_become_one():
    made = revise(labelled(), encode=encode, chat=ScriptedChat(lambda r: says(merges=[["g1", "g2"]]))).topic
    assert members(made) == {frozenset([*BUSES, *TREES])}


BAD = {
    "not an id that was given": says(isolate=["v99"]),
    "named more than once": says(isolate=["v1", "v1"]),
    "two verbatims at least": says(new=[{"label": "Il faut des bus.", "verbatims": ["v1"]}]),
    "JSON": "rien",
}


def test_a_bad_reply_is_sent_back_with_its_reason_then_the_groups_stay_as_they_are():
    for reason, bad in BAD.items():
        chat = ScriptedChat(lambda r, bad=bad: bad)
        t = labelled()
        made = revise(t, encode=encode, chat=chat)
        assert made.topic == t
        assert len(chat.requests) == 2
        assert reason in chat.requests[1].user
        assert made.failures[0].stage == "revise"


FOR = ["Je suis favorable à cette loi", "D'accord, une bonne mesure"]
AGAINST = ["Je suis contre cette loi", "Je refuse cette loi"]


def test_opposed_positions_are_never_put_together():
    t = labelled({"g1": FOR, "g2": AGAINST}, isolated=("Non à cette loi inacceptable",))

    def script(r):
        alone = name_of(r, "Non à cette loi inacceptable")
        return says(moves=[{"to": group_of(r, FOR[0]), "verbatims": [alone]}], merges=[["g1", "g2"]])

    chat = ScriptedChat(script)
    made = revise(t, encode=encode, chat=chat)
    assert "opposed positions never go together" in chat.requests[1].user
    assert members(made.topic) == {frozenset(FOR), frozenset(AGAINST)}
    assert made.dropped == 2


@given(st.permutations(range(8)), st.integers(0, 255))
def test_whatever_is_moved_every_verbatim_keeps_one_place_and_order_does_not_matter(order, bits):
    t = labelled()
    shuffled = rebuild(
        t,
        [part_of(g) for g in sorted(t.groups, key=lambda g: order[len(g.id) % 8]) if g.level == 1],
        encode=encode,
    )
    assert shuffled == t

    def script(r):
        names = re.findall(r"^(v\d+)\|", r.user, re.MULTILINE)
        return says(isolate=[n for k, n in enumerate(names) if bits >> k & 1])

    made = revise(t, encode=encode, chat=ScriptedChat(script)).topic
    places = [v for g in made.groups if g.level == 1 for v in g.verbatim_ids]
    places += [one.verbatim_id for one in made.isolated]
    assert sorted(places) == sorted(v.id for v in t.verbatims)
    sizes = [g.n_respondents for g in made.groups if g.level == 1]
    assert sizes == sorted(sizes, reverse=True)


def test_large_questions_are_shown_in_batches_and_each_verbatim_once():
    many = {
        f"g{k}": [f"Il faut la mesure {k} numéro {i} " + "mot " * 60 for i in range(30)] for k in range(1, 5)
    }
    chat = ScriptedChat(lambda r: says())
    made = revise(labelled(many, isolated=()), encode=encode, chat=chat)
    shown = [text for r in chat.requests for text in re.findall(r"^v\d+\| (.*)$", r.user, re.MULTILINE)]
    assert len(chat.requests) >= 3
    assert len(shown) == len(set(shown)) == 120
    assert made.settled


def test_labels_that_read_the_same_are_told_apart_or_their_groups_merged():
    t = labelled({"g1": BUSES, "g2": [*BUSES[:2], "Le soir, plus de bus"], "g3": TREES[:2]}, isolated=())
    (pair,) = near_duplicates([g for g in t.groups if g.level == 1], encode)
    assert len(pair) == 2
    same = {
        "same": [["g1", "g2"]],
        "labels": [{"id": g, "label": "Il faut plus de bus le soir."} for g in ("g1", "g2")],
    }
    made, failures = distinguish(t, encode=encode, chat=ScriptedChat(lambda r: json.dumps(same)))
    assert failures == ()
    assert len([g for g in made.groups if g.level == 1]) == 2
    assert made.groups[0].label == "Il faut plus de bus le soir."
    assert made.groups[0].n_respondents == 6

    neither = same | {"same": []}
    made, failures = distinguish(t, encode=encode, chat=ScriptedChat(lambda r: json.dumps(neither)))
    assert made == t
    assert "tell them apart" in failures[0].reason


def test_families_hold_every_group_once_and_have_a_sentence_of_their_own():
    groups = {
        f"g{k}": [f"Il faut la mesure {w} ici", f"La mesure {w} vite"]
        for k, w in enumerate("abcdef", start=1)
    }
    t = labelled(groups, isolated=())
    families = [
        {"label": "Il faut la mesure vite ici.", "members": ["g1", "g2", "g3"]},
        {"label": "Il faut la mesure ici.", "members": ["g4", "g5", "g6"]},
    ]
    made, failures = regroup(
        t, encode=encode, chat=ScriptedChat(lambda r: json.dumps({"families": families}))
    )
    assert failures == ()
    seconds = [g for g in made.groups if g.level == 2]
    assert {g.label for g in seconds} == {"Il faut la mesure vite ici.", "Il faut la mesure ici."}
    assert {g.parent for g in made.groups if g.level == 1} == {g.id for g in seconds}
    kept, failures = regroup(
        t, encode=encode, chat=ScriptedChat(lambda r: json.dumps({"families": families[:1]}))
    )
    assert kept == t
    assert "g4" in failures[0].reason


def test_a_family_is_not_called_by_what_one_of_its_groups_alone_says():
    groups = {
        f"g{k}": [f"Il faut la mesure {w} ici", f"La mesure {w} vite"] for k, w in enumerate("abcdef", 1)
    }
    groups["g6"] = ["Fermons vite cet hôpital inutile", "Fermons donc cet hôpital inutile"]
    families = [
        {"label": "Il faut la mesure ici.", "members": ["g1", "g2", "g3"]},
        {"label": "Fermons vite cet hôpital inutile.", "members": ["g4", "g5", "g6"]},
    ]
    t = labelled(groups, isolated=())
    chat = ScriptedChat(lambda r: json.dumps({"families": families}))
    made, _ = regroup(t, encode=encode, chat=chat)
    assert "one of its members alone says it" in chat.requests[1].user
    assert not any(g.level == 2 and "hôpital" in g.label for g in made.groups)


def test_settling_ends_after_few_rounds_labels_what_changed_and_keeps_what_was_there():
    chat = ScriptedChat(lambda r: json.dumps(answer(r), ensure_ascii=False))
    t = topic({"g1": BUSES, "g2": TREES}, isolated=ALONE)
    made = settle(t, encode=encode, chat=chat)
    names = [r.prompt.name for r in chat.requests]
    assert names.count("revise") <= 2
    assert made.unrevised == tuple(g.verbatim_ids for g in t.groups if g.level == 1)
    assert all(g.label for g in made.topic.groups)
    off = settle(t, encode=encode, chat=chat, revision=False)
    assert off.unrevised == ()
    assert members(off.topic) == {frozenset(BUSES), frozenset(TREES)}
    assert (
        settle(t, encode=encode, chat=None).topic.groups == label_groups(t, encode=encode, chat=None).groups
    )


def test_in_a_question_of_very_many_groups_the_model_labels_the_largest():
    words = [f"{a}{b}" for a in ("lampes", "ponts", "haies", "routes", "jardins") for b in "abcdefghi"]
    groups = {f"g{k}": [f"Il faut des {w} partout", f"Des {w} vite"] for k, w in enumerate(words, start=1)}
    chat = ScriptedChat(lambda r: json.dumps(answer(r), ensure_ascii=False))
    made = settle(topic(groups), encode=encode, chat=chat, revision=False)
    firsts = [g for g in made.topic.groups if g.level == 1]
    assert [r.prompt.name for r in chat.requests].count("label") == MOST_LABELLED < len(firsts)
    assert all(g.label for g in firsts)
    unasked = [g.label_support for g in firsts if g.label_support.origin == "extractive"]
    assert len(unasked) >= len(firsts) - MOST_LABELLED
    assert all(f"{MOST_LABELLED} plus grands" in s.note for s in unasked), (
        "each says that nobody was asked for it"
    )
    assert [f for f in made.failures if f.stage == "label"] == []
