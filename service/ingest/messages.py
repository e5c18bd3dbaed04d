"""What can be wrong with an input, in words: by code, in French and English. Row, column and file are told beside them."""

from collections.abc import Mapping
from dataclasses import dataclass

from service.domain.round import Language
from service.domain.wording import number, typeset

Said = Mapping[str, str | int]
"""What stands in the braces of a message; whole numbers are written as the language does."""

MORE = "more_alike"
"""The code that counts further problems of one kind; its `like` is the code of that kind."""


@dataclass(frozen=True, slots=True)
class Words:
    message: str
    remedy: str
    kind: str = ""
    """What many of them are called, where the message says what is wrong with one."""


ENGLISH: dict[str, Words] = {
    MORE: Words("{count} more like: {like}", "see above"),
    # the file
    "folder": Words("this is a folder", "give a file"),
    "no_file": Words("this is no regular file (a device or a pipe)", "write it to a file first"),
    "too_many_bytes": Words("{bytes} bytes, more than {most}", "split the round into several files"),
    "unreadable": Words("can't be read: {why}", "check the path and the permissions"),
    "empty": Words("the file is empty", "export the answers again"),
    "gzip_damaged": Words("a damaged gzip file: {why}", "pack it again"),
    "unpacked_too_large": Words(
        "unpacked it is more than {most} bytes", "give the unpacked file, in several parts"
    ),
    "line_too_long": Words("a line of more than {most} bytes", "check that the export has line breaks"),
    "old_excel": Words(
        "an old Excel file (.xls) or a locked one", "save it as .xlsx or CSV, without a password"
    ),
    "no_table": Words(
        "this is no table (a PDF, a picture, an archive or a program)",
        "give a CSV, XLSX, JSON or JSON Lines file",
    ),
    "markup": Words(
        "an HTML or XML page, whatever its name says",
        "open it in a spreadsheet program and save it as .xlsx or CSV",
    ),
    # its text
    "not_encoding": Words("not {encoding}: {why}", "save it as UTF-8"),
    "nul": Words("a NUL character: this is no text, or a damaged one", "export it again as UTF-8"),
    "no_text": Words("this is no text, or its encoding can't be told", "save it as CSV in UTF-8"),
    "two_encodings": Words(
        "two encodings in one file: UTF-8, but not in this row ({why})", "save the whole of it as UTF-8"
    ),
    "read_as": Words("not UTF-8: read as {encoding}", "check the accents, or save it as UTF-8"),
    "nul_in_cell": Words(
        "a NUL character: this text is damaged", "export it again as UTF-8", "a NUL character"
    ),
    "half_character": Words(
        "half a character (a lone surrogate): this text is damaged",
        "export it again as UTF-8",
        "half a character (a lone surrogate)",
    ),
    "lost_letters": Words(
        "a replacement character (U+FFFD): letters were lost before this file was written",
        "export again from the source; the text is kept as it is",
    ),
    "spoilt_accents": Words(
        "« {found} »: accents were spoilt in an earlier conversion (wrong encoding)",
        "export again as UTF-8; the text is kept as it is",
        "spoilt accents",
    ),
    # CSV
    "open_quote": Words("a quote opens here and never closes", "close it, or write it twice inside the cell"),
    "inner_quote": Words("a quote inside a quoted cell", 'write it twice ("") inside the cell'),
    "broken_csv": Words("not a well-formed CSV: {why}", "check the quotes in this row"),
    # JSON
    "nested": Words("brackets within brackets without end", "a list of objects, or one object a line"),
    "broken_json": Words("not well-formed JSON: {why}", "export it again"),
    "broken_json_line": Words("not a JSON line: {why}", "one object a line"),
    "no_object": Words("not an object", "a list of objects, or one object a line"),
    "object_as_text": Words(
        "an object where a text belongs",
        "one object an answer (respondent_id, question_id, answer), or one a respondent with a key a question",
        "an object",
    ),
    "too_many_answers": Words("more than {most} answers", "split the round into several files"),
    "no_answers": Words("no answers in it", "export the answers again"),
    # workbooks
    "workbook_damaged": Words(
        "a damaged workbook: {why}", "open it in a spreadsheet program and save it again"
    ),
    "zip_damaged": Words("a damaged ZIP or XLSX file: {why}", "save it again"),
    "bomb": Words("unpacked it would be {bytes} bytes: refused", "give the sheet as CSV"),
    "macros": Words("a workbook with macros", "save it as .xlsx, without macros"),
    "binary_workbook": Words("a binary workbook (.xlsb)", "save it as .xlsx"),
    "word_document": Words("a Word document", "copy its table into a spreadsheet"),
    "open_document": Words("an OpenDocument file", "save it as .xlsx or CSV"),
    "archive": Words("a ZIP archive, not a spreadsheet", "unpack it and give the file inside"),
    "no_sheet": Words("no sheet with answers", "put the answers on the first sheet"),
    "sheets_left_out": Words(
        "the sheet « {read} » is read; left out: {unread}", "give one sheet of answers per file"
    ),
    "rows_beyond": Words("rows beyond {most}", "remove what stands there, or give a CSV"),
    "formula_read": Words(
        "a formula: its stored result is read",
        "replace formulas by their values (copy, paste special, values)",
    ),
    "formula_empty": Words(
        "a formula without a usable result (nothing stored)",
        "replace formulas by their values (copy, paste special, values)",
    ),
    "formula_failed": Words(
        "a formula without a usable result ({value})",
        "replace formulas by their values (copy, paste special, values)",
        "a formula without a usable result",
    ),
    "sheet_error": Words(
        "{value} stands where a spreadsheet took a text for a formula: it is lost",
        "take it from the source; format the column as text before pasting",
        "an error value of a spreadsheet",
    ),
    "merged_cells": Words(
        "cells {cells} are merged: only the first holds a text, the others are read as empty",
        "unmerge them and fill in each",
        "merged cells",
    ),
    "hidden_rows": Words(
        "{count} hidden row(s) are read like the others", "delete them if they do not belong"
    ),
    # the table
    "too_many_rows": Words("more than {most} rows", "split the round into several files"),
    "too_many_columns": Words("{columns} columns, more than {most}", "keep the columns of the questions"),
    "only_header": Words("column names but no answers", "export the answers again"),
    "nameless_column": Words("column {place} has no name: left out", "name it if it holds answers"),
    "blank_row": Words("a blank row is left out", "nothing to do if it is meant", "blank rows"),
    "more_cells": Words(
        "{cells} cells under {columns} column names",
        "quote cells that hold the separator, name the column, or remove a title that stands above the names",
        "more cells than column names",
    ),
    "fewer_cells": Words(
        "{cells} cells under {columns} column names: the missing ones are read as empty",
        "check the row",
        "fewer cells than column names",
    ),
    "cell_too_long": Words(
        "a cell of {characters} characters, more than {most}",
        "check for a quote that is not closed; split the answer if it is one",
        "a cell over the length limit",
    ),
    # columns and questions
    "column_twice": Words("the column name stands twice", "name each column once"),
    "column_of_sidecar": Words("no column {name}, which the sidecar names", "correct the sidecar"),
    "no_answer_column": Words(
        "no column of answers beside question_id",
        "long form has question_id and answer; wide form a column a question",
    ),
    "no_answers_column": Words(
        "no column of answers", "long form has question_id and answer; wide form a column a question"
    ),
    "no_question_id": Words("no question id", "name the question that this answers"),
    "unknown_question": Words("unknown question {question}", "the sidecar knows {known}", "unknown question"),
    "export_of": Words(
        "an export of {tool}: left out as no questions: {columns}",
        "name the questions in a sidecar if that is wrong",
    ),
    "identity_columns": Words(
        "columns that say who answers are left out as no questions: {columns}",
        'say what they are in {sidecar}: {line}; or list all the questions there, under "questions"',
    ),
    "two_columns": Words("two columns are question {question}: {columns}", "give each its own code"),
    "no_column": Words("no column for question {question}", 'name it in the sidecar with "column"'),
    "columns_left_out": Words(
        "columns that the sidecar does not name are left out: {columns}",
        "name them, or list them under columns.ignore",
    ),
    "guessed_closed": Words(
        "few and short answers: taken for a closed question and counted",
        'say "kind": "open" in the sidecar if it is not',
        "taken for a closed question",
    ),
    "joined_wrongly": Words(
        "{question} is joined with {other}, which is no open question", "correct the sidecar"
    ),
    "part_wrongly": Words(
        "{question} is the closed part of {other}, which is no open question", "correct the sidecar"
    ),
    "same_text": Words(
        "questions {question} and {other} have the same text", "check that it is no copy by mistake"
    ),
    "not_selected": Words("{why}", "{what_to_do}"),
    # respondents and answers
    "no_respondent": Words("no respondent id: the row gets one of its own", "name it"),
    "respondent_twice": Words(
        "respondent {respondent} stands twice (also in row {other_row})",
        "one row a respondent: merge the rows or correct the id",
        "repeated respondent id",
    ),
    "answer_twice": Words(
        "answer {answer} stands twice (also in row {other_row})",
        "one answer a respondent and question: merge them, or give each an answer_id",
        "repeated answer",
    ),
    "two_categories": Words(
        "respondent {respondent} is of category {category} and of {other}",
        "give each respondent one category",
        "two categories for one respondent",
    ),
    "like_formula": Words(
        "the answer looks like a formula", "nothing to do if it is none: it is kept as text"
    ),
    "not_in_panel": Words(
        "category « {category} » is not in the panel",
        "correct its spelling, or add it to the panel ({known})",
    ),
    # the sidecar
    "sidecar_unreadable": Words("can't be read: {why}", "check that it is JSON in UTF-8"),
    "sidecar_no_object": Words("not an object", 'it begins with {{"id": …'),
    "unknown_key": Words("unknown key: {key}", "docs/input.md has the names"),
    "unknown_key_near": Words(
        "unknown key: {key}", "write {near} in place of {key}; docs/input.md has the names"
    ),
    "key_not_permitted": Words("the key {key} is not permitted here", "docs/input.md has the names"),
    "key_not_permitted_near": Words(
        "the key {key} is not permitted here",
        "write {near} in place of {key}; docs/input.md has the names",
    ),
    "sidecar_missing": Words("a value that is needed is missing", "see docs/input.md"),
    "sidecar_no_text": Words("a text belongs here", "see docs/input.md"),
    "sidecar_no_number": Words("a whole number belongs here", "see docs/input.md"),
    "sidecar_too_small": Words("a number greater than or equal to {least} belongs here", "see docs/input.md"),
    "sidecar_no_list": Words("a list belongs here", "see docs/input.md"),
    "sidecar_no_record": Words("an object belongs here", "see docs/input.md"),
    "sidecar_choice": Words("one of these belongs here: {known}", "see docs/input.md"),
    "sidecar_other": Words("{why}", "see docs/input.md"),
    "question_twice": Words("question {name} stands twice", "name it once"),
    "category_twice": Words("category {name} stands twice", "name it once"),
}

