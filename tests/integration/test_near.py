"""Near-duplicates: found whatever the crowd, never where a word that matters differs."""

from embeddings.near import likeness, near_duplicates

BASE = (
    "le conseil municipal devrait publier chaque année la liste des travaux prévus dans les écoles du village"
)
LETTER = " ".join(f"mot{i}" for i in range(60))


def found(*texts: str, **options: float) -> list[tuple[int, int]]:
    return [(p.first, p.second) for p in near_duplicates(texts, **options)]  # type: ignore[arg-type]


def test_a_spelling_or_a_small_word_apart() -> None:
    assert found(
        BASE, BASE.replace("conseil", "conseill"), BASE.replace("la liste", "liste"), "autre chose"
    ) == [
        (0, 1),
        (0, 2),
    ]


def test_another_word_is_another_idea_in_a_short_text() -> None:
    assert found(BASE, BASE.replace("travaux", "dépenses"), BASE.replace("prévus", "imprévus")) == []


def test_any_word_may_differ_in_a_long_copy() -> None:
    assert found(f"{LETTER} signé anne", f"{LETTER} signé bruno") == [(0, 1)]


def test_short_texts_are_never_near() -> None:
    assert found("plus de moyens pour la santé", "plus de moyens pour la santée") == []


def test_different_keys_are_no_pair() -> None:
    assert near_duplicates([BASE, BASE + " oui"], keys=["a", "b"]) == ()
    assert len(near_duplicates([BASE, BASE + "s"], keys=["a", "a"])) == 1


def test_pairs_connect_a_whole_crowd() -> None:
    crowd = [f"{LETTER} signé {'abcdefgh'[i % 8]}{i}" for i in range(300)]
    reached = {0}
    for pair in near_duplicates(crowd):
        assert pair.first < pair.second
        assert pair.ratio >= 0.9
        reached |= {pair.first, pair.second}
    assert reached == set(range(300))


def test_the_same_twice() -> None:
    texts = [f"{BASE} {'x' * (i % 7)}" for i in range(40)]
    assert near_duplicates(texts) == near_duplicates(texts)


def test_nothing_to_compare() -> None:
    assert near_duplicates([]) == ()
    assert near_duplicates([BASE]) == ()
    assert near_duplicates(["", "\x00", "👍"]) == ()


def test_likeness_is_zero_below_the_least() -> None:
    assert likeness(["a", "b"], ["a", "b"], 0.9) == 1.0
    assert likeness(["a", "b"], ["c", "d"], 0.9) == 0.0
