"""What stands on a screen that is not in its language, and which of its own words are cut.

Data keeps its language: names, places, reasons. So whatever the cloud has told this page is allowed, but for the sentences
that it says in zh-TW to clients without words of their own; all else with a Chinese character or mark is the console's.
"""

from __future__ import annotations

from console_driver import Console

LISTEN = """
(() => {
  window.told = [];
  const ask = window.fetch;
  window.fetch = async (...how) => {
    const answer = await ask(...how);
    answer.clone().text().then((text) => window.told.push(text), () => 0);
    return answer;
  };
})()
"""

FOREIGN = r"""
(known) => {
  const SAYS = new Set(["sentence", "hint", "cure", "problem", "refusal", "warning_words"]);
  const data = [...known];
  const collect = (value, key) => {
    if (typeof value === "string") { if (!SAYS.has(key)) data.push(value); }
    else if (value && typeof value === "object") for (const [name, part] of Object.entries(value)) collect(part, name);
  };
  for (const text of window.told) try { collect(JSON.parse(text), ""); } catch { /* no JSON: a picture, a file */ }
  const texts = [["title", document.title]];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode())
    if (!node.parentElement.closest("script, style")) texts.push([node.parentElement.className || node.parentElement.tagName, node.data]);
  for (const element of document.body.querySelectorAll("*"))
    for (const name of ["aria-label", "title", "placeholder", "alt", "label"]) {
      const said = element.getAttribute(name);
      if (said) texts.push([`${element.tagName}[${name}]`, said]);
    }
  const found = new Set();
  for (const [where, text] of texts)
    for (const run of text.match(/[\p{Script=Han}\u3000-\u303f\uff00-\uffef]+/gu) ?? []) {
      const whole = text.trim();
      const isData = data.some((one) => one.includes(whole)) || (/\p{Script=Han}/u.test(run) && data.some((one) => one.includes(run)));
      if (!isData) found.add(`${where}: ${whole.slice(0, 80)}`);
    }
  return [...found].slice(0, 12);
}
"""

CUT = """
() => {
  const own = "button, .btn, th, dt, h1, h2, h3, label > span, legend, nav a, td:has(.state), .guard > span, .banner span";
  return [...document.querySelectorAll(own)].filter((element) => {
    const style = getComputedStyle(element);
    const hides = style.overflowX !== "visible" || ["TH", "DT"].includes(element.tagName); // its neighbour covers the rest
    if (!hides || element.clientWidth <= 1 || element.closest("thead.vh, .vh")) return false;
    return element.scrollWidth > element.clientWidth + 1;
  }).map((element) => `${element.tagName}.${element.className}: ${element.textContent.trim().slice(0, 60)}`).slice(0, 8);
}
"""


def listen(console: Console) -> None:
    """From the next page on: remember what the cloud tells it."""
    console.page.context.add_init_script(LISTEN)


def foreign_texts(console: Console, *known: str) -> list[str]:
    """Chinese on the screen that is neither data nor `known` (what the test typed, examples of data, names of languages)."""
    return [str(one) for one in console.page.evaluate(FOREIGN, list(known))]


def cut_labels(console: Console) -> list[str]:
    """Labels, headings and buttons whose words do not fit."""
    return [str(one) for one in console.page.evaluate(CUT)]


def sideways(console: Console) -> list[str]:
    """What makes the page wider than the screen."""
    wide = console.page.evaluate("document.documentElement.scrollWidth > innerWidth + 1")
    return console.overflow() + (["the document"] if wide else [])
