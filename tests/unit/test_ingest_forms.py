"""Long and wide form, survey tools' exports, closed questions, sidecar, selection of questions."""

import json
from pathlib import Path

import pytest

from service.domain.round import Round
from service.domain.wordform import fold
from service.ingest import Reading, read_round
from service.ingest.closed import looks_closed
from service.ingest.exports import IDENTITY, coded, headings, is_identity


def give(folder: Path, text: str, sidecar: dict[str, object] | None = None) -> Reading:
    path = folder / "answers.csv"
    path.write_text(text, encoding="utf-8", newline="")
    if sidecar is not None:
        (folder / "answers.round.json").write_text(json.dumps(sidecar), encoding="utf-8")
    return read_round(path)


def good(reading: Reading) -> Round:
    assert reading.round is not None, [str(p) for p in reading.problems]
    return reading.round


def only_error(reading: Reading) -> tuple[int | None, str | None, str]:
    assert reading.round is None
    [problem] = [p for p in reading.problems if p.severity == "error"]
    assert problem.remedy
    return problem.row, problem.column, problem.message


def answers(found: Round) -> list[tuple[str, str]]:
    return [(a.id, a.text) for a in found.answers]


def test_long_form_under_other_names_with_columns_of_no_concern(tmp_path: Path) -> None:
    found = good(
        give(tmp_path, "Identifiant;Collège;question_id;Réponse;group_ids\n7;Élus;Q10;b;x\n7;Élus;Q2;a;\n")
    )
    assert [q.id for q in found.questions] == ["Q2", "Q10"]
    assert answers(found) == [("Q2:7", "a"), ("Q10:7", "b")]
    assert [(p.category, p.responded, p.consulted) for p in found.panel] == [("Élus", 1, None)]


def test_long_form_with_the_questions_text_in_place_of_an_id(tmp_path: Path) -> None:
    found = good(give(tmp_path, "respondent_id,question,answer\nr1,Et demain ?,b\nr1,Et hier ?,a\n"))
    assert [(q.id, q.title) for q in found.questions] == [("Q1", "Et demain ?"), ("Q2", "Et hier ?")]
    assert answers(found) == [("Q1:r1", "b"), ("Q2:r1", "a")]


def test_a_respondents_category_counts_for_all_its_answers(tmp_path: Path) -> None:
    rows = "respondent_id,category,question_id,answer\nr1,,Q1,a\nr1,Élus,Q2,b\n"
    assert {a.category for a in good(give(tmp_path, rows)).answers} == {"Élus"}
    assert only_error(give(tmp_path, rows + "r1,Usagers,Q3,c\n"))[:2] == (4, "category")


def test_given_answer_ids_stay_and_must_be_unique(tmp_path: Path) -> None:
    rows = "question_id,answer_id,text\nQ1,a7,un\nQ1,a3,deux\n"
    assert answers(good(give(tmp_path, rows))) == [("a3", "deux"), ("a7", "un")]
    row, column, message = only_error(give(tmp_path, rows + "Q2,a7,trois\n"))
    assert (row, column) == (4, "text")
    assert "a7 stands twice (also in row 2)" in message


def test_wide_form_keeps_blank_cells_and_counts_who_spoke(tmp_path: Path) -> None:
    found = good(give(tmp_path, 'id,categorie,Q1,Q2\n1,Élus,a," "\n2,Usagers,,\n3,Élus,,c\n'))
    assert answers(found) == [
        ("Q1:1", "a"),
        ("Q1:2", ""),
        ("Q1:3", ""),
        ("Q2:1", " "),
        ("Q2:2", ""),
        ("Q2:3", "c"),
    ]
    assert found.n_respondents == 2
    assert [(p.category, p.responded) for p in found.panel] == [("Élus", 2)]


def test_wide_rows_without_id_are_told_apart_whatever_their_order(tmp_path: Path) -> None:
    rows = ["Oui,car\n", "Non,mais\n", "Oui,car\n"]
    one = good(give(tmp_path, "Qa ?,Qb ?\n" + "".join(rows)))
    other = good(give(tmp_path, "Qa ?,Qb ?\n" + "".join(reversed(rows))))
    assert answers(one) == answers(other)
    assert one.n_respondents == 3
    assert sum(a.id.endswith("-2") for a in one.answers) == 2


