"""Errors in French, for pages: by class, and why a change does not fit. In English an error says itself what is wrong."""

from service.domain.wording import typeset
from service.errors import BadEdit, PolyphonieError

CLASSES = {
    "BadEdit": "Ce changement ne convient pas au projet tel qu’il est maintenant.",
    "BadInput": "Ce qui a été envoyé ne peut pas être utilisé tel quel.",
    "Conflict": "Ce n’est pas possible dans l’état actuel. Rechargez la page, puis décidez.",
    "Defect": "Une erreur que personne n’avait prévue. Rien n’a été fait à moitié ; signalez ce que vous faisiez, et quand.",
    "InvalidRequest": "Cette adresse ou ce formulaire ne peut pas être lu.",
    "MissingPackage": "Il manque un composant sur le serveur.",
    "MissingScope": "Cette clé ne permet pas cette action.",
    "NotInDraft": "Ce que nomme ce changement n’existe pas (ou plus) dans ce projet.",
    "NotFound": "Il n’y a rien ici que cette clé puisse voir.",
    "Outdated": "Quelqu’un a changé la même chose depuis que vous l’avez lue. Rien n’a été écrasé : relisez, puis recommencez.",
    "StoreUnavailable": "La base de données ne répond pas. Rien n’a été changé ; réessayez dans un instant.",
    "TooLarge": "Le fichier dépasse ce que ce service accepte. Répartissez la vague en plusieurs fichiers.",
    "TooManyRequests": "Trop de demandes à la fois avec cette clé. Attendez un instant.",
    "UnsupportedMedia": "Ce type de contenu n’est pas lu ici.",
}

EDITS = {
    "no_verbatim": "Aucun verbatim n’est coché : choisissez-en au moins un.",
    "no_group": "Aucun regroupement n’est coché : choisissez-en au moins un.",
    "verbatims_there": "Ces verbatims y sont déjà.",
    "groups_there": "Ces regroupements y sont déjà.",
    "empty": "Le texte est vide : écrivez au moins un mot, ou annulez le changement dont vous ne voulez plus.",
    "too_long": "Le texte fait {characters} caractères : {most} au plus.",
    "last_sentence": "Une synthèse garde au moins une phrase : donnez plutôt un autre texte à celle-ci.",
    "split_some": "Cochez au moins un verbatim, et pas tous : un nouveau regroupement en prend une partie et en laisse.",
    "no_such_group": "Le regroupement {group} n’existe pas (ou plus) dans ce projet.",
    "no_such_question": "La question {question} n’existe pas dans ce projet.",
    "no_open_question": "La question {question} n’est pas une question ouverte de ce projet : il n’y a rien à rédiger.",
    "no_such_sentence": "Cette phrase n’existe pas (ou plus) dans cette synthèse.",
    "no_such_verbatim": "Le verbatim {verbatim} n’existe pas dans ce projet.",
    "level_2_needed": "{group} contient des verbatims : choisissez un regroupement de niveau 2.",
    "level_1_needed": "{group} contient des regroupements : choisissez l’un d’eux.",
    "groups_inside": "{group} contient des regroupements : cochez ceux-ci, ou réunissez-le avec un autre de niveau 2.",
    "merge_two": "Pour réunir, il faut deux regroupements : choisissez-en un autre.",
    "merge_unlike": "{group} et {into} ne sont pas de la même question et du même niveau : on ne peut pas les réunir.",
    "not_in_group": "Le verbatim {verbatim} n’est pas (ou plus) dans le regroupement {group}.",
    "verbatim_elsewhere": "Le verbatim {verbatim} n’est pas de la question {question}.",
    "no_level_2_here": "{group} n’est pas un regroupement de niveau 2 de la question {question}.",
    "shared_synthesis": "La question {question} n’a pas de synthèse à elle : changez celle de la question {leader}.",
    "group_not_here": "La phrase cite le regroupement {group}, que sa question n’a pas (ou plus).",
    "voice_not_here": "La phrase cite le verbatim {verbatim}, qui n’est pas (ou plus) une voix isolée de sa question.",
    "unsound_redraft": "La synthèse rédigée de nouveau ne tient pas ; rien n’a été changé. Demandez-la encore une fois.",
    "theme_cites": "Une phrase de la synthèse générale cite des phrases de questions : ne changez pas ce qu’elle cite.",
    "fits_no_more": "Le changement {number}, de {who}, ne convient plus à ce projet.",
    "other_question": "Le regroupement {group} est d’une autre question : on ne passe pas de l’une à l’autre.",
    "cites_nothing": "La phrase ne cite plus rien : donnez-lui au moins un regroupement ou une voix isolée.",
    "undone_already": "Ce changement est déjà annulé.",
    "no_change": "Il n’y a pas de tel changement à annuler.",
    "rested_on": "Ce changement ne peut pas être annulé : un plus récent s’appuie sur lui. Annulez d’abord celui-là.",
}


def in_french(error: PolyphonieError) -> str:
    """What is wrong and what to do."""
    if isinstance(error, BadEdit) and error.why in EDITS:
        return typeset(EDITS[error.why], "fr").format(**error.said)
    return typeset(CLASSES.get(error.code, CLASSES["InvalidRequest"]), "fr")