FRENCH: dict[str, Words] = {
    MORE: Words("{count} autres du même genre : {like}", "voir ci-dessus"),
    "folder": Words("c’est un dossier", "donner un fichier"),
    "no_file": Words(
        "ce n’est pas un fichier ordinaire (périphérique ou tube)", "l’enregistrer d’abord dans un fichier"
    ),
    "too_many_bytes": Words(
        "{bytes} octets, plus que les {most} permis", "répartir la vague en plusieurs fichiers"
    ),
    "unreadable": Words("lecture impossible : {why}", "vérifier le chemin et les droits"),
    "empty": Words("le fichier est vide", "exporter de nouveau les réponses"),
    "gzip_damaged": Words("archive gzip endommagée : {why}", "la compresser de nouveau"),
    "unpacked_too_large": Words(
        "décompressé, il dépasse {most} octets", "donner le fichier décompressé, en plusieurs parties"
    ),
    "line_too_long": Words(
        "une ligne de plus de {most} octets", "vérifier que l’export contient des retours à la ligne"
    ),
    "old_excel": Words(
        "ancien fichier Excel (.xls) ou fichier protégé", "l’enregistrer en .xlsx ou CSV, sans mot de passe"
    ),
    "no_table": Words(
        "ce n’est pas un tableau (PDF, image, archive ou programme)",
        "donner un fichier CSV, XLSX, JSON ou JSON Lines",
    ),
    "markup": Words(
        "page HTML ou XML, quoi que dise son nom", "l’ouvrir dans un tableur et l’enregistrer en .xlsx ou CSV"
    ),
    "not_encoding": Words("ce n’est pas de l’{encoding} : {why}", "l’enregistrer en UTF-8"),
    "nul": Words(
        "caractère NUL : ce n’est pas du texte, ou il est endommagé", "l’exporter de nouveau en UTF-8"
    ),
    "no_text": Words(
        "ce n’est pas du texte, ou son encodage est indéterminable", "l’enregistrer en CSV, encodage UTF-8"
    ),
    "two_encodings": Words(
        "deux encodages dans un même fichier : UTF-8, mais pas à cette ligne ({why})",
        "l’enregistrer tout entier en UTF-8",
    ),
    "read_as": Words(
        "ce n’est pas de l’UTF-8 : lu comme {encoding}", "vérifier les accents, ou l’enregistrer en UTF-8"
    ),
    "nul_in_cell": Words(
        "caractère NUL : ce texte est endommagé", "exporter de nouveau en UTF-8", "caractère NUL"
    ),
    "half_character": Words(
        "moitié de caractère (demi-codet isolé) : ce texte est endommagé",
        "exporter de nouveau en UTF-8",
        "moitié de caractère",
    ),
    "lost_letters": Words(
        "caractère de remplacement (U+FFFD) : des lettres ont été perdues avant l’écriture de ce fichier",
        "exporter de nouveau depuis la source ; le texte est gardé tel quel",
    ),
    "spoilt_accents": Words(
        "« {found} » : accents abîmés par une conversion antérieure (mauvais encodage)",
        "exporter de nouveau en UTF-8 ; le texte est gardé tel quel",
        "accents abîmés",
    ),
    "open_quote": Words(
        "un guillemet s’ouvre ici et ne se ferme jamais", "le fermer, ou le doubler dans la cellule"
    ),
    "inner_quote": Words("un guillemet dans une cellule entre guillemets", 'le doubler ("") dans la cellule'),
    "broken_csv": Words("CSV mal formé : {why}", "vérifier les guillemets de cette ligne"),
    "nested": Words("crochets imbriqués sans fin", "donner une liste d’objets, ou un objet par ligne"),
    "broken_json": Words("JSON mal formé : {why}", "l’exporter de nouveau"),
    "broken_json_line": Words("ce n’est pas une ligne JSON : {why}", "un objet par ligne"),
    "no_object": Words("ce n’est pas un objet", "donner une liste d’objets, ou un objet par ligne"),
    "object_as_text": Words(
        "un objet à la place d’un texte",
        "un objet par réponse (respondent_id, question_id, answer), ou un par répondant avec une clé par question",
        "un objet",
    ),
    "too_many_answers": Words("plus de {most} réponses", "répartir la vague en plusieurs fichiers"),
    "no_answers": Words("aucune réponse dans ce fichier", "exporter de nouveau les réponses"),
    "workbook_damaged": Words(
        "classeur endommagé : {why}", "l’ouvrir dans un tableur et l’enregistrer de nouveau"
    ),
    "zip_damaged": Words("fichier ZIP ou XLSX endommagé : {why}", "l’enregistrer de nouveau"),
    "bomb": Words("décompressé, il ferait {bytes} octets : refusé", "donner la feuille en CSV"),
    "macros": Words("classeur avec macros", "l’enregistrer en .xlsx, sans macros"),
    "binary_workbook": Words("classeur binaire (.xlsb)", "l’enregistrer en .xlsx"),
    "word_document": Words("document Word", "copier son tableau dans un tableur"),
    "open_document": Words("fichier OpenDocument", "l’enregistrer en .xlsx ou CSV"),
    "archive": Words(
        "archive ZIP, et non un classeur", "la décompresser et donner le fichier qu’elle contient"
    ),
    "no_sheet": Words("aucune feuille de réponses", "mettre les réponses sur la première feuille"),
    "sheets_left_out": Words(
        "la feuille « {read} » est lue ; laissées de côté : {unread}",
        "donner une seule feuille de réponses par fichier",
    ),
    "rows_beyond": Words("des lignes au-delà de la {most}e", "retirer ce qui s’y trouve, ou donner un CSV"),
    "formula_read": Words(
        "formule : son résultat enregistré est lu",
        "remplacer les formules par leurs valeurs (copier, collage spécial, valeurs)",
    ),
    "formula_empty": Words(
        "formule sans résultat utilisable (rien d’enregistré)",
        "remplacer les formules par leurs valeurs (copier, collage spécial, valeurs)",
    ),
    "formula_failed": Words(
        "formule sans résultat utilisable ({value})",
        "remplacer les formules par leurs valeurs (copier, collage spécial, valeurs)",
        "formule sans résultat utilisable",
    ),
    "sheet_error": Words(
        "{value} à la place d’un texte que le tableur a pris pour une formule : il est perdu",
        "le reprendre à la source ; mettre la colonne au format texte avant de coller",
        "valeur d’erreur d’un tableur",
    ),
    "merged_cells": Words(
        "les cellules {cells} sont fusionnées : seule la première contient un texte, les autres sont lues comme vides",
        "annuler la fusion et remplir chacune",
        "cellules fusionnées",
    ),
    "hidden_rows": Words(
        "lignes masquées, lues comme les autres : {count}", "les supprimer si elles n’ont pas à y être"
    ),
    "too_many_rows": Words("plus de {most} lignes", "répartir la vague en plusieurs fichiers"),
    "too_many_columns": Words(
        "{columns} colonnes, plus que les {most} permises", "garder les colonnes des questions"
    ),
    "only_header": Words("des noms de colonnes, mais aucune réponse", "exporter de nouveau les réponses"),
    "nameless_column": Words(
        "la colonne {place} n’a pas de nom : laissée de côté", "la nommer si elle contient des réponses"
    ),
    "blank_row": Words(
        "une ligne vide est laissée de côté", "rien à faire si elle est voulue", "lignes vides"
    ),
    "more_cells": Words(
        "{cells} cellules sous {columns} noms de colonnes",
        "mettre entre guillemets ce qui contient le séparateur, nommer la colonne, ou retirer un titre placé au-dessus",
        "plus de cellules que de noms de colonnes",
    ),
    "fewer_cells": Words(
        "{cells} cellules sous {columns} noms de colonnes : celles qui manquent sont lues comme vides",
        "vérifier la ligne",
        "moins de cellules que de noms de colonnes",
    ),
    "cell_too_long": Words(
        "cellule de {characters} caractères, plus que les {most} permis",
        "chercher un guillemet qui n’est pas fermé ; couper la réponse si c’en est une",
        "cellule trop longue",
    ),
    "column_twice": Words("ce nom de colonne figure deux fois", "donner à chaque colonne un nom à elle"),
    "column_of_sidecar": Words(
        "aucune colonne {name}, que le fichier annexe nomme", "corriger le fichier annexe"
    ),
    "no_answer_column": Words(
        "aucune colonne de réponses à côté de question_id",
        "une réponse par ligne : colonnes question_id et answer ; un répondant par ligne : une colonne par question",
    ),
    "no_answers_column": Words(
        "aucune colonne de réponses",
        "une réponse par ligne : colonnes question_id et answer ; un répondant par ligne : une colonne par question",
    ),
    "no_question_id": Words(
        "pas d’identifiant de question", "nommer la question à laquelle cette ligne répond"
    ),
    "unknown_question": Words(
        "question {question} inconnue", "le fichier annexe connaît {known}", "question inconnue"
    ),
    "export_of": Words(
        "export de {tool} : laissées de côté, car ce ne sont pas des questions : {columns}",
        "si c’est faux, nommer les questions dans un fichier annexe",
    ),
    "identity_columns": Words(
        "les colonnes qui disent qui répond sont laissées de côté, car ce ne sont pas des questions : {columns}",
        'dire ce qu’elles sont dans {sidecar} : {line} ; ou y énumérer toutes les questions, sous "questions"',
    ),
    "two_columns": Words(
        "deux colonnes sont la question {question} : {columns}", "donner à chacune son propre code"
    ),
    "no_column": Words(
        "aucune colonne pour la question {question}", 'la nommer dans le fichier annexe avec "column"'
    ),
    "columns_left_out": Words(
        "les colonnes que le fichier annexe ne nomme pas sont laissées de côté : {columns}",
        "les nommer, ou les énumérer sous columns.ignore",
    ),
    "guessed_closed": Words(
        "réponses courtes et peu variées : prise pour une question fermée, et comptée",
        'sinon, indiquer "kind": "open" dans le fichier annexe',
        "prise pour une question fermée",
    ),
    "joined_wrongly": Words(
        "{question} est jointe à {other}, qui n’est pas une question ouverte", "corriger le fichier annexe"
    ),
    "part_wrongly": Words(
        "{question} est la partie fermée de {other}, qui n’est pas une question ouverte",
        "corriger le fichier annexe",
    ),
    "same_text": Words(
        "les questions {question} et {other} ont le même libellé",
        "vérifier que ce n’est pas une copie par erreur",
    ),
    "not_selected": Words("{why}", "{what_to_do}"),
    "no_respondent": Words("pas d’identifiant de répondant : la ligne en reçoit un", "l’indiquer"),
    "respondent_twice": Words(
        "le répondant {respondent} figure deux fois (aussi à la ligne {other_row})",
        "une ligne par répondant : réunir les lignes ou corriger l’identifiant",
        "identifiant de répondant répété",
    ),
    "answer_twice": Words(
        "la réponse {answer} figure deux fois (aussi à la ligne {other_row})",
        "une réponse par répondant et par question : les réunir, ou donner à chacune un answer_id",
        "réponse répétée",
    ),
    "two_categories": Words(
        "le répondant {respondent} est de catégorie {category} et de catégorie {other}",
        "donner une seule catégorie à chaque répondant",
        "deux catégories pour un répondant",
    ),
    "like_formula": Words(
        "la réponse ressemble à une formule",
        "rien à faire si ce n’en est pas une : elle est gardée comme texte",
    ),
    "not_in_panel": Words(
        "la catégorie « {category} » n’est pas dans le panel",
        "corriger son orthographe, ou l’ajouter au panel ({known})",
    ),
    "sidecar_unreadable": Words("lecture impossible : {why}", "vérifier que c’est du JSON en UTF-8"),
    "sidecar_no_object": Words("ce n’est pas un objet", 'il commence par {{"id": …'),
    "unknown_key": Words("clé inconnue : {key}", "les noms sont dans docs/input.md"),
    "unknown_key_near": Words(
        "clé inconnue : {key}", "écrire {near} au lieu de {key} ; les noms sont dans docs/input.md"
    ),
    "key_not_permitted": Words("la clé {key} n’est pas admise ici", "les noms sont dans docs/input.md"),
    "key_not_permitted_near": Words(
        "la clé {key} n’est pas admise ici",
        "écrire {near} au lieu de {key} ; les noms sont dans docs/input.md",
    ),
    "sidecar_missing": Words("il manque ici une valeur nécessaire", "voir docs/input.md"),
    "sidecar_no_text": Words("il faut ici un texte", "voir docs/input.md"),
    "sidecar_no_number": Words("il faut ici un nombre entier", "voir docs/input.md"),
    "sidecar_too_small": Words("il faut ici un nombre d’au moins {least}", "voir docs/input.md"),
    "sidecar_no_list": Words("il faut ici une liste", "voir docs/input.md"),
    "sidecar_no_record": Words("il faut ici un objet", "voir docs/input.md"),
    "sidecar_choice": Words("il faut ici l’une de ces valeurs : {known}", "voir docs/input.md"),
    "sidecar_other": Words("{why}", "voir docs/input.md"),
    "question_twice": Words("la question {name} figure deux fois", "la nommer une fois"),
    "category_twice": Words("la catégorie {name} figure deux fois", "la nommer une fois"),
}

CATALOGUES: dict[Language, dict[str, Words]] = {"fr": FRENCH, "en": ENGLISH}


def told(code: str, said: Said, language: Language) -> tuple[str, str]:
    """Message and remedy of a problem. Raises KeyError for a code that is not in the catalogues."""
    words = CATALOGUES[language][code]
    values = {name: number(v, language) if isinstance(v, int) else v for name, v in said.items()}
    if code == MORE:
        like = CATALOGUES[language][str(said["like"])]
        values["like"] = like.kind or like.message
    # only our own words are typeset, what the file says stays as it is
    message, remedy = (typeset(text, language) for text in (words.message, words.remedy))
    return message.format(**values), remedy.format(**values)
