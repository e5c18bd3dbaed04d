"""What is wrong is told with row, column and remedy; nothing is lost in silence, nothing is raised."""

import re
from pathlib import Path
from string import Formatter
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.errors import BadInput
from service.ingest import Limits, Problem, Reading, read_round, read_themes
from service.ingest.messages import ENGLISH, FRENCH, MORE


def give(
    folder: Path, content: bytes | str, name: str = "answers.csv", limits: Limits | None = None
) -> Reading:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_round(path, limits=limits or Limits())


HEADER = "respondent_id,category,question_id,answer\n"

ERRORS: list[tuple[str, str | bytes, int | None, str | None, str]] = [
    ("empty", b"", None, None, "the file is empty"),
    ("only a mark", b"\xef\xbb\xbf", None, None, "the file is empty"),
    ("blank", "\r\n \n", None, None, "the file is empty"),
    ("only a header", HEADER, 1, None, "no answers"),
    ("repeated column", "id,Q1,Q1\nr,a,b\n", 1, "Q1", "stands twice"),
    ("two columns of one code", "id,Q1. A ?,Q1. B ?\nr,a,b\n", 1, "Q1", "two columns are question Q1"),
    ("missing column", "respondent_id,question_id\nr,Q1\n", 1, "answer", "no column of answers"),
    ("nothing but ids", "id,category\nr,x\n", 1, None, "no column of answers"),
    ("no question id", HEADER + "r1,x,Q1,a\nr2,x, ,b\n", 3, "question_id", "no question id"),
    ("repeated respondent", "id,Q1\nr,a\ns,b\nr,c\n", 4, "id", "respondent r stands twice (also in row 2)"),
    (
        "repeated answer",
        HEADER + "r,x,Q1,a\nr,x,Q1,b\n",
        3,
        "answer",
        "answer Q1:r stands twice (also in row 2)",
    ),
    ("too many cells in every row", "id;Q1\nr;a;b\n", 2, None, "3 cells under 2 column names"),
    ("too many cells", "id,Q1\nr,a\ns,b,c\n", 3, None, "3 cells under 2 column names"),
    ("open quote", 'id,Q1\nr,a\ns,"b\nt,c\n', 3, None, "a quote opens here and never closes"),
    ("quote in a cell", 'id,Q1\nr,"il a dit "non" et puis"\n', 2, None, "a quote inside a quoted cell"),
    ("NUL", "id,Q1\nr,a\0b\n", 2, None, "NUL"),
    ("NUL in JSON", '[{"id": 1, "Q1": "a\\u0000b"}]', 1, "Q1", "NUL"),
    ("half a character", '[{"id": 1, "Q1": "a\\ud83d"}]', 1, "Q1", "half a character"),
    ("half a title", '{"title": "a\\ud83d", "answers": [{"Q1": "a"}]}', None, "title", "half a character"),
    (
        "NUL in a question",
        '{"questions": [{"id": "Q1", "title": "a\\u0000"}], "answers": [{"Q1": "a"}]}',
        None,
        "questions.0.title",
        "NUL",
    ),
    ("half a key", '{"a\\ud83d": 1, "answers": [{"Q1": "a"}]}', None, "a\ufffd", "half a character"),
    ("half a column", '[{"Q\\ud83d": "a"}]', None, "Q\ufffd", "half a character"),
    (
        "a count below nothing",
        '{"questions": [{"id": "Q1", "counts": {"yes": -5}}], "answers": [{"Q1": "a"}]}',
        None,
        "questions.0.counts.yes",
        "0",
    ),
    ("an object as answer", '[{"id": 1, "Q1": {"a": 1}}]', 1, "Q1", "an object"),
    ("a key twice", '{"id": 1, "Q1": "a"}\n{"id": 2, "Q1": "a", "Q1": "b"}', 2, None, "'Q1' stands twice"),
    ("a list of numbers", "[1, 2]", 1, None, "not an object"),
    ("an empty object", "{}", 1, None, "no column of answers"),
    ("no answers in JSON", "[]", None, None, "no answers"),
    ("brackets without end", "[" * 100_000, None, None, "brackets within brackets"),
    ("lists without end", '[{"Q1": ' + "[" * 900 + "]" * 900 + "}]", None, None, "brackets within brackets"),
    ("broken JSON line", '{"id": 1, "Q1": "a"}\n{"id": 2', 2, None, "not a JSON line"),
    ("two encodings", "id,Q1\nr,é\n".encode() + b"s,\xe9\n", 3, None, "two encodings"),
    ("half of UTF-16", "id,Q1\nr,a\n".encode("utf-16") + b"\0", None, None, "not utf-16"),
    ("a picture", b"\x89PNG\r\n\x1a\n" + bytes(100), None, None, "no table"),
    ("no text", bytes(range(1, 256)) * 20, 2, None, "no text"),
    ("a page called a table", "<html>\n<table><tr><td>id</td></tr></table>", None, None, "HTML"),
    ("an old workbook", b"\xd0\xcf\x11\xe0" + bytes(600), None, None, "old Excel"),
    ("a damaged archive", b"PK\x03\x04" + bytes(600), None, None, "damaged ZIP"),
    ("a damaged gzip", b"\x1f\x8b" + bytes(600), None, None, "damaged gzip"),
]


