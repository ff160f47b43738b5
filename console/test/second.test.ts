import { describe, expect, test } from "vitest";
import type { HitCard, OpinionView } from "../src/api/types";
import { secondOf, signsUnder } from "../src/live/second";
import { language } from "../src/words/index.svelte";
import { en } from "../src/words/en";
import { zh } from "../src/words/zh-TW";

const asked: OpinionView = {
  verdict: "agrees", text: "MXB8083", display: "MXB-8083", raw_text: "MXB-8083", char_probs: [], confidence_prob: 0.93, differing: [],
  bears_out_entry: false, reader: "ppocr", reader_version: "v6-small", crops: 3, reason: "",
};
const hit = (opinion: Partial<OpinionView> | null): HitCard =>
  ({ read_text: "MXB8083", entry_text: "MXB8063", opinion: opinion && { ...asked, ...opinion } }) as HitCard;

describe("a second reader's words are about the entry", () => {
  test("both readers alike on a look-alike is no good news: it is not the vehicle on the list", () => {
    expect(secondOf(hit({}))).toEqual({ mark: "other", words: "也讀作 MXB-8083，與名單不同", short: "第二判讀非名單" });
  });
  test("another reading that is the entry's bears it out", () => {
    const told = secondOf(hit({ verdict: "partly", text: "MXB8063", display: "MXB-8063", differing: [5], bears_out_entry: true }));
    expect([told.mark, told.words]).toEqual(["same", "讀作 MXB-8063，與名單相同"]);
  });
  test("agreement on the entry's number is agreement", () => {
    expect(secondOf(hit({ bears_out_entry: true }))).toEqual({ mark: "same", words: "一致", short: "第二判讀一致" });
  });
  test("a disagreement names the characters, where they can be named, and what was read", () => {
    expect(secondOf(hit({ verdict: "partly", text: "MXD8053", display: "MXD-8053", differing: [2, 5] })).words).toBe("不一致（第 3、6 字），讀作 MXD-8053");
    expect(secondOf(hit({ verdict: "differs", text: "AB1234", display: "AB-1234" })).words).toBe("不一致，讀作 AB-1234");
  });
  test("nobody asked is no disagreement and no line in a list; none has come is said in the check", () => {
    const late = secondOf(hit({ verdict: "not_asked", text: "", display: "", reason: "too-late" }));
    expect([late.mark, late.words, late.short]).toEqual(["none", "未判讀：來不及", ""]);
    expect(secondOf(hit({ verdict: "not_asked", text: "", reason: "of-a-newer-device" })).words).toBe("未判讀");
    expect(secondOf(hit(null))).toEqual({ mark: "pending", words: "尚無第二判讀", short: "" });
    expect(secondOf(hit({ verdict: "cannot_read", text: "" })).mark).toBe("none");
  });
  test("every reason that the cloud knows has words in both languages", () => {
    for (const words of [zh, en]) expect(Object.keys(words.second.reasons).sort()).toEqual(["broken", "no-picture", "no-reader", "same-reader", "too-late"]);
  });
  test("in English too", () => {
    language.now = "en";
    expect(secondOf(hit({ verdict: "partly", text: "MXB8053", display: "MXB-8053", differing: [5] })).words).toBe("differs (character 6): read MXB-8053");
    language.now = "zh-TW";
  });
});

describe("its signs under the first reader's", () => {
  const places = [0, 1, 2, null, 3, 4, 5, 6];
  test("one a column, the dash in its own", () => {
    expect(signsUnder(hit({ text: "MXB8063" }), places).join("")).toBe("MXB-8063");
  });
  test("none where it read more, fewer or nothing: which place means which is not known", () => {
    for (const text of ["MXB806", "MXB80633", ""]) expect(signsUnder(hit({ text }), places)).toEqual([]);
    expect(signsUnder(hit(null), places)).toEqual([]);
  });
});