LIMESURVEY = (
    '"id","submitdate","lastpage","startlanguage","seed","G01Q01. Êtes-vous pour ?","G01Q02. Pourquoi ?",'
    '"G02Q03[SQ001]. Vos canaux [Le courriel]","interviewtime","groupTime12"\n'
    + "".join(
        f'"{k}","2026-01-0{k}","3","fr","12{k}","{"Oui" if k % 2 else "Non"}","Avis {k}","Oui","3{k}","9"\n'
        for k in range(1, 6)
    )
)
GOOGLE = "Horodateur,Votre profil,Que changer ?,Quels canaux ?\n" + "".join(
    f'2026/01/{k:02} 10:00:00,Agent {k},"Avis {k}, long",{canal}\n'
    for k, canal in enumerate(["Site", "Courriel", '"Site, Courriel"', "Téléphone"] * 5, start=1)
)
MICROSOFT = (
    "ID;Heure de début;Heure de fin;Adresse de messagerie;Nom;Que changer ?;Quels canaux ?\n"
    + "".join(f'{k};1/1/26;1/1/26;anonymous;;Avis {k};"Site;Courriel;"\n' for k in range(1, 14))
)
QUALTRICS = (
    "StartDate,EndDate,Status,Progress,ResponseId,Q1,Q2_4_TEXT,panel_source\n"
    'Start Date,End Date,Response Type,Progress,Response ID,"What should\nchange?",Other - Text,source\n'
    '"{""ImportId"":""startDate"",""timeZone"":""Europe/Paris""}","{""ImportId"":""endDate""}","{""ImportId"":""status""}",'
    '"{""ImportId"":""progress""}","{""ImportId"":""_recordId""}","{""ImportId"":""QID1_TEXT""}",'
    '"{""ImportId"":""QID2_4_TEXT""}","{""ImportId"":""panel_source""}"\n'
    "2026-01-01,2026-01-01,IP Address,100,R_1,The price,No,mail\n"
    "2026-01-01,2026-01-01,IP Address,100,R_2,Nothing,,web\n"
)


def test_limesurvey(tmp_path: Path) -> None:
    reading = give(tmp_path, LIMESURVEY)
    found = good(reading)
    assert [(q.id, q.title, q.kind) for q in found.questions] == [
        ("G01Q01", "Êtes-vous pour ?", "closed"),
        ("G01Q02", "Pourquoi ?", "open"),
        ("G02Q03[SQ001]", "Vos canaux [Le courriel]", "closed"),
    ]
    assert dict(found.question("G01Q01").counts) == {"Oui": 3, "Non": 2}
    problem, *closed = reading.problems
    assert all("taken for a closed question" in p.message for p in closed)
    assert "an export of LimeSurvey" in problem.message
    assert "submitdate, lastpage, startlanguage, seed, interviewtime, groupTime12" in problem.message
    assert found.answers_to("G01Q02")[0].id == "G01Q02:1"


@pytest.mark.parametrize(
    "header",
    [
        "Response ID,Date submitted,Last page,Start language,Seed,Date started,Date last action,IP address,Referrer URL,What?,Group time: A",
        "ID de la réponse,Date de soumission,Dernière page,Langue de départ,Tête de série,Date de lancement,"
        "Date de la dernière action,Adresse IP,URL de référence,What?,Temps pour le groupe de questions : A",
        "id. ID de la réponse,submitdate. Date de soumission,lastpage. Dernière page,startlanguage. Langue de départ,"
        "seed. Tête de série,startdate. Date de lancement,datestamp. Date de la dernière action,ipaddr. Adresse IP,"
        "refurl. URL de référence,G01Q01. What?,interviewtime. Temps total",
    ],
)
def test_limesurvey_in_each_of_its_headers(tmp_path: Path, header: str) -> None:
    rows = [f"{k},2026-01-01,2,fr,{k},2026-01-01,2026-01-01,10.0.0.{k},,Avis {k},3.5" for k in (1, 2)]
    found = good(give(tmp_path, "\n".join([header, *rows]) + "\n"))
    assert [q.title for q in found.questions] == ["What?"]
    assert [a.respondent_id for a in found.answers] == ["1", "2"]


def test_google_forms_with_choices_between_commas(tmp_path: Path) -> None:
    reading = give(tmp_path, GOOGLE)
    found = good(reading)
    assert "an export of Google Forms: left out as no questions: Horodateur" in reading.problems[0].message
    assert [(q.id, q.kind) for q in found.questions] == [("Q1", "open"), ("Q2", "open"), ("Q3", "closed")]
    assert dict(found.question("Q3").counts) == {"Courriel": 10, "Site": 10, "Téléphone": 5}