@pytest.mark.parametrize(
    ("content", "row", "column", "message"), [e[1:] for e in ERRORS], ids=[e[0] for e in ERRORS]
)
def test_an_error_has_its_place_and_remedy(
    tmp_path: Path, content: str | bytes, row: int | None, column: str | None, message: str
) -> None:
    name = "answers.jsonl" if isinstance(content, str) and content[0] in "[{" else "answers.csv"
    reading = give(tmp_path, content, name)
    assert reading.round is None
    [problem] = [p for p in reading.problems if p.severity == "error"]
    assert (problem.file, problem.row, problem.column) == (name, row, column)
    assert message in problem.message
    assert problem.remedy


WARNINGS: list[tuple[str, str | bytes, int | None, str | None, str]] = [
    ("accents spoilt before", "id,Q1\nr,a\ns,trÃ¨s bien\n", 3, "Q1", "wrong encoding"),
    ("apostrophe spoilt before", "id,Q1\nr,lâ€™accueil\n", 2, "Q1", "wrong encoding"),
    ("letters lost before", "id,Q1\nr,tr\ufffds bien\n", 2, "Q1", "U+FFFD"),
    ("spoilt column name", "id,Qualité, prix\nr,a,b\n".replace("é", "Ã©"), 1, "QualitÃ©", "wrong encoding"),
    ("too few cells", "id,Q1,Q2\nr,a,b\ns,c\n", 3, None, "2 cells under 3"),
    ("a blank row between", "id,Q1\nr,a\n , \ns,c\n", 3, None, "blank row"),
    ("a column without name", "id,,Q1\nr,x,a\n", 1, None, "column 2 has no name"),
    ("no respondent id", "id,Q1\nr,a\n,b\n", 3, "id", "no respondent id"),
    ("an error value", "id,Q1\nr,a\ns,#NAME?\n", 3, "Q1", "it is lost"),
    ("a formula", "id,Q1\nr,a\ns,=A2\n", 3, "Q1", "looks like a formula"),
    ("two questions, one text", "id,Q1. Et puis ?,Q2. Et puis ?\nr,a,b\n", 1, "Q2", "have the same text"),
    ("not UTF-8", "id,Q1\nr,a\ns,été\n".encode("cp1252"), 3, None, "read as cp1252"),
]


