"""The plate reader in a browser: the same texts and places as in Python, a camera that shows them, and refusals that say what to do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest
from console_driver import CHROMIUM, FLAGS, Console, open_browser
from numpy.typing import NDArray
from playwright.sync_api import Browser, expect
from reader_driver import ALLOWED, FAKE_CAMERA, STUBS, Bench, film_of, shipped_models, sign_in, wait_until_ready

from guardian.footage.plate_art import STYLES, draw_plate
from guardian.vision import finder, plate_reader
from guardian.vision.crop import quad_size
from guardian.vision.engine import Engine, open_engine
from guardian.vision.plate_reader import PlateReader
from guardian.vision.ports import Detection, TextRead
from guardian.vision.weights import FOLDER, LIST_NAME, WeightFile, content_of
from tests.house import RunningCloud, running_cloud

pytestmark = pytest.mark.real("chromium")
cv2.setNumThreads(1)

DRIVE = Path(__file__).resolve().parents[2] / "guardian" / "footage" / "data" / "demo" / "drive.mp4"
TEXTS = (
    "ABC-1235",
    "MXB-8083",
    "EAA-6677",
    "RDK-2210",
    "NQH-0581",
    "KLA-7012",
    "3022-JM",
    "6E-8080",
    "CSN-063",
    "366-TBM",
)
TEXT = "MXB-8083"
CROPS = 100
SURE_PROB = 0.6
A_HAIR, DOUBTED_PROB = 0.03, 0.5
READ_MAX = 16
"""So many plates of one look are read on the page."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    """A cloud without a night in it: the page needs only its files and somebody who may have them."""
    with running_cloud(tmp_path_factory.mktemp("reader") / "home") as running:
        yield running


def camera_pictures() -> list[NDArray[np.uint8]]:
    """What the fake camera sees: a plate held before it, moving a little."""
    rng = np.random.default_rng(8)
    pictures = []
    for step in range(12):
        picture = np.full((720, 1280, 3), (96, 92, 90), np.uint8)
        picture[:240] = (150, 140, 132)
        cv2.rectangle(picture, (330, 250), (950, 640), (70, 48, 40), -1)
        plate = cv2.resize(draw_plate(TEXT, STYLES["car-2012"], np.random.default_rng(1)), (300, 126))
        picture[400:526, 480 + step : 780 + step] = plate
        noise = rng.normal(0, 3, picture.shape)
        pictures.append(np.clip(cv2.GaussianBlur(picture, (0, 0), 0.8) + noise, 0, 255).astype(np.uint8))
    return pictures


@pytest.fixture(scope="module")
def camera_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That as a film."""
    return film_of(camera_pictures(), tmp_path_factory.mktemp("film") / "plate.mjpeg")


@pytest.fixture(scope="module")
def browser(camera_film: Path) -> Iterator[Browser]:
    """Chromium with a camera that may be used."""
    with open_browser(FAKE_CAMERA, ALLOWED, f"--use-file-for-fake-video-capture={camera_film}") as opened:
        yield opened


@pytest.fixture
def reader(browser: Browser, cloud: RunningCloud) -> Iterator[Console]:
    """An operator on the page, phone in hand."""
    console = sign_in(browser, cloud, size="phone")
    yield console
    faults = console.faults
    console.close()
    assert not faults, faults


@pytest.fixture
def bench(browser: Browser, cloud: RunningCloud) -> Iterator[Bench]:
    """The page's worker alone, with models that answer to every pixel."""
    console = sign_in(browser, cloud, size="phone", models=shipped_models())
    yield Bench(console)
    faults = console.faults
    console.close()
    assert not faults, faults


