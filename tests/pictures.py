"""The pictures of docs/review.md, taken from the running service: `python -m tests.pictures docs/pictures`.

Starts `polyphonie serve` with an empty data folder, sends the invented example round through the pages, and photographs them.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from tests.pages import CHROMIUM, FLAGS

EXAMPLE = Path("examples/round/answers.csv")
COLOURS = 96
"""Of a picture: keeps the files small, and text sharp."""

LABEL = "Les honoraires et leurs dépassements font renoncer à des soins."


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a fresh service."""
    settings = os.environ | {"POLYPHONIE_DATA_DIR": str(folder), "POLYPHONIE_LLM": "extractive"}
    command = [sys.executable, "-m", "service", "serve", "--port", "0"]
    # what it says goes to a file: a pipe that nobody reads would stop it
    log = folder / "log"
    with log.open("wb") as out, subprocess.Popen(command, env=settings, stdout=out, stderr=out) as process:
        try:
            address = None
            while address is None and process.poll() is None:
                address = re.search(rb"Polyphonie on (http://\S+)", log.read_bytes())
            assert address is not None, log.read_text()
            yield address[1].decode()
        finally:
            process.terminate()


def main(into: Path) -> None:
    """Write review-*.png."""
    from playwright.sync_api import sync_playwright

    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder)) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        page = browser.new_page(locale="fr-FR", viewport={"width": 1280, "height": 820})
        page.set_default_timeout(300_000)

        def take(name: str) -> None:
            file = into / f"review-{name}.png"
            page.screenshot(path=file)
            with Image.open(file) as taken:
                taken.convert("RGB").quantize(COLOURS).save(file, optimize=True)
            print(f"{file}  {file.stat().st_size / 1000:.0f} kB")

        page.goto(f"{address}/upload")
        page.set_input_files("#file", EXAMPLE)
        page.set_input_files("#sidecar", EXAMPLE.with_suffix(".round.json"))
        page.click("main button.main")
        page.wait_for_selector(".saved")
        page.click("main button.main")
        page.wait_for_selector(".standing")
        draft = page.url
        take("draft")
        page.click(".standing a.main")
        page.locator("a.s").first.click()
        page.wait_for_selector("#trace .quote")
        page.locator("#trace details.edit:not(#edit-sentence) summary").first.click()
        page.fill("#label-1", LABEL)
        page.locator("#trace details.edit[open] button").first.click()
        page.wait_for_selector(".saved")
        take("sentence")
        page.goto(f"{draft}/questions/1/map")
        page.wait_for_selector("#map [role=status]:empty", state="attached")
        page.focus("canvas")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        page.wait_for_selector("#trace mark")
        take("map")
        page.emulate_media(color_scheme="dark")
        page.goto(f"{draft}/history?lang=en")
        take("history")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