@pytest.mark.parametrize(
    ("content", "row", "column", "message"), [w[1:] for w in WARNINGS], ids=[w[0] for w in WARNINGS]
)
def test_a_warning_has_its_place_and_the_round_is_read(
    tmp_path: Path, content: str | bytes, row: int | None, column: str | None, message: str
) -> None:
    reading = give(tmp_path, content)
    assert reading.round is not None
    [problem] = reading.problems
    assert (problem.severity, problem.row, problem.column) == ("warning", row, column)
    assert message in problem.message
    assert problem.remedy


def test_blank_lines_at_the_end_are_no_problem(tmp_path: Path) -> None:
    assert give(tmp_path, "id,Q1\nr,a\n,\n\n").problems == ()


@pytest.mark.parametrize(
    ("content", "limits", "row", "column", "message"),
    [
        ("id,Q1\nr,abc\ns,abcdef\n", Limits(cell_chars=5), 3, "Q1", "a cell of 6 characters"),
        ('[{"id": 1, "Q1": "abcdef"}]', Limits(cell_chars=5), 1, "Q1", "a cell of 6 characters"),
        ("id,Q1,Q2\nr,a,b\n", Limits(columns=2), 1, None, "3 columns"),
        ('[{"id": 1, "Q1": "a", "Q2": "b"}]', Limits(columns=2), 1, None, "3 columns, more than 2"),
        ("id,Q1\nr,a\ns,b\n", Limits(rows=1), None, None, "more than 1 rows"),
        ('[{"id": 1}, {"id": 2}]', Limits(rows=1), None, None, "more than 1 answers"),
        ("id,Q1\nr,a\n", Limits(file_bytes=5), None, None, "10 bytes, more than 5"),
        ("id,Q1\nr,a\ns,abcdefghijkl\n", Limits(line_bytes=10), 3, None, "a line of more than 10 bytes"),
        (
            '[{"id": 1, "Q1": "a"}]',
            Limits(line_bytes=10, json_bytes=20),
            1,
            None,
            "a line of more than 20 bytes",
        ),
    ],
)
def test_beyond_a_limit_nothing_is_cut_and_nothing_is_read(
    tmp_path: Path, content: str, limits: Limits, row: int | None, column: str | None, message: str
) -> None:
    reading = give(tmp_path, content, limits=limits)
    assert reading.round is None
    assert [(p.row, p.column) for p in reading.problems] == [(row, column)]
    assert message in reading.problems[0].message


def test_json_may_stand_on_one_long_line(tmp_path: Path) -> None:
    assert give(tmp_path, '[{"id": 1, "Q1": "abcdefghijkl"}]', limits=Limits(line_bytes=10)).round is not None


def test_many_problems_of_one_kind_are_counted(tmp_path: Path) -> None:
    reading = give(tmp_path, "id,Q1\n" + "r,a\n" * 21)
    assert [p.row for p in reading.problems] == [3, 4, 5, 6, 7, None]
    assert str(reading.problems[-1]) == "error: answers.csv: 15 more like: repeated respondent id → see above"


def test_a_problem_is_one_line() -> None:
    problem = Problem(severity="error", file="a.csv", row=3, column="Q1", code="column_twice")
    assert (
        str(problem) == "error: a.csv, row 3, column Q1: the column name stands twice → name each column once"
    )


def test_a_line_break_in_a_column_name_stays_on_the_line() -> None:
    problem = Problem(
        severity="warning",
        file="a",
        row=3,
        column="Que\r\nfaire ?",
        code="read_as",
        said={"encoding": "a\nb"},
    )
    assert "\n" not in str(problem)
    assert "\r" not in str(problem)