def drawn_crops() -> NDArray[np.uint8]:
    """(100, 48, 160) uint8: drawn plates, cut by corners that err a little, blurred, dimmed and grainy by turns."""
    rng = np.random.default_rng(20261125)
    crops = []
    for i in range(CROPS):
        style = list(STYLES)[i % len(STYLES)]
        plate = np.asarray(draw_plate(TEXTS[i % len(TEXTS)], STYLES[style], np.random.default_rng(i)), np.uint8)
        h, w = plate.shape[:2]
        room = cv2.copyMakeBorder(plate, h // 2, h // 2, h // 2, h // 2, cv2.BORDER_CONSTANT, value=(60, 60, 60))
        corners = np.asarray([(0, 0), (w, 0), (w, h), (0, h)]) + h // 2 + rng.normal(0, 0.04 * h, (4, 2))
        quad = tuple((round(float(x), 1), round(float(y), 1)) for x, y in corners)
        reader = PlateReader.__new__(PlateReader)  # only its way of cutting
        crop = reader.cut(room, quad)  # type: ignore[arg-type]
        if i % 3 == 1:
            small = cv2.resize(crop, (160 // (2 + i % 4), 48 // (2 + i % 4)), interpolation=cv2.INTER_AREA)
            crop = cv2.resize(small, (160, 48), interpolation=cv2.INTER_LINEAR)
        noisy = crop * rng.uniform(0.4, 1.1) + rng.normal(0, 2 + 10 * (i % 2), crop.shape)
        crops.append(cv2.cvtColor(np.clip(noisy, 0, 255).astype(np.uint8), cv2.COLOR_BGR2GRAY))
    return np.stack(crops)


def with_models(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on Python opens the models of that folder, with the figures that belong to them: the page's are the same files."""
    for module in (plate_reader, finder):
        monkeypatch.setattr(module, "content_of", partial(content_of, folder=folder))


def drive_frames(every: int = 160) -> list[NDArray[np.uint8]]:
    """Some frames of the drive that is shipped."""
    film = cv2.VideoCapture(str(DRIVE))
    frames = []
    for number in range(int(film.get(cv2.CAP_PROP_FRAME_COUNT))):
        there, frame = film.read()
        if there and number % every == 0:
            frames.append(np.asarray(frame, np.uint8))
    film.release()
    assert frames
    return frames


def test_a_hundred_crops_read_the_same_in_the_browser_and_in_python(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    crops = drawn_crops()
    with_models(shipped_models(), monkeypatch)
    here = PlateReader().read([cv2.cvtColor(crop, cv2.COLOR_GRAY2BGR) for crop in crops])
    there = bench.read(crops)
    assert ["".join(sign["sign"] for sign in signs) for signs in there] == [text.raw_text for text in here]
    assert len({text.raw_text for text in here}) > 5, "crops that all read the same would prove nothing"
    for signs, text in zip(there, here, strict=True):
        for sign, char in zip(signs, text.chars, strict=True):
            assert sign["prob"] == pytest.approx(char.prob, abs=0.01)
            assert sign["place"] == pytest.approx(char.place, abs=1e-6)
            others = {one["sign"]: one["prob"] for one in sign["others"]}
            for one in char.alternatives:
                assert one.prob < 0.02 or others[one.sign] == pytest.approx(one.prob, abs=0.01)


def test_a_model_that_speaks_late_has_its_characters_at_the_same_places_in_the_browser_and_in_python(
    browser: Browser, cloud: RunningCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "late"
    shutil.copytree(STUBS / "linear", folder)
    entries = msgspec.json.decode((folder / LIST_NAME).read_bytes(), type=dict[str, WeightFile])
    entries["reader"] = msgspec.structs.replace(entries["reader"], facts={"late_steps": 1.5})
    (folder / LIST_NAME).write_bytes(msgspec.json.encode(entries))
    crops = drawn_crops()[:5]
    pictures = [cv2.cvtColor(crop, cv2.COLOR_GRAY2BGR) for crop in crops]
    places = {}
    for models in (STUBS / "linear", folder):
        with_models(models, monkeypatch)
        places[models] = [char.place for text in PlateReader().read(pictures) for char in text.chars]
    assert max(np.abs(np.subtract(*places.values()))) == pytest.approx(1.5 / 40)
    console = sign_in(browser, cloud, size="phone", models=folder)
    there = [sign["place"] for signs in Bench(console).read(crops) for sign in signs]
    assert there == pytest.approx(places[folder], abs=1e-6)
    console.close()


@dataclass
class Bounds:
    """What Python finds in a frame where it asks for a little more, or for a little less, to call something a plate; and where it
    also keeps what its second look does not show."""

    surely: list[Detection]
    hardly: list[Detection]
    once: list[Detection]


def bounds_of(engine: Engine, frame: NDArray[np.uint8]) -> Bounds:
    """With `A_HAIR` of probability to either side."""
    found = engine.detector
    assert isinstance(found, finder.PlateFinder)
    bound = found.sizes.prob_min
    surely, hardly, once = (
        found.seeing(msgspec.structs.replace(found.sizes, prob_min=least)).detect(frame)
        for least in (bound + A_HAIR, bound - A_HAIR, bound * finder.UNSEEN_SHARE)
    )
    return Bounds(surely, hardly, once)


def _at(corners: NDArray[Any], those: list[Detection]) -> bool:
    """Whether one of those lies here."""
    return any(np.abs(np.asarray(one.corners) - corners).max() < quad_size(one.corners)[1] for one in those)


@dataclass
class Agreement:
    """How the page's plates of some frames compare with Python's."""

    plates: int = 0
    sure: int = 0
    in_two_minds: int = 0

    def compare(
        self, there: list[dict[str, Any]], here: list[Detection], texts: list[TextRead], bounds: Bounds
    ) -> None:
        """Take one frame: every plate of either must be one of the other's, at its place, with its text.

        What differs is let pass only where Python itself is in two minds: of a sign that it gives less than six tenths to, or of
        a place that it finds or not by a hair. There a level of grey, by which two ways of resizing differ, turns the scales.
        """
        left = list(there)
        for one, text in zip(here, texts, strict=True):
            corners = np.asarray(one.corners)
            seen = min(left, key=lambda other: np.abs(np.asarray(other["quad"]) - corners).max(), default=None)
            off = np.abs(np.asarray(seen["quad"]) - corners).max() if seen else np.inf
            same = (
                seen is not None
                and off < max(1.0, 0.03 * quad_size(one.corners)[1])
                and seen["prob"] == pytest.approx(one.prob, abs=0.02)
                and "".join(sign["sign"] for sign in seen["signs"]) == text.raw_text
            )
            if seen is not None and off < quad_size(one.corners)[1]:
                left.remove(seen)
            weakest = min((char.prob for char in text.chars), default=0.0)
            assert same or weakest < SURE_PROB or not _at(corners, bounds.surely), (text.raw_text, one, seen)
            self.plates += 1
            self.sure += weakest >= SURE_PROB
            self.in_two_minds += not same
        for one in left:
            corners = np.asarray(one["quad"])
            assert _at(corners, bounds.hardly) or (one["prob"] < DOUBTED_PROB and _at(corners, bounds.once)), one
        self.in_two_minds += len(left)


def read_by_python(engine: Engine, frame: NDArray[np.uint8]) -> tuple[list[Detection], list[TextRead]]:
    """The places of a frame and what is read there, whatever it is."""
    here = engine.detect(frame)
    assert len(here) < READ_MAX, "the page reads no more"
    return here, engine.read(engine.rectify(frame, here))


@pytest.mark.parametrize(("manner", "name"), [("moving", "guardian-fast"), ("still", "guardian")])
def test_plates_of_whole_frames_are_found_at_the_same_places_and_read_the_same(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, manner: str, name: str
) -> None:
    with_models(shipped_models(), monkeypatch)
    engine = open_engine(name)
    assert isinstance(engine.detector, finder.PlateFinder) and engine.detector.sizes.windows, "both look twice"
    agreement = Agreement()
    for frame in drive_frames(160 if manner == "moving" else 400):
        here, texts = read_by_python(engine, frame)
        agreement.compare(bench.look(frame, manner)["plates"], here, texts, bounds_of(engine, frame))
    assert agreement.sure >= 4, "too little to compare"
    assert agreement.in_two_minds <= max(1, agreement.plates // 3), "of whole frames half of what is found are signs"


def test_a_picture_that_stands_is_looked_at_twice_and_then_left_alone(bench: Bench) -> None:
    frame = drive_frames()[1]
    looks = [bench.look(frame, same_source=True) for _ in range(3)]
    assert [one["standing"] for one in looks] == [False, False, True]
    assert looks[2]["plates"] == looks[1]["plates"] != []
    assert bench.look(frame)["standing"] is False, "another camera"
    assert bench.look(255 - frame, same_source=True)["standing"] is False


def test_a_camera_shows_a_box_and_its_text_and_lists_the_read(reader: Console) -> None:
    wait_until_ready(reader)
    reader.press_button("開啟相機")
    page = reader.page
    expect(page.locator(".reads li .plate").first).to_have_text(TEXT)
    expect(page.locator(".overlay:not([data-plates='0'])")).to_have_count(1)
    drawn = (
        "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].some((v, i) => i % 4 === 3 && v > 0)"
    )
    page.wait_for_function(f"() => ({drawn})(document.querySelector('.overlay'))")
    reader.press_button("暫停")
    expect(page.locator(".badge")).to_have_text("已暫停")
    reader.press_button("關閉畫面")
    expect(page.get_by_role("button", name="開啟相機")).to_be_visible()
    assert page.locator(".reads li").count() == 1, "the same number again and again is one read"


def test_what_the_shipped_models_read_before_a_camera_is_listed_as_python_reads_it(
    browser: Browser, cloud: RunningCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_models(shipped_models(), monkeypatch)
    text = read_by_python(open_engine("guardian-fast"), camera_pictures()[0])[1][0].raw_text
    console = sign_in(browser, cloud, models=FOLDER, size="phone")
    wait_until_ready(console)
    console.press_button("開啟相機")
    expect(console.page.locator(".reads li .plate").filter(has_text=text)).to_be_visible()
    console.close()


def test_a_photo_that_was_chosen_is_read_at_once(reader: Console) -> None:
    wait_until_ready(reader)
    plate = cv2.resize(draw_plate(TEXT, STYLES["car-2012"], np.random.default_rng(2)), (150, 63))
    picture = np.full((600, 900, 3), (60, 62, 64), np.uint8)
    picture[260:323, 300:450] = plate
    done, data = cv2.imencode(".jpg", picture)
    assert done
    reader.page.locator("input[type=file]").set_input_files(
        files=[{"name": "p.jpg", "mimeType": "image/jpeg", "buffer": data.tobytes()}]
    )
    expect(reader.page.locator(".reads li .plate")).to_have_text(TEXT)
    reader.page.locator("input[type=file]").set_input_files(
        files=[{"name": "note.txt", "mimeType": "text/plain", "buffer": b"no picture"}]
    )
    reader.sees("這個檔案不是可以判讀的照片或影片")


def test_nothing_that_the_camera_sees_leaves_the_page_or_stays_in_it(reader: Console) -> None:
    wait_until_ready(reader)
    sent: list[str] = []
    reader.page.context.on("request", lambda one: sent.append(f"{one.method} {one.url}"))
    reader.press_button("開啟相機")
    expect(reader.page.locator(".reads li").first).to_be_visible()
    fetched = f"GET {reader.base_url}/assets/"  # fonts and signs as they are first needed
    assert [one for one in sent if not one.startswith(fetched)] == []
    assert reader.strangers == []
    kept = reader.page.evaluate(
        "async () => [Object.keys(localStorage).filter(k => !/theme|density|language|keys/.test(k)).length,"
        " Object.keys(sessionStorage).length, (await indexedDB.databases()).length, (await caches.keys()).length]"
    )
    assert kept == [0, 0, 0, 0]


def test_a_model_with_another_hash_is_refused_and_the_page_says_what_to_do(
    browser: Browser, cloud: RunningCloud
) -> None:
    console = sign_in(browser, cloud, size="phone")
    wait_until_ready(console)
    file = (STUBS / "fixed") / "reader.onnx"
    console.page.route("**/reader/weights/reader.onnx", lambda route: route.fulfill(body=file.read_bytes()[:-1] + b"?"))
    console.page.reload()
    console.sees("判讀模型與清單不符，沒有使用")
    console.sees("停止使用並通知系統管理人員")
    assert console.page.get_by_role("button", name="開啟相機").count() == 0
    console.close()


def test_whoever_may_not_read_plates_is_told_so(browser: Browser, cloud: RunningCloud) -> None:
    nobody = Console.start(browser, cloud.address, size="phone")
    nobody.page.goto(f"{cloud.address}/reader")
    nobody.sees("還沒有登入")
    nobody.close()
    auditor = sign_in(browser, cloud, role="auditor", models=FOLDER, size="phone")
    auditor.sees("這個身分不能使用車牌判讀")
    auditor.close()


def test_without_a_camera_or_without_leave_the_page_says_what_to_do(browser: Browser, cloud: RunningCloud) -> None:
    for flags, said in (((), "這台裝置找不到相機"), ((FAKE_CAMERA, "--deny-permission-prompts"), "相機沒有得到允許")):
        bare = browser.browser_type.launch(executable_path=CHROMIUM, args=[*FLAGS, *flags])
        console = sign_in(bare, cloud, size="phone")
        console.press_button("開啟相機")
        console.sees(said)
        expect(console.page.get_by_role("button", name="開啟相機")).to_be_enabled()
        bare.close()


@pytest.mark.parametrize("size", ["phone", "tablet", "desktop"])
def test_the_page_is_usable_by_all_in_both_themes_and_languages(
    browser: Browser, cloud: RunningCloud, size: str
) -> None:
    console = sign_in(browser, cloud, size=size)
    wait_until_ready(console)
    for _ in range(2):
        assert console.axe() == []
        assert console.overflow() == []
        console.press_button("切換深淺色")
    console.press_button("開啟相機")
    expect(console.page.locator(".reads li").first).to_be_visible()
    for _ in range(2):
        assert console.axe() == []
        assert console.overflow() == []
        console.page.locator("header .icon").click()
    console.press_button("English")
    expect(console.page.locator("h1")).to_have_text("Plate reader")
    assert console.overflow() == []
    console.focus_main() if console.page.locator("#main[tabindex]").count() else console.page.locator("body").press(
        "Tab"
    )
    reached = set()
    for _ in range(12):
        console.press("Tab")
        reached.add(console.focused)
    assert any("Pause" in one for one in reached) and any("Close the picture" in one for one in reached)
    assert console.faults == []
    console.close()
