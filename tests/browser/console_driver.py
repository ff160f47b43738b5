"""The console in a real browser, spoken to in duties: sign in, look at a page, press a key, check a hit, ask for reads.

The only file that knows the browser and the page's markup; tests say what a person does and sees. Time in the page can
be moved on (`pass_time`), so that nobody waits for a quarter of a minute of silence.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--use-angle=swiftshader")
SIZES = {"desktop": (1440, 900), "tablet": (1024, 768), "phone": (390, 844)}
THEMES = ("dark", "light")
AXE = Path(__file__).resolve().parents[2] / "console" / "node_modules" / "axe-core" / "axe.min.js"
AXE_RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
CASE = "中山分局 115-0832 案"
PATIENCE_MS = 60_000
"""How long the page may take for anything. Ample: what is slow here is another program on the same two cores."""
expect.set_options(timeout=PATIENCE_MS)


@contextmanager
def open_browser(*more: str, sound_allowed: bool = True) -> Iterator[Browser]:
    """Debian's Chromium, headless, with `more` flags. Without `sound_allowed` it refuses sound until a press, as at a real desk."""
    flags = [*FLAGS, *more, *(["--autoplay-policy=no-user-gesture-required"] if sound_allowed else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Console:
    """One person's console."""

    page: Page
    base_url: str
    requests: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @classmethod
    def start(
        cls,
        browser: Browser,
        base_url: str,
        *,
        size: str = "desktop",
        theme: str = "dark",
        faked_time: bool = False,
        base_map: bool = True,
        language: str = "zh-TW",
    ) -> Console:
        """A fresh person with nothing remembered but the theme."""
        width, height = SIZES[size]
        context: BrowserContext = browser.new_context(
            viewport={"width": width, "height": height},
            locale="zh-TW",
            timezone_id="Europe/Lisbon",  # the screen says Taipei time wherever the browser stands (G62)
            has_touch=size == "phone",
        )
        context.add_init_script(
            f"localStorage.setItem('guardian.theme','{theme}');localStorage.setItem('guardian.density','tight');"
            f"localStorage.setItem('guardian.language','{language}')"
        )
        if not base_map:
            context.route("**/basemap/**", lambda route: route.fulfill(status=404))
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        console = cls(page, base_url)
        context.on("request", lambda request: console.requests.append(request.url))
        page.on("pageerror", lambda error: console.faults.append(str(error)))
        page.on("console", lambda message: console._heard(message.type, message.text))
        if faked_time:
            page.clock.install()
        return console

    def another_tab(self, path: str = "/live") -> Console:
        """The same person's next tab, on that page; `close` of any of them closes them all, `close_tab` one."""
        page = self.page.context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        tab = Console(page, self.base_url, requests=self.requests, faults=self.faults)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda message: self._heard(message.type, message.text))
        tab.look_at(path)
        return tab

    def close_tab(self) -> None:
        """Close this tab alone."""
        self.page.close()

    def sign_out(self) -> None:
        """By the personal menu."""
        self.page.get_by_role("button", name="個人選單").click()
        self.page.get_by_text("登出").click()

    def _heard(self, kind: str, text: str) -> None:
        # A refused request is logged by the browser itself; what we look for are broken rules of the page's policy,
        # and what the framework says of a page that works with what it should have let go.
        refused = "Failed to load resource" in text or "net::ERR" in text
        if (kind == "error" and not refused) or (kind == "warning" and "svelte.dev/e/" in text):
            self.faults.append(text)

    def make_busy(self, code: str, seconds: float) -> None:
        """From the next page on: the computer is busy for so long with the press of that key."""
        self.page.add_init_script(
            f"""addEventListener("keydown", (event) => {{
              if (event.code !== {json.dumps(code)}) return;
              const from = performance.now();
              while (performance.now() - from < {seconds * 1000}) ;
            }}, true)"""
        )

    def close(self) -> None:
        """Leave."""
        self.page.context.close()

    # ---- coming in, going about

    def sign_in(self, link: str) -> None:
        """Open a one-time link (`/enter#…`) and arrive on the first page."""
        self.page.goto(self.base_url + link)
        self.page.locator(".app").wait_for()

    def look_at(self, path: str) -> None:
        """Open a page by its address."""
        self.page.goto(self.base_url + path)
        self.page.locator("main").wait_for()

    def settle(self) -> None:
        """The page has drawn what it knows: its frame, its first data, its fonts."""
        self.page.locator("main").wait_for()
        expect(self.page.locator(".waiting")).to_have_count(0)
        self.page.evaluate("document.fonts.ready.then(() => 1)")

    def settle_map(self) -> None:
        """The map has drawn everything."""
        self.page.locator(".mapbox[data-idle]").first.wait_for()

    def resize(self, size: str) -> None:
        """Another screen, same page."""
        width, height = SIZES[size]
        self.page.set_viewport_size({"width": width, "height": height})

    def wear(self, theme: str) -> None:
        """Dark or light, at once."""
        self.page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")

    def remember_theme(self, theme: str) -> None:
        """From the next page on."""
        self.page.context.add_init_script(f"localStorage.setItem('guardian.theme','{theme}')")

    @property
    def path(self) -> str:
        """Where we are."""
        return urlsplit(self.page.url).path

    @property
    def title(self) -> str:
        """The tab's title."""
        return self.page.title()

    def pass_time(self, seconds: float) -> None:
        """Let time go on in the page (needs `faked_time`)."""
        self.page.clock.fast_forward(int(seconds * 1000))

    def pass_time_until(self, seen: Callable[[], bool], *, step_s: float = 5) -> None:
        """Let time go on in steps, each with room for what the network brings, until it is so."""
        until = time.monotonic() + PATIENCE_MS / 1000
        while not seen():
            assert time.monotonic() < until, "it did not come with time"
            self.pass_time(step_s)
            self.page.wait_for_timeout(200)

    # ---- keys

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self.page.keyboard.type(text)

    def focus_main(self) -> None:
        """The skip link: Tab, Enter."""
        self.page.locator("#main").focus()

    def choose_word_by_input_method(self, field_selector: str) -> None:
        """What an input method sends when Enter chooses a word: first Chrome's order, then Safari's."""
        self.page.locator(field_selector).first.focus()
        self.page.evaluate(
            """() => {
              const field = document.activeElement;
              const key = (more) => field.dispatchEvent(
                new KeyboardEvent("keydown", { key: "Enter", code: "Enter", bubbles: true, cancelable: true, ...more }));
              field.dispatchEvent(new CompositionEvent("compositionstart", { bubbles: true }));
              key({ isComposing: true, keyCode: 229 });
              field.dispatchEvent(new CompositionEvent("compositionend", { bubbles: true, data: "大安" }));
              key({ isComposing: false, keyCode: 229 });
            }"""
        )

    @property
    def focused(self) -> str:
        """A short name of what has the focus: tag, id, accessible name or text."""
        return str(
            self.page.evaluate(
                """() => { const e = document.activeElement; if (!e) return "";
                return [e.tagName.toLowerCase(), e.id, e.getAttribute("aria-label") || e.textContent?.trim().slice(0, 40)]
                  .filter(Boolean).join(" ") }"""
            )
        )

    # ---- what is seen

    def sees(self, text: str) -> Locator:
        """The text is on the screen (waits for it)."""
        found = self.page.get_by_text(text, exact=False).first
        expect(found).to_be_visible()
        return found

    def sees_banner(self, text: str) -> None:
        """A state that lasts stands above the content."""
        expect(self.page.locator(".banners")).to_contain_text(text)

    def sees_no_banner(self, text: str) -> None:
        """That state is over."""
        expect(self.page.locator(".banners")).not_to_contain_text(text)

    def sees_toast(self, text: str) -> None:
        """The outcome of the deed."""
        expect(self.page.locator(".toasts")).to_contain_text(text)

    @property
    def looks_old(self) -> bool:
        """What the page shows is greyed."""
        return self.page.locator(".app.grey").count() == 1

    def has_banner(self, text: str) -> bool:
        """Whether a state that lasts stands above the content now."""
        return self.page.locator(".banners").get_by_text(text).count() > 0

    def wait_until_connected(self) -> None:
        """The live stream speaks."""
        self.page.locator(".pulse .link[data-state=live]").wait_for()

    def wait_until_looks(self, *, old: bool) -> None:
        """Until the page is greyed, or no more."""
        expect(self.page.locator(".app.grey")).to_have_count(1 if old else 0)

    @property
    def queue(self) -> list[str]:
        """Plates of the hits to check, in order."""
        rows = self.page.locator(".hits .plate[role=img], .queue .plate[role=img]")
        return [str(name).split("，")[0].replace(" ", "") for name in rows.evaluate_all(
            "all => all.map(one => one.getAttribute('aria-label'))"
        )]  # fmt: skip

    def wait_for_queue(self, count: int) -> None:
        """Until so many hits wait."""
        expect(self.page.locator(".hits li.hit, .queue li.qrow")).to_have_count(count)

    @property
    def rows(self) -> list[str]:
        """The text of the table's rows."""
        return self.page.locator("table.rows tbody tr").all_inner_texts()

    @property
    def found_plates(self) -> list[str]:
        """Plates of the found table, normal form."""
        names = self.page.locator("table.found .plate").evaluate_all(
            "all => all.map(one => one.getAttribute('aria-label'))"
        )
        return [str(name).split("，")[0].replace(" ", "") for name in names]

    def wait_for_rows(self, count: int) -> None:
        """Until the found table has so many rows."""
        expect(self.page.locator("table.found tbody tr")).to_have_count(count)

    # ---- duties

    def wait_for_check(self, hit_id: str | None = None) -> None:
        """The hit is open and claimed: a verdict may be chosen."""
        if hit_id is not None:
            self.wait_for_path(f"/hits/{hit_id}")
        self.page.locator(".ladder").wait_for()
        expect(self.page.locator(".verdicts[aria-busy=false]")).to_have_count(1)

    def wait_for_path(self, path: str) -> None:
        """Until we are there."""
        self.page.wait_for_url(lambda url: urlsplit(url).path == path)

    def give_reason(self, case_number: str = CASE) -> None:
        """Purpose and case, as asked with every question."""
        self.page.select_option("#purpose", index=1)
        self.page.locator(".casefield input").fill(case_number)

    def ask_for(self, question: str) -> None:
        """Type a question into the search field and press Enter."""
        field_ = self.page.locator("#query")
        field_.fill(question)
        field_.press("Enter")

    def clear_question(self) -> None:
        """Take all tokens off."""
        tokens = self.page.locator(".query .tok")
        while tokens.count():
            tokens.first.click()

    def import_file(self, name: str, content: bytes) -> None:
        """Choose a file on the import page."""
        self.page.locator("input[type=file]").set_input_files(
            files=[{"name": name, "mimeType": "text/csv", "buffer": content}]
        )

    def press_button(self, name: str) -> None:
        """Press the button of that name with the mouse."""
        self.page.get_by_role("button", name=name).first.click()

    def arm_sound(self) -> None:
        """The one press that allows sound."""
        self.page.locator(".banner.loud button").click()

    def api(self, path: str) -> Any:
        """What the cloud itself says, with this person's session."""
        return self.page.evaluate("path => fetch(path).then(a => a.json())", path)

    # ---- judging the page

    def axe(self) -> list[str]:
        """Violations of WCAG 2.2 A and AA, each as `rule: selector, selector`."""
        if not self.page.evaluate("'axe' in window"):
            # Through the debugger's own world, not as a script of the page: its policy stays as it is.
            self.page.evaluate(AXE.read_text(encoding="utf-8") + ";0")
        found = self.page.evaluate(
            "rules => axe.run(document, { runOnly: rules, resultTypes: ['violations'] }).then(r => r.violations)",
            list(AXE_RULES),
        )
        return [
            f"{one['id']}: " + ", ".join(" ".join(map(str, node["target"])) + " " + (node.get("failureSummary") or "")[:160] for node in one["nodes"][:4])
            for one in found
        ]  # fmt: skip

    @property
    def strangers(self) -> list[str]:
        """Requests that went anywhere but to the machine itself."""
        return [
            url
            for url in self.requests
            if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).hostname not in ("127.0.0.1", "localhost")
        ]

    def overflow(self) -> list[str]:
        """Things that stick out of the screen sideways."""
        return list(
            self.page.evaluate(
                """() => [...document.querySelectorAll("main *, header *, nav *")].filter(e => {
                  const r = e.getBoundingClientRect();
                  if (!r.width || !r.height || r.right <= innerWidth + 1) return false;
                  for (let p = e.parentElement; p; p = p.parentElement)
                    if (getComputedStyle(p).overflowX !== "visible") return false;
                  return true;
                }).map(e => e.tagName + "." + e.className).slice(0, 5)"""
            )
        )


def as_json(value: object) -> str:
    """A value as a test's failure shows it."""
    return json.dumps(value, ensure_ascii=False, indent=1)