@settings(max_examples=150)
@given(
    content=st.binary(max_size=300)
    | st.text('",;\t|\r\n=[]{}:éa1\0\ufeff', max_size=120).map(lambda text: text.encode()),
    name=st.sampled_from(["a.csv", "a.xlsx", "a.json", "a.jsonl", "a.round.json", "round.json", "a", ".csv"]),
)
def test_no_bytes_raise_anything(content: bytes, name: str) -> None:
    with TemporaryDirectory() as folder:
        reading = give(Path(folder), content, name)
    assert (reading.round is None) == any(p.severity == "error" for p in reading.problems)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\xfa",
        b"[1]",
        b"[]",
        b"{}",
        b'["A", "A"]',
        b'[{"title": "a", "question_ids": "Q1"}]',
        b'[{"titre": "a"}]',
        b"[" * 100_000,
    ],
)
def test_a_wrong_file_of_themes_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "themes.json"
    path.write_bytes(content)
    with pytest.raises(BadInput):
        read_themes(path)


def test_themes_by_line_or_as_json(tmp_path: Path) -> None:
    path = tmp_path / "themes"
    path.write_text("Le prix\n\n L’accueil \n", encoding="utf-8")
    assert [t.title for t in read_themes(path)] == ["Le prix", "L’accueil"]
    path.write_text('[{"title": "Le prix", "question_ids": ["Q1"]}]', encoding="utf-8")
    assert [(t.title, t.question_ids) for t in read_themes(path)] == [("Le prix", ("Q1",))]
    path.write_text('{"themes": ["Le prix", {"title": "L’accueil"}]}', encoding="utf-8")
    assert [t.title for t in read_themes(path)] == ["Le prix", "L’accueil"]


@pytest.mark.parametrize(
    ("content", "complete"),
    [
        ("id,Q1\nr,a\nr,b\n", False),  # a respondent twice: categories and panel are not looked at
        ("question_id,id,answer\nQ1,r,a\nQ1,r,b\n", True),  # an answer twice: found by the last check
        (b"%PDF-1.4", False),
        ("id,Q1\nr,a\n", True),
    ],
)
def test_a_reading_says_whether_every_check_was_made(
    tmp_path: Path, content: str | bytes, complete: bool
) -> None:
    assert give(tmp_path, content).complete is complete


def test_every_problem_is_told_in_both_languages_with_the_same_particulars() -> None:
    assert FRENCH.keys() == ENGLISH.keys()
    for code, words in ENGLISH.items():
        for one, other in ((words.message, FRENCH[code].message), (words.remedy, FRENCH[code].remedy)):
            names = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in (one, other)]
            assert names[0] == names[1], code
        assert bool(words.kind) == bool(FRENCH[code].kind), code


def test_a_problem_is_told_in_french_with_its_particulars_and_as_many_more(tmp_path: Path) -> None:
    reading = give(tmp_path, "id,Q1\n" + "r,a\n" * 1_021)
    assert reading.problems[0].told("fr") == (
        "le répondant r figure deux fois (aussi à la ligne 2)",
        "une ligne par répondant\u00a0: réunir les lignes ou corriger l’identifiant",
    )
    assert reading.problems[-1].told("fr") == (
        "1\u202f015 autres du même genre\u00a0: identifiant de répondant répété",
        "voir ci-dessus",
    )


def test_what_the_file_says_is_never_taken_for_a_place_in_a_message(tmp_path: Path) -> None:
    reading = give(tmp_path, "id,{0},{0}\nr,a,b\n")
    assert reading.problems[0].column == "{0}"
    told = give(tmp_path, HEADER + "r,{x},Q1,a\nr,{y},Q1,b\n").problems[0].told("fr")[0]
    assert told == "le répondant r est de catégorie {x} et de catégorie {y}"


def test_every_code_that_the_reader_tells_has_its_words_and_every_word_is_used() -> None:
    read = "".join(p.read_text() for p in Path("service/ingest").glob("*.py") if p.name != "messages.py")
    told = set(re.findall(r'log\.(?:add\(\s*"\w+",|stop\()\s*"(\w+)"', read))
    assert len(told) > 40
    assert told <= ENGLISH.keys()
    assert {code for code in ENGLISH if f'"{code.removesuffix("_near")}"' not in read} <= {MORE}
