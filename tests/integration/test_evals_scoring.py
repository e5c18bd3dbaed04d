"""Pure parts of the evals: contradiction, figures and their statistics, references, overlap.

Here and not among the unit tests because rouge-score loads nltk, which takes a second.
"""

import hashlib
import json
import math
import os
from dataclasses import replace
from pathlib import Path

import pytest

from embeddings.encoder import HashEncoder
from evals.importing import differences, import_report
from evals.references import read_answers, read_reference, reference_of, write_reference
from evals.scoring.contradiction import contradicts
from evals.scoring.matching import likeness
from evals.scoring.measures import SCALES
from evals.scoring.overlap import b_cubed_extended
from evals.scoring.reach import frame, reach
from evals.scoring.texts import (
    Written,
    compare_labels,
    compare_synthesis,
    pieces,
    quantity,
    readability,
    sentences,
)
from evals.statistics import alpha, difference, estimate, holm, ratio
from evals.suites import limited
from evals.table import measures
from service.domain import polarity, wordform
from service.errors import BadInput

encode = HashEncoder().encode
KNOWN = json.loads((Path(__file__).parents[2] / "evals" / "known.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("label", "contrary"), KNOWN["contrary"])
def test_a_label_and_its_contrary(label: str, contrary: str):
    assert contradicts(label, contrary)
    assert contradicts(contrary, label)
    assert not contradicts(label, label)


@pytest.mark.parametrize(("label", "same"), KNOWN["same"])
def test_a_label_in_other_words_is_no_contrary(label: str, same: str):
    assert not contradicts(label, same)


def test_contraries_in_english_and_what_only_looks_like_one():
    assert contradicts("School uniform reduces bullying", "School uniform doesn't reduce bullying")
    assert contradicts("The bus is more frequent", "The bus is less frequent")
    assert not contradicts(
        "Dix lignes, dont deux de nuit, sont demandées", "Dix lignes de bus sont demandées"
    )
    assert not contradicts("Il n’y a pas de bus le soir", "Les écoles manquent de places")


def test_a_label_question_without_labels_is_a_failure_and_no_zero():
    with pytest.raises(ValueError, match="no label"):
        compare_labels([], ["Il faut des bus"], encode, "fr", about="")
    with pytest.raises(ValueError, match="no label"):
        compare_labels(["Il faut des bus"], [" "], encode, "fr", about="")


def test_opposed_human_labels_make_no_contradiction_of_those_who_agree():
    both = [
        "Il faut obliger les médecins à s’installer.",
        "Il ne faut pas obliger les médecins à s’installer.",
    ]
    got = compare_labels(both, both, encode, "fr", about="")
    assert ratio([got.figures["coverage"]]) == 1
    assert ratio([got.figures["contradiction"]]) == 0


def test_form_and_words_of_labels():
    got = compare_labels(
        ["Il faut des bus le soir."],
        ["Des bus.", "Il faut plus de bus le soir et la nuit."],
        encode,
        "fr",
        about="",
        refused=1,
    )
    assert got.figures["form"] == (1, 2)
    assert got.figures["refused"] == (1, 2)
    assert got.figures["words"] == (12, 2)


def test_a_word_of_quantity_is_held_against_its_count():
    human = ["La plupart des organisations demandent des bus."]
    loud = Written(
        text="La plupart des organisations demandent des bus.", sources=("Il faut des bus.",), n=2, total=10
    )
    true = Written(
        text="La plupart des organisations demandent des bus.", sources=("Il faut des bus.",), n=9, total=10
    )
    assert quantity(loud.text) == "most"
    quoted = replace(
        loud, text="Deux organisations écrivent : « la plupart des organisations le demandent »."
    )
    assert compare_synthesis(human, [quoted], encode, "fr", about="").figures["quantities"] == (0, 0)
    assert compare_synthesis(human, [loud], encode, "fr", about="").figures["quantities"] == (0, 1)
    assert compare_synthesis(human, [true], encode, "fr", about="").figures["quantities"] == (1, 1)


def test_sentences_and_pieces():
    assert sentences(["Un bus passe. Deux cars roulent.", ""]) == ["Un bus passe.", "Deux cars roulent."]
    found = pieces("Plusieurs voix : « il faut des bus le soir » ; « des cars la nuit aussi ».")
    assert "il faut des bus le soir" in found
    assert "des cars la nuit aussi" in found


def test_short_words_and_sentences_read_more_easily():
    easy = readability("Il faut un bus. Le car est plein.", "fr")
    hard = readability(
        "L’interopérabilité institutionnelle conditionne l’opérationnalisation territoriale.", "fr"
    )
    assert easy > 80 > 20 > hard
    assert readability("The cat sat on the mat.", "en") == pytest.approx(
        116, abs=3
    )  # Flesch's own example: about 116


def test_reach_counts_far_answers_and_the_worst_group():
    answers = ["il faut des bus le soir"] * 4 + ["planter des arbres partout"] * 4
    got = reach(answers, ["a"] * 4 + ["b"] * 4, ["Il faut des bus le soir."], encode)
    assert got["far"] == (4, 8)
    assert got["far_worst_group"] == (1.0, 1)


def test_a_coding_frame_is_recalled_and_ranked():
    got = frame(
        {"Les hôpitaux": 10.0, "Les transports": 5.0, "Les écoles": 2.0},
        ["Il faut des hôpitaux.", "Plus de transports", "les écoles ferment"],
        [30, 20, 10],
        encode,
    )
    assert got["recall"] == (3.0, 3)
    assert got["rank"][0] == pytest.approx(1)


def test_extended_b_cubed_is_b_cubed_where_nobody_overlaps():
    from evals.agreement import b_cubed_f1

    gold, ours = ["a", "a", "b", "b", "c"], ["1", "2", "2", "2", "3"]
    assert b_cubed_extended([{g} for g in gold], [{o} for o in ours]) == pytest.approx(b_cubed_f1(gold, ours))
    assert b_cubed_extended([{"a", "b"}, {"a"}], [{"1", "2"}, {"1"}]) == 1
    assert math.isnan(b_cubed_extended([], []))


def test_intervals_are_the_same_each_time_and_ratios_weigh_cases():
    parts = [(1.0, 2.0), (3.0, 4.0), (0.0, 1.0)]
    assert estimate(parts) == estimate(parts)
    assert estimate(parts).value == pytest.approx(4 / 7)
    assert estimate(parts).low < 4 / 7 < estimate(parts).high
    assert estimate([(1.0, 1.0)]).low == 1.0


def test_paired_differences():
    old = {str(i): (0.5, 1.0) for i in range(10)}
    new = {str(i): (0.5 + 0.01 * (i + 1), 1.0) for i in range(10)}
    d = difference(old, new)
    assert d.value == pytest.approx(0.055)
    assert d.low > 0
    assert d.p == pytest.approx(2 / 2**10)
    assert difference(old, old).p == 1.0
    with pytest.raises(ValueError, match="no case in common"):
        difference({"a": (1.0, 1.0)}, {"b": (1.0, 1.0)})


def test_holm_is_step_down():
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "c": 0.06, "b": 0.06})


