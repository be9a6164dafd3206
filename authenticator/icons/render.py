"""Draws the PNG icons from the SVG files beside this script, with Chromium.

Run it after changing a drawing; the PNG files are committed.
"""

from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).resolve().parent
ICONS = {
    "app-192.png": ("app.svg", 192),
    "app-512.png": ("app.svg", 512),
    "maskable-512.png": ("maskable.svg", 512),
    "touch-180.png": ("maskable.svg", 180),  # iOS rounds the corners itself
    "badge-96.png": ("badge.svg", 96),
}

with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
    for name, (source, size) in ICONS.items():
        page = browser.new_page(viewport={"width": size, "height": size})
        drawing = (HERE / source).read_text("utf-8")
        page.set_content(f"<style>body{{margin:0}}svg{{display:block}}</style>{drawing}")
        page.evaluate(
            "size => { const svg = document.querySelector('svg');"
            " svg.setAttribute('width', size); svg.setAttribute('height', size); }",
            size,
        )
        page.screenshot(path=HERE / name, omit_background=True)
        page.close()
    browser.close()
