"""`python -m tests.report_pictures DRAFT.json [FOLDER]`: the pictures of the documentation, from a draft of the example round.

report-1.png and report-2.png: the first pages of the report; page.png: the page with a sentence opened.
Needs LibreOffice, poppler-utils and chromium.
"""

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from service.exports import export, from_json

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
COLOURS = 64
"""Enough for text and few shades; a third of the bytes of full colour."""


def main(source: str, folder: str = str(FOLDER)) -> None:
    draft = from_json(Path(source).read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as made:
        work = Path(made)
        for to in ("docx", "html"):
            (work / f"draft.{to}").write_bytes(export(draft, to))
        pictures = {**_report(work), "page": _page(work)}
    for name, png in pictures.items():
        Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS).save(
            Path(folder) / f"{name}.png", optimize=True
        )
        print(Path(folder) / f"{name}.png")


def _report(work: Path) -> dict[str, bytes]:
    """The first two pages of the report."""
    home = f"-env:UserInstallation=file://{work}/office"
    convert = ["soffice", "--headless", home, "--convert-to", "pdf", "draft.docx"]
    subprocess.run(convert, cwd=work, check=True, capture_output=True, timeout=600)
    subprocess.run(["pdftoppm", "-r", "72", "-l", "2", "-png", "draft.pdf", "p"], cwd=work, check=True)
    return {f"report-{k}": path.read_bytes() for k, path in enumerate(sorted(work.glob("p-*.png")), start=1)}


def _page(work: Path) -> bytes:
    """The page, a sentence's label and its first answer opened."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 760})
        page.goto((work / "draft.html").as_uri())
        page.locator("section[id^=q-] .s").first.click()
        page.locator("#trace li summary").first.click()
        png = page.screenshot()
        browser.close()
    return png


if __name__ == "__main__":
    main(*sys.argv[1:])