def test_alpha_of_raters():
    assert alpha([[1, 2, 1, 2], [1, 2, 1, 2]]) == pytest.approx(1)
    low = alpha([[1, 2, 1, 2], [2, 1, 2, 1]])
    assert low is not None
    assert low < 0
    assert alpha([[1, 2, None]]) is None


def test_a_reference_is_typed_and_a_bad_one_names_the_field(tmp_path: Path):
    round_ = read_reference(Path(__file__).parents[2] / "examples" / "round")
    assert round_.question("Q2").groups[0].stance == "for"
    assert round_.question("Q5").closed
    assert len(round_.themes) == 4
    assert len(round_.sha256) == 64
    with pytest.raises(BadInput, match=r"reference\.json is missing"):
        read_reference(tmp_path)
    (tmp_path / "reference.json").write_text('{"id": "x", "title": "y", "language": "fr", "questions": []}')
    with pytest.raises(BadInput, match="annotation"):
        read_reference(tmp_path)


def test_group_ids_are_unique():
    group = {"id": "g", "label": "x"}
    raw = {"id": "x", "title": "y", "language": "fr", "annotation": "z"}
    with pytest.raises(ValueError, match="Q: a group id"):
        reference_of({**raw, "questions": [{"id": "Q", "title": "t", "groups": [group, group]}]})


def test_several_codings_of_an_answer_are_read(tmp_path: Path):
    (tmp_path / "answers.csv").write_text(
        "question_id,answer_id,text,group_ids,group_ids_b\nQ,1,bonjour,a|b,\n"
    )
    assert read_answers(tmp_path)[0].codings == (("a", "b"), ())


def test_a_limited_run_sees_the_whole_set():
    assert limited(tuple("abcdefghij"), 3) == ("a", "d", "g")  # type: ignore[comparison-overlap,arg-type]


def test_every_measure_has_a_formula_and_gated_ones_a_tolerance():
    for scale in SCALES.values():
        assert len({m.name for m in scale.measures}) == len(scale.measures)
        for m in scale.measures:
            assert m.formula
            assert m.tolerance >= 0


