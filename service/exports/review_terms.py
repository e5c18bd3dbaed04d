"""Reviews in words, by language: why a text is to be looked at again, and what a revision changed."""

import re

from service.domain.review import Reason
from service.domain.round import Language

REASONS: dict[Language, dict[Reason, str]] = {
    "fr": {
        "label_changed": "un libellé cité a été corrigé",
        "members_changed": "des verbatims ont été déplacés",
        "group_gone": "un regroupement cité n’existe plus ; un autre le remplace",
        "largest_changed": "ce regroupement n’est plus le plus large",
        "sentence_changed": "une phrase citée a été récrite",
        "support_changed": "l’appui d’une phrase citée a changé",
        "support_gone": "la phrase citée n’existe plus",
        "opposed": "des positions opposées sont réunies sous ce libellé",
        "quantity": "un mot de quantité dépasse le compte",
    },
    "en": {
        "label_changed": "a label that it cites was corrected",
        "members_changed": "verbatims were moved",
        "group_gone": "a group that it cited is no more; another stands for it",
        "largest_changed": "this group is no longer the largest",
        "sentence_changed": "a sentence that it cites was rewritten",
        "support_changed": "the support of a sentence that it cites changed",
        "support_gone": "the sentence that it cited is no more",
        "opposed": "opposed positions are under this one label",
        "quantity": "a word of quantity says more than the count",
    },
}

CHANGES: dict[Language, dict[str, str]] = {
    "fr": {
        "set_label": "Libellé corrigé",
        "set_sentence": "Phrase récrite",
        "remove_sentence": "Phrase supprimée",
        "move_verbatims": "Verbatims déplacés",
        "move_groups": "Regroupements déplacés",
        "merge_groups": "Regroupements réunis",
        "split_group": "Regroupement séparé",
        "new_group": "Nouveau regroupement",
        "redraft": "Synthèse rédigée de nouveau",
        "confirm": "Texte confirmé",
        "approve": "Validé",
        "unapprove": "Validation retirée",
        "undo": "Changement {n} annulé",
    },
    "en": {
        "set_label": "Label corrected",
        "set_sentence": "Sentence rewritten",
        "remove_sentence": "Sentence removed",
        "move_verbatims": "Verbatims moved",
        "move_groups": "Groups moved",
        "merge_groups": "Groups merged",
        "split_group": "Group split",
        "new_group": "New group",
        "redraft": "Synthesis drafted again",
        "confirm": "Text confirmed",
        "approve": "Approved",
        "unapprove": "Approval taken back",
        "undo": "Change {n} undone",
    },
}
"""Kinds of revisions; {n} is the number of the one that an undo takes back."""

TARGETS: tuple[tuple[re.Pattern[str], dict[Language, str]], ...] = (
    (
        re.compile(r"theme#(\d+)\.(\d+)\.(\d+)"),
        {
            "fr": "synthèse générale, thème {1}, partie {2}, phrase {3}",
            "en": "general synthesis, theme {1}, part {2}, sentence {3}",
        },
    ),
    (
        re.compile(r"(.+)#(\d+) cites"),
        {"fr": "{1}, citations de la phrase {2}", "en": "{1}, what sentence {2} cites"},
    ),
    (re.compile(r"(.+)#(\d+)"), {"fr": "{1}, phrase {2}", "en": "{1}, sentence {2}"}),
    (re.compile(r"(.+) under"), {"fr": "{1}, regroupement de niveau 2", "en": "{1}, level-2 group"}),
)
"""Ids of `Was` that are more than the id of a group, a verbatim or a question. Positions in them count from 0."""


def told_target(id_: str, language: Language) -> str:
    """What a revision changed, in words; an id of a group or verbatim stays as it is."""
    for pattern, words in TARGETS:
        if found := pattern.fullmatch(id_):
            parts = [str(int(p) + 1) if p.isdecimal() else p for p in found.groups()]
            return words[language].format("", *parts)
    return id_