def test_microsoft_forms_with_choices_between_semicolons(tmp_path: Path) -> None:
    found = good(give(tmp_path, MICROSOFT))
    assert [(q.title, q.kind) for q in found.questions] == [
        ("Que changer ?", "open"),
        ("Quels canaux ?", "closed"),
    ]
    assert dict(found.questions[1].counts) == {"Courriel": 13, "Site": 13}
    assert found.n_respondents == 13


def test_qualtrics_with_its_three_header_rows(tmp_path: Path) -> None:
    reading = give(tmp_path, QUALTRICS)
    found = good(reading)
    assert [(q.id, q.title) for q in found.questions] == [
        ("Q1", "What should change?"),
        ("Q2_4_TEXT", "Other - Text"),
    ]
    assert answers(found)[:2] == [("Q1:R_1", "The price"), ("Q1:R_2", "Nothing")]
    assert "panel_source" in reading.problems[0].message


def test_qualtrics_keeps_what_stands_in_a_loop(tmp_path: Path) -> None:
    looped = QUALTRICS.replace("QID2_4_TEXT", "1_QID2_TEXT")
    assert ("Q2_4_TEXT:R_1", "No") in answers(good(give(tmp_path, looped)))


@pytest.mark.parametrize("texts", ["Start Date,End Date", "Date de début,Date de fin"])
def test_qualtrics_with_its_two_header_rows_of_old(tmp_path: Path, texts: str) -> None:
    found = good(
        give(
            tmp_path,
            f"StartDate,EndDate,ResponseId,Q1\n{texts},Response ID,What should change?\n"
            "2026-01-01,2026-01-01,R_1,The price\n",
        )
    )
    assert [q.title for q in found.questions] == ["What should change?"]
    assert answers(found) == [("Q1:R_1", "The price")]


@pytest.mark.parametrize(
    ("column", "id_", "title"),
    [
        ("G01Q02. What?", "G01Q02", "What?"),
        ("Q3 - Et demain ?", "Q3", "Et demain ?"),
        ("AVIS. Votre avis", "AVIS", "Votre avis"),
        ("Question 4 : pourquoi ?", "Q4", "pourquoi ?"),
        ("12) Autre", "Q12", "Autre"),
        ("Q7", "Q7", "Q7"),
        ("Q8[SQ001]", "Q8[SQ001]", "Q8[SQ001]"),
    ],
)
def test_a_column_that_begins_with_a_code(column: str, id_: str, title: str) -> None:
    found = coded(column)
    assert found is not None
    assert (found.id, found.title) == (id_, title)


def test_a_sentence_is_no_code_and_takes_no_others_number() -> None:
    assert coded("Améliorations : que proposez-vous ?") is None
    assert [h.id for h in headings(["Q2", "Que proposez-vous ?", "Et puis ?"])] == ["Q2", "Q3", "Q4"]


@pytest.mark.parametrize(
    ("texts", "closed"),
    [
        (["oui", "Non", "OUI", "non"], True),
        (["oui", "non"], False),
        (["3", "4,5", "10"] * 4, True),
        (["Tout à fait", "Plutôt", "Pas du tout"] * 4, True),
        (["Oui, plutôt", "Non, plutôt pas", "Oui", "Non"] * 5, True),
        ([f"avis {k}" for k in range(40)], False),
        (["Une phrase entière qui dit ce que la personne pense"] * 40, False),
        ([], False),
    ],
)
def test_which_columns_look_closed(texts: list[str], closed: bool) -> None:
    assert looks_closed("Q1", texts) is closed


def test_an_option_with_a_comma_is_one_option(tmp_path: Path) -> None:
    rows = "".join(f'{k},"{t}"\n' for k, t in enumerate(["Oui, plutôt", "Non, plutôt pas", "Oui", "Non"] * 5))
    found = good(give(tmp_path, "id,Q1\n" + rows))
    assert dict(found.question("Q1").counts) == {"Non": 5, "Non, plutôt pas": 5, "Oui": 5, "Oui, plutôt": 5}


SIDECAR: dict[str, object] = {
    "id": "vague-1",
    "title": "Vague 1",
    "language": "fr",
    "unit": "organisation",
    "note": "données inventées",
    "columns": {"respondent_id": "numero", "category": "famille", "ignore": ["courriel"]},
    "questions": [
        {"id": "Q2", "title": "Deux ?", "column": "deux", "joined_with": ["Q1"]},
        {"id": "Q1", "title": "Un ?"},
        {"id": "Q2a", "column": "oui", "closed_part_of": "Q2", "options": ["Oui", "Non", "NSP"]},
        {"id": "Q9", "title": "Connue par ses nombres", "counts": {"a": 3, "b": 1}},
    ],
    "panel": [{"category": "Élus", "consulted": 3}, {"category": "Usagers", "consulted": 2}],
}
WIDE = "numero,famille,courriel,Un ?,deux,oui,libre\n1,Élus,x@y,a,b,oui,\n2,Elus,x@y,c,d,Non,e\n"


