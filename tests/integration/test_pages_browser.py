"""The pages in a real browser: from a file to an approved report, in both languages; every page checked with axe."""

import io
import zipfile
from pathlib import Path

import pytest

from service.domain.jobs import Configuration
from service.exports import export
from service.store import drafts, rounds
from tests.drafts import small_draft
from tests.pages import CHROMIUM, FLAGS, served

pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists(), reason="no /usr/bin/chromium (apt-get install chromium)"
)

EXAMPLE = Path("examples/small/answers.csv")
WORDS = {
    "fr": ("fr-FR", "Se connecter", "Un libellé corrigé par une personne.", "un libellé cité a été corrigé"),
    "en": ("en-GB", "Sign in", "A label that a person corrected.", "a label that it cites was corrected"),
}
SERIOUS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def service(tmp_path):
    with served(tmp_path) as running:
        yield running


class Walker:
    """A page whose console must stay silent and which axe finds nothing in, light or dark."""

    def __init__(self, browser, locale: str) -> None:
        self.context = browser.new_context(locale=locale)
        # no policy for axe alone: its script is put into the page
        self.page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        self.told: list[str] = []
        self.page.on(
            "console", lambda m: self.told.append(m.text) if m.type in ("error", "warning") else None
        )
        self.page.on("pageerror", lambda e: self.told.append(str(e)))
        self.checked: set[str] = set()

    def check(self, name: str) -> None:
        from axe_playwright_python.sync_playwright import Axe

        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            found = Axe().run(self.page, options={"runOnly": {"type": "tag", "values": list(SERIOUS)}})
            assert not found.response["violations"], (
                name,
                scheme,
                [(v["id"], v["nodes"][0]["html"][:200]) for v in found.response["violations"]],
            )
        self.checked.add(name)

    def narrow(self) -> None:
        """On a telephone nothing but a table in a frame of its own is wider than the page."""
        size = self.page.viewport_size
        self.page.set_viewport_size({"width": 375, "height": 740})
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        self.page.set_viewport_size(size)

    def sign_in(self, address: str, secret: str) -> None:
        self.page.goto(address)
        self.page.fill("#key", secret)
        self.page.click("main button.main")
        self.page.wait_for_selector("a[href='/upload']")


@pytest.mark.parametrize("language", ["fr", "en"])
def test_from_a_file_to_an_approved_report(browser, service, language):
    locale, sign_in, label, why = WORDS[language]
    head = {"fr": "Un ensemble à part", "en": "A set of its own"}[language]
    walk = Walker(browser, locale)
    page = walk.page
    page.goto(service.address)
    assert page.title().startswith(sign_in)
    walk.check("sign-in")
    walk.sign_in(service.address, service.key(f"Camille {language}"))
    walk.check("rounds")
    page.click("a[href='/upload']")
    walk.check("upload")
    page.set_input_files("#file", EXAMPLE)
    page.set_input_files("#sidecar", EXAMPLE.with_suffix(".round.json"))
    page.click("main button.main")
    page.wait_for_selector(".saved")
    walk.check("round")
    walk.narrow()
    page.click("main button.main")
    page.wait_for_selector(".standing")
    walk.check("draft")
    assert page.locator(".standing button.approve").is_hidden(), (
        "nobody approves unread questions by one click"
    )
    page.locator(".standing .ask summary").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".standing button.approve", state="visible")
    walk.check("approve the whole draft?")

    page.click(".questions a")
    sentence = page.locator("a.s").first
    sentence.focus()
    page.keyboard.press("Enter")  # by keyboard alone
    page.wait_for_selector("#trace .quote")
    quote = page.locator("#trace .verbatim mark").first.inner_text()
    assert quote.strip() in page.locator("#trace .verbatim .answer").first.inner_text()
    walk.check("question")

    page.locator("#trace details.edit:not(#edit-sentence) summary").first.click()
    page.fill("#label-1", label)
    page.locator("#trace details.edit[open] button").first.click()
    page.wait_for_selector(".saved")
    assert why in page.locator(".sentences").inner_text()
    page.click("form[action$='/redraft'] button")
    page.wait_for_selector(".saved")
    assert label.rstrip(".") in page.locator(".sentences").inner_text()
    assert why not in page.locator(".sentences").inner_text()
    page.click("a[href$='/map']")
    page.wait_for_selector("#map [role=status]:empty", state="attached")
    page.focus("canvas")
    page.keyboard.press("ArrowRight")
    words = page.locator("#map [role=status]").inner_text()
    page.keyboard.press("Enter")
    page.wait_for_selector("#trace mark")
    assert words.rstrip("…") in page.locator("#trace").inner_text()
    walk.check("map")
    page.go_back()
    page.locator(".label a").first.click()
    page.wait_for_selector("#label")
    walk.check("group")
    page.locator("#label").blur()
    page.keyboard.press("m")  # by keyboard alone: the group into a level-2 group of its own
    for _ in range(4):
        if page.evaluate("document.activeElement.id") == "new-level-2":
            break
        page.keyboard.press("Tab")
    page.keyboard.type(head)
    page.keyboard.press("Enter")  # what the button beside the field does, not the first of the form
    page.wait_for_selector(".saved")
    page.get_by_role("link", name=head).click()
    page.wait_for_selector("#inside")
    walk.check("level-2 group")
    page.fill("#q-top", "les")
    page.keyboard.press("Enter")
    page.wait_for_selector(".results")
    walk.check("search")
    page.goto(page.url.split("/search")[0] + "/history")
    assert label in page.locator(".history").inner_text()
    walk.check("history")

    draft = page.url.replace("/history", "")
    page.goto(draft)
    page.click(".standing a.main")
    page.wait_for_url("**/questions/*")
    questions = set()
    while "/questions/" in page.url:  # by keyboard, from one question that is to be approved to the next
        questions.add(page.url.split("?")[0])
        with page.expect_navigation(url="**done=*"):
            page.keyboard.press("v")
    assert questions
    page.click(".standing button.approve.main")
    page.wait_for_selector(".standing .badge.good")
    walk.check("approved draft")
    with page.expect_download() as download:
        page.click("a[href$='format=docx']")
    with zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes())) as report:
        text = report.read("word/document.xml").decode()
    assert label.rstrip(".").split("’")[0][:20] in text
    assert walk.told == []
    walk.context.close()


