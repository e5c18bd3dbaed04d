"""Why a text is to be looked at again, in words, by language."""

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