def test_a_sidecar_says_everything_about_a_round(tmp_path: Path) -> None:
    reading = give(tmp_path, WIDE, SIDECAR)
    found = good(reading)
    assert (found.id, found.title, found.unit, found.note) == (
        "vague-1",
        "Vague 1",
        "organisation",
        "données inventées",
    )
    assert [(q.id, q.title, q.kind, q.joined_with, q.closed_part_of) for q in found.questions] == [
        ("Q2", "Deux ?", "open", ("Q1",), None),
        ("Q1", "Un ?", "open", ("Q2",), None),
        ("Q2a", "oui", "closed", (), "Q2"),
        ("Q9", "Connue par ses nombres", "closed", (), None),
    ]
    assert dict(found.question("Q2a").counts) == {"Oui": 1, "Non": 1, "NSP": 0}
    assert dict(found.question("Q9").counts) == {"a": 3, "b": 1}
    assert [(p.category, p.consulted, p.responded) for p in found.panel] == [
        ("Élus", 3, 1),
        ("Usagers", 2, 0),
        ("Elus", None, 1),
    ]
    assert [(p.severity, p.row, p.column) for p in reading.problems] == [
        ("warning", None, None),
        ("warning", 3, "famille"),
    ]
    assert "left out: libre" in reading.problems[0].message
    assert "« Elus » is not in the panel" in reading.problems[1].message


@pytest.mark.parametrize(
    ("change", "row", "column", "message"),
    [
        ({"columns": {"respondent_id": "absent"}}, 1, "absent", "no column absent"),
        ({"questions": [{"id": "Q1", "column": "absent"}]}, 1, "absent", "no column for question Q1"),
        ({"questions": [{"id": "Q5"}]}, 1, "Q5", "no column for question Q5"),
        ({"questions": [{"id": "deux", "joined_with": ["Q7"]}]}, None, "deux", "joined with Q7"),
        ({"questions": [{"id": "oui", "closed_part_of": "Q7"}]}, None, "oui", "the closed part of Q7"),
        ({"questions": [{"id": "deux"}, {"id": "deux"}]}, None, "deux", "stands twice"),
        ({"questions": [{"id": "deux", "king": "open"}]}, None, "questions.0.king", "not permitted"),
        ({"panel": [{"category": "Élus", "consulted": -1}]}, None, "panel.0.consulted", "greater than"),
    ],
)
def test_a_wrong_sidecar_is_told(
    tmp_path: Path, change: dict[str, object], row: int | None, column: str, message: str
) -> None:
    found = only_error(give(tmp_path, WIDE, change))
    assert found[:2] == (row, column)
    assert message in found[2]


def test_a_broken_sidecar_is_told_by_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "round.json").write_text("{", encoding="utf-8")
    reading = give(tmp_path, WIDE)
    assert reading.round is None
    assert [p.file for p in reading.problems] == ["round.json"]


def test_unknown_keys_of_a_sidecar_are_told(tmp_path: Path) -> None:
    reading = give(tmp_path, WIDE, {"tittle": "x"})
    assert reading.round is not None
    [told] = [p for p in reading.problems if p.file == "answers.round.json"]
    assert told.message == "unknown key: tittle"
    assert told.remedy == "write title in place of tittle; docs/input.md has the names"
    [odd] = [p for p in give(tmp_path, WIDE, {"zzz": 1}).problems if p.file == "answers.round.json"]
    assert odd.remedy == "docs/input.md has the names"
    broken = give(tmp_path, WIDE, {"columns": {"respondent": "id"}})
    [inner] = [p for p in broken.problems if p.severity == "error"]
    assert (inner.column, inner.remedy) == (
        "columns.respondent",
        "write respondent_id in place of respondent; docs/input.md has the names",
    )