@pytest.mark.parametrize("language", ["fr", "en"])
def test_pages_of_errors_conflicts_and_progress_are_sound_too(browser, service, language):
    walk = Walker(browser, WORDS[language][0])
    page = walk.page
    walk.sign_in(service.address, service.key("Camille"))
    page.goto(f"{service.address}/drafts/none")
    walk.check("no such page")
    draft, round_ = small_draft(language)
    with service.store.write() as connection:
        kept = rounds.add(connection, round_, team="a", created_by="x", sha256="0" * 64)
        ids = [
            drafts.add(
                connection, round_id=kept.id, team="a", created_by="x", configuration=Configuration()
            ).id
            for _ in range(4)
        ]
        done, waits, runs, failed = ids
        for id_ in (done, runs, failed):
            drafts.start(connection, id_)
        drafts.finish(connection, done, export(draft, "json"))
        drafts.tell(connection, runs, "progress", {"stage": "group", "done": 1, "total": 3})
        drafts.end(connection, failed, "failed", code="Defect", detail="Something went wrong.")
    for id_, name in ((waits, "waiting"), (runs, "progress"), (failed, "failed")):
        page.goto(f"{service.address}/drafts/{id_}")
        walk.check(name)
    group = f"{service.address}/drafts/{done}/groups?id=Q1.g1"
    other = walk.context.new_page()
    other.goto(group)
    page.goto(group)
    for one, label in ((other, "Des bus."), (page, "Des cars.")):
        one.fill("#label", label)
        one.locator("form.edit button").first.click()
        one.wait_for_load_state()
    page.wait_for_selector("#theirs")
    assert "Des cars." in page.locator(".two").inner_text()
    walk.check("conflict")
    page.goto(group)
    page.click("button[value=isolate]")  # nothing is chosen
    page.wait_for_selector(".note.warn")
    walk.check("not done")
    page.click("a.button.main")
    page.wait_for_selector("#label")
    assert all("status of 4" in told for told in walk.told), walk.told
    walk.context.close()


def test_enter_in_a_field_does_what_the_button_beside_it_says_and_elsewhere_nothing(browser, service):
    draft, round_ = small_draft()
    with service.store.write() as connection:
        kept = rounds.add(connection, round_, team="a", created_by="x", sha256="0" * 64)
        asked = drafts.add(
            connection, round_id=kept.id, team="a", created_by="x", configuration=Configuration()
        )
        drafts.start(connection, asked.id)
        drafts.finish(connection, asked.id, export(draft, "json"))
    walk = Walker(browser, "en-GB")
    page = walk.page
    walk.sign_in(service.address, service.key("Camille"))
    page.goto(f"{service.address}/drafts/{asked.id}/groups?id=Q1.g1")
    page.locator("input[name=verbatim]").first.check()
    page.keyboard.press("Enter")  # on the box that was ticked
    page.fill("#new-label", "A part of it.")
    page.keyboard.press("Enter")
    page.wait_for_selector(".saved")
    page.goto(f"{service.address}/drafts/{asked.id}/history")
    made = page.locator(".history > *").all_inner_texts()
    assert len(made) == 1
    assert "Group split" in made[0]
    assert walk.told == []
    walk.context.close()


HOSTILE = [
    '<script>document.title="owned"</script><img src=x onerror="document.title=1">',
    "=cmd|' /C calc'!A0",
    "\u202eétalfér tse etxet ec\u202c \u200f droite",
    "a" * 10_000,
    "{{ 7 * 7 }} {% raw %}",
]


def test_hostile_answers_show_as_text(browser, service, tmp_path):
    rows = [f'R{k},Q1,"{text.replace(chr(34), chr(34) * 2)}"' for k, text in enumerate(HOSTILE)]
    file = tmp_path / "<b>hostile.csv"
    file.write_text("respondent_id,question_id,answer\n" + "\n".join(rows) + "\n", encoding="utf-8")
    walk = Walker(browser, "fr-FR")
    page = walk.page
    walk.sign_in(service.address, service.key("<i>Ana</i>"))
    page.click("a[href='/upload']")
    page.set_input_files("#file", file)
    page.click("main button.main")
    page.wait_for_selector(".saved")
    page.click("a[href*='/answers?']")
    shown = page.locator(".answer").all_inner_texts()
    assert shown == HOSTILE
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
        "a long word does not widen the page"
    )
    page.go_back()
    page.click("main button.main")
    page.wait_for_selector(".standing")
    page.click(".questions a")
    page.locator("details.verbatim summary").first.click()
    body = page.locator("main").inner_text()
    assert "<script>document.title" in body
    assert "=cmd|" in body
    assert "{{ 7 * 7 }}" in body
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert "owned" not in page.title()
    assert walk.told == [], "nothing was run, nothing was asked for"
    walk.context.close()