REPORT = """2.1. Panel

 Effectif consulté Réponses

1. Associations d’usagers, collectifs

de quartier 12 5

2. Communes 8 3

2.2. Synthèses

\uf075 Question 1 : Que manque-t-il dans

votre quartier ?

 

Les bus manquent le soir et les arrêts sont trop loin des immeubles, disent
beaucoup d’habitants
Les commerces ferment.

(Pour mémoire : libellé des regroupements de verbatim)

Côté transports :

Les bus manquent le soir, surtout le dimanche et pendant les vacances scolaires des
enfants

Les arrêts sont trop loin Ouvrir une ligne de nuit…

Côté services :

Les écoles sont pleines.
Questions 2 et 3 : Faut-il une maison de quartier ? Pour qui ?

 

Première question :
- Oui (6)
- Non (2)
Une maison de quartier est utile.

(Pour mémoire : libellé des regroupements de verbatim)

Q. 2 : La maison doit ouvrir le soir

Q.3 Elle est pour les jeunes d’abord
"""


def test_a_report_becomes_a_reference_wrapped_lines_and_all(tmp_path: Path):
    got = import_report(REPORT, name="quartier", title="Quartier")
    assert [(r.category, r.consulted, r.responded) for r in got.panel] == [
        ("Associations d’usagers, collectifs de quartier", 12, 5),
        ("Communes", 8, 3),
    ]
    one, two = got.questions
    assert (one.id, one.title) == ("Q1", "Que manque-t-il dans votre quartier ?")
    assert one.syntheses[0][-1] == "Les commerces ferment."
    assert [(g.heading, g.label) for g in one.groups] == [
        ("Côté transports", "Les bus manquent le soir, surtout le dimanche et pendant les vacances scolaires des enfants"),
        ("Côté transports", "Les arrêts sont trop loin"),
        ("Côté transports", "Ouvrir une ligne de nuit"),
        ("Côté services", "Les écoles sont pleines."),
    ]  # fmt: skip
    assert (two.id, two.closed) == ("Q2+Q3", {"Oui": 6, "Non": 2})
    assert two.syntheses == (("Une maison de quartier est utile.",),)
    assert [g.heading for g in two.groups] == ["Q2", "Q3"]
    write_reference(got, tmp_path)
    assert differences(read_reference(tmp_path), got) == []
    other = replace(two, title="Autre", groups=two.groups[:1])
    assert len(differences(got, replace(got, questions=(one, other)))) == 2
    with pytest.raises(BadInput, match="Question 3"):
        import_report("Rien ici.", name="x", title="y")


def test_the_report_of_the_reference_set_gives_what_people_typed_from_it():
    folder = Path(os.environ.get("POLYPHONIE_DATA", "../shared/data")) / "esante-2020"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    hand = read_reference(folder)
    got = import_report((folder / "report.txt").read_text(encoding="utf-8"), name=hand.id, title=hand.title)
    assert got.panel == hand.panel
    assert [q.id for q in got.questions] == [q.id for q in hand.questions]
    labels = [{(q.id, g.heading, g.label) for q in r.questions for g in q.groups} for r in (got, hand)]
    assert labels[0] == labels[1]
    assert len(labels[1]) == 124
    assert [d.split(":")[0] for d in differences(got, hand)] == [
        "Q4+Q12 title",
        "Q5 synthesis",
        "Q10 closed part",
        "Q14+Q15 synthesis",
        "Q17 synthesis",
        "Q20 synthesis",
        "themes",
    ]  # each looked at: docs/references.md


def test_the_documentation_has_every_measure_as_it_is():
    told = (Path(__file__).parents[2] / "docs" / "evals.md").read_text(encoding="utf-8")
    assert "\n".join(measures()) in told


def test_words_of_the_question_are_no_sign_that_two_answers_say_the_same():
    question = "Faut-il garder l’uniforme à l’école ?"
    one, other = "L’uniforme à l’école coûte cher.", "L’uniforme à l’école rassure."
    with_its_words = likeness([one], [other], encode)[0, 0]
    without = likeness([one], [other], encode, question)[0, 0]
    assert without < with_its_words - 0.1
    assert likeness([one], [one], encode, question)[0, 0] == pytest.approx(1)
    # a text of nothing but the question's words keeps them
    assert likeness(["L’uniforme à l’école"], ["L’uniforme à l’école"], encode, question)[
        0, 0
    ] == pytest.approx(1)


def test_the_service_s_words_that_scorers_count_with_are_those_of_their_version():
    """A change of them changes figures: raise the versions of labels, synthesis and themes in `SCALES`, then these."""
    counted = [
        sorted(wordform.SMALL),
        wordform.STEM,
        sorted(wordform.NEGATIONS),
        polarity.FOR.pattern,
        polarity.AGAINST.pattern,
    ]
    told = hashlib.sha256(json.dumps(counted).encode()).hexdigest()[:12]
    versions = [SCALES[suite].version for suite in ("labels", "synthesis", "themes")]
    assert (told, versions) == ("1adefb0ea1ef", [2, 3, 2])