def test_columns_that_say_who_answers_are_no_questions(tmp_path: Path) -> None:
    table = "id,Organisme,Nom :,E-mail,Que faut-il changer ?\n1,Mairie,Durand,d@x.fr,Tout\n2,École,Petit,p@x.fr,Rien du tout\n"
    reading = give(tmp_path, table)
    assert [q.title for q in good(reading).questions] == ["Que faut-il changer ?"]
    assert any("Organisme, Nom :, E-mail" in p.message for p in reading.problems)
    named = {"questions": [{"id": "Q1", "title": "Organisme", "column": "Organisme"}]}
    assert [q.title for q in good(give(tmp_path, table, named)).questions] == ["Organisme"]


@pytest.mark.parametrize(
    ("column", "identity"),
    [
        ("Nom de votre structure :", True),
        ("Quel est le nom de votre organisation ?", True),
        ("N° de téléphone", True),
        ("Votre adresse mail", True),
        ("What is your name?", True),
        ("Quelle est la structure ?", False),
        ("Votre avis", False),
        ("Quel rôle pour votre structure ?", False),
    ],
)
def test_which_columns_say_who_answers(column: str, identity: bool) -> None:
    assert is_identity(column) is identity


@pytest.mark.parametrize(
    ("table", "line"),
    [
        (
            "Organisme;Nom;Que faut-il changer ?\nMairie;Durand;Tout\nÉcole;Petit;Rien du tout\n",
            {"unit": "organisation", "columns": {"respondent_id": "Organisme", "ignore": ["Nom"]}},
        ),
        (
            "Nom;Organisme;Que faut-il changer ?\nDurand;Mairie;Tout\nPetit;Mairie;Rien du tout\n",
            {"columns": {"ignore": ["Nom", "Organisme"]}},
        ),
        (
            "id;Organisme;Que faut-il changer ?\n1;Mairie;Tout\n2;École;Rien du tout\n",
            {"columns": {"ignore": ["Organisme"]}},
        ),
        (
            "Organisme;Que faut-il changer ?\nMairie;Tout\nÉcole;Rien du tout\n",
            {"unit": "organisation", "columns": {"respondent_id": "Organisme"}},
        ),
    ],
)
def test_the_remedy_for_columns_that_say_who_answers_settles_it(
    tmp_path: Path, table: str, line: dict[str, object]
) -> None:
    before = give(tmp_path, table)
    [problem] = before.problems
    assert f"answers.round.json: {json.dumps(line, ensure_ascii=False)};" in problem.remedy
    after = give(tmp_path, table, line)
    assert after.problems == ()
    assert good(after).questions == good(before).questions
    assert good(after).unit == line.get("unit", "respondent")


def test_the_guide_names_every_column_that_is_left_out() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "input.md").read_text(encoding="utf-8")
    assert {name for name in IDENTITY if f"`{name}`" not in fold(guide)} == set()


def test_questions_are_chosen_and_joined(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text("id,Q1,Q2,Q3,Q4\nr,a,b,c,d\n", encoding="utf-8")
    sidecar = {"questions": [{"id": f"Q{k}", "joined_with": ["Q2"] if k == 1 else []} for k in range(1, 5)]}
    (tmp_path / "round.json").write_text(json.dumps(sidecar), encoding="utf-8")
    found = good(read_round(path, questions=("Q4+Q2", "Q1")))
    assert [(q.id, q.joined_with) for q in found.questions] == [("Q1", ()), ("Q2", ("Q4",)), ("Q4", ("Q2",))]
    assert [a.text for a in found.answers] == ["a", "b", "d"]
    assert only_error(read_round(path, questions=("Q1+Q9",)))[1:] == ("Q9", "no open question Q9")
    assert only_error(read_round(path, questions=("Q1", "Q1+Q2")))[1:] == (
        "Q1",
        "question Q1 is asked for twice",
    )


def test_the_example_of_the_page_for_analysts_is_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "input.md").read_text(encoding="utf-8")
    sidecar, rows = (page.split(f"```{kind}\n")[1].split("```")[0] for kind in ("json", "csv"))
    reading = give(tmp_path, rows, json.loads(sidecar))
    found = good(reading)
    assert reading.problems == ()
    assert [(q.id, q.kind, q.joined_with, dict(q.counts)) for q in found.questions] == [
        ("Q1", "open", (), {}),
        ("Q2", "closed", (), {"Yes": 1, "No": 1}),
        ("Q3", "open", ("Q4",), {}),
        ("Q4", "open", ("Q3",), {}),
        ("Q5", "closed", (), {"Yes": 9, "No": 3}),
    ]
    assert [(p.category, p.consulted, p.responded) for p in found.panel] == [
        ("Patients", 12, 1),
        ("Doctors", 8, 1),
    ]
