"""The page in a browser: sentence to answer, the map by pointer and keys, WCAG 2.2 AA in light and dark, nothing from outside."""

import shutil

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from service.exports import export
from tests.drafts import small_draft
from tests.large import large_draft

CHROMIUM = shutil.which("chromium")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="apt-get install chromium: the page is not tried in a browser"
)


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield made
        made.close()


@pytest.fixture
def opened(browser, tmp_path):
    said, pages = [], []

    def open_(draft, scheme="light"):
        (tmp_path / "draft.html").write_bytes(export(draft, "html"))
        page = browser.new_page(color_scheme=scheme)
        page.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: said.append(str(e)))
        page.on("request", lambda r: None if r.url.startswith("file:") else said.append(r.url))
        page.goto((tmp_path / "draft.html").as_uri())
        pages.append(page)
        return page

    yield open_
    for page in pages:
        page.close()
    assert said == []


def test_a_sentence_leads_to_the_characters_it_rests_on_with_the_keyboard_alone(opened):
    draft, _ = small_draft()
    page = opened(draft)
    page.locator("section[id^=q-] .s").first.focus()
    page.keyboard.press("Enter")
    trace = page.locator("#trace")
    assert trace.is_visible()
    trace.locator("li summary").first.focus()
    page.keyboard.press("Enter")
    marked = trace.locator("li mark:not(.dim)").first.text_content()
    assert marked in {v.quote for q in draft.questions for v in q.verbatims}
    page.keyboard.press("Escape")
    assert not trace.is_visible()
    assert page.evaluate("document.activeElement.classList.contains('s')")


def test_a_sentence_about_a_family_shows_its_label_and_the_verbatims_of_all_its_groups(opened):
    draft, _ = small_draft()
    q = draft.questions[0]
    family = next(g for g in q.groups if g.id == "Q1.r1")
    page = opened(draft)
    page.locator("section[id^=q-] .s").first.click()
    shown = page.locator("#trace .body > details").first
    assert family.label in shown.locator("summary").first.text_content()
    assert shown.locator("li").count() == len(family.verbatim_ids)


@pytest.mark.parametrize("width", [900, 1280, 1400])
def test_what_a_sentence_rests_on_stands_beside_it_and_not_over_it(opened, width):
    page = opened(small_draft()[0])
    page.set_viewport_size({"width": width, "height": 760})
    sentence = page.locator("section[id^=q-] .s").first
    sentence.click()
    text, panel = sentence.bounding_box(), page.locator("#trace").bounding_box()
    assert text["x"] + text["width"] <= panel["x"]


def test_the_map_reads_a_point_by_pointer_and_by_key_and_opens_its_answer(opened):
    draft = large_draft(400, 12)
    page = opened(draft)
    quotes = {v.quote for v in draft.questions[0].verbatims}
    canvas = page.locator(".map canvas").first
    canvas.focus()
    page.keyboard.press("ArrowRight")
    first = page.locator(".tip").inner_text()
    page.keyboard.press("ArrowRight")
    second = page.locator(".tip").inner_text()
    assert first != second
    assert {first, second} <= quotes
    assert page.locator(".map [role=status]").first.inner_text() == second
    place = page.evaluate(
        "(() => { const t = document.querySelector('.tip'); return [t.offsetLeft - 14, t.offsetTop - 16]; })()"
    )
    page.mouse.move(0, 0)
    canvas.blur()
    page.mouse.move(place[0] - page.evaluate("scrollX"), place[1] - page.evaluate("scrollY"))
    assert page.locator(".tip").inner_text() in quotes
    canvas.focus()
    page.keyboard.press("Enter")
    assert page.locator("#trace mark:not(.dim)").first.text_content() in quotes


def test_a_large_group_is_shown_a_page_at_a_time(opened):
    page = opened(large_draft(2_000, 8))
    page.locator(".s").first.click()
    items = page.locator("#trace details > div > ul > li")
    assert items.count() == 50
    page.locator("#trace details > div > button").click()
    assert items.count() == 100


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible(opened, scheme):
    page = opened(large_draft(200, 9), scheme)
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    page.locator(".s").first.click()
    found = Axe().run(page, options=RULES).response["violations"]
    assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found] == []
