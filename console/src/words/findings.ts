/**
 * What is out of band on a device, in words: by the code and facts of the cloud (guardian/fleet/views.py). A code that is not
 * here is of a newer cloud; then its own zh-TW sentence is shown.
 */
import type { HealthFinding } from "../api/types";
import { count } from "./figures";
import { ageOf } from "./time";

export type FindingCode = Exclude<NonNullable<HealthFinding["code"]>, "">;
type Facts = { n: (name: string) => number; reason: string };
type Said = { sentence: (facts: Facts) => string; cure: string | ((facts: Facts) => string) };
type Book = Record<FindingCode, Said>;
/** Why a camera gives no picture, and the cure; guardian/domain/camera.py. */
type Camera = Record<string, [cause: string, cure: string]>;

const tenths = (ms: number): string => (Math.abs(ms) / 1000).toFixed(1);
const figures = (f: Facts, name: string): string => count(f.n(name));

function zhAge(ms: number): string {
  const it = ageOf(0, ms);
  return `${it.count} ${{ s: "秒", min: "分", h: "小時", day: "天" }[it.unit]}`;
}
const zhCameras: Camera = {
  "camera-unreachable": ["連不上攝影機", "檢查位址、電源與網路線"],
  "camera-login": ["攝影機不接受帳號或密碼", "在位址寫明：rtsp://帳號:密碼@…"],
  "camera-no-such-stream": ["攝影機在線上，但沒有這個路徑", "查攝影機說明書的 RTSP 路徑"],
  "camera-no-picture": ["收到的串流沒有可解碼的畫面", "在攝影機把影像編碼改為 H.264 或 MJPEG"],
  "camera-missing": ["攝影機沒有接上", "檢查 USB 線"],
  "camera-busy": ["攝影機被其他程式占用", "關掉那個程式"],
  "camera-not-allowed": ["沒有使用攝影機的權限", "把使用者加入 video 群組後重新登入"],
  "camera-hangs": ["攝影機有回應但不送畫面", "把攝影機關掉再開"],
  "camera-ended": ["攝影機中斷了串流", "不必處理，自動重連；常常發生就檢查網路"],
};
const zhWhy = (f: Facts): string => (zhCameras[f.reason] ? `：${zhCameras[f.reason]![0]}` : "");
const zhCameraCure = (f: Facts): string => zhCameras[f.reason]?.[1] ?? "檢查鏡頭接線與電源；停車後重新啟動設備";
const zhClock = "到空曠處讓 GPS 校時，或接上網路數分鐘；常常發生就更換設備電池";
const zhList = "檢查網路連線；名單會自動更新，仍不動就重新啟動設備";
const zhFix = "檢查 GPS 天線是否被遮住；到空曠處等一分鐘";
const zhSide = (ms: number): string => (ms > 0 ? "慢" : "快");

const zh: Book = {
  "identity-forked": { sentence: () => "兩台設備使用同一身分，紀錄分開保存", cure: "找出兩台設備，兩台都撤銷後重新註冊" },
  "picture-none": { sentence: (f) => `尚無影像${zhWhy(f)}`, cure: zhCameraCure },
  "picture-stopped": { sentence: (f) => `已 ${zhAge(f.n("age_ms"))}沒有影像${zhWhy(f)}`, cure: zhCameraCure },
  "clock-unset": { sentence: () => "設備時鐘未校正，紀錄的時間存疑", cure: zhClock },
  "clock-apart": { sentence: (f) => `設備時鐘比雲端${zhSide(f.n("apart_ms"))} ${zhAge(Math.abs(f.n("apart_ms")))}`, cure: zhClock },
  "clock-corrected": { sentence: (f) => `設備時鐘${zhSide(f.n("offset_ms"))} ${Math.abs(f.n("offset_ms")) < 60_000 ? `${tenths(f.n("offset_ms"))} 秒` : zhAge(Math.abs(f.n("offset_ms")))}，紀錄已更正`, cure: zhClock },
  "backlog-old": { sentence: (f) => `待送 ${figures(f, "items")} 筆，最舊 ${zhAge(f.n("age_ms"))}`, cure: "檢查行動網路訊號與門號；資料留在設備上，連線後自動補送" },
  "list-none": { sentence: () => "設備上沒有名單，不會比對", cure: zhList },
  "list-old": { sentence: (f) => `名單是第 ${f.n("version")} 版（${zhAge(f.n("age_ms"))}前），現行第 ${f.n("current")} 版`, cure: zhList },
  "list-ahead": { sentence: (f) => `設備名單第 ${f.n("version")} 版，比雲端現行第 ${f.n("current")} 版新；收不到名單異動`, cure: "雲端資料由舊備份還原：通知維運工程師；設備仍以手上的名單比對" },
  heat: { sentence: (f) => `主機過熱：${Math.round(f.n("celsius"))} °C`, cure: (f) => `停車時打開車廂通風；仍高於 ${Math.round(f.n("limit_celsius"))} °C 就換下送修` },
  "spool-full": { sentence: (f) => `暫存空間已用 ${Math.round(f.n("share") * 100)}%`, cure: "讓設備連線補送；連線正常仍不降就送修" },
  "photos-given-up": { sentence: (f) => `空間不足，已放棄 ${figures(f, "photos")} 張一般影像（紀錄與比對不受影響）`, cure: "讓設備連線補送，騰出空間" },
  "reads-in-memory": { sentence: (f) => `設備磁碟已滿：${figures(f, "reads")} 筆紀錄只在記憶體，關機就會遺失`, cure: "先不要關機；讓設備連線補送，或在設備上騰出空間" },
  "reads-lost": {
    sentence: (f) => [f.n("lost") && `遺失 ${figures(f, "lost")} 筆紀錄`, f.n("missing") && `上次斷電缺 ${figures(f, "missing")} 筆紀錄`].filter(Boolean).join("、"),
    cure: "損壞的片段另存在設備上，送修時一併取出；常常發生就更換設備的磁碟",
  },
  "reads-refused": { sentence: (f) => `雲端退回 ${figures(f, "reads")} 筆紀錄，另存在設備上`, cure: "更新設備軟體；送修時取出另存的紀錄" },
  "lens-dirty": { sentence: (f) => `鏡頭可能髒污：近一小時每車字數 ${f.n("chars").toFixed(1)}，平常 ${f.n("usual").toFixed(1)}`, cure: "擦拭鏡頭與鏡頭前的玻璃；仍偏低就檢查對焦與角度" },
  "reads-few": { sentence: (f) => `近一小時判讀 ${figures(f, "reads")} 輛，這個時段平常約 ${figures(f, "usual")} 輛`, cure: "車輛在執勤就檢查鏡頭角度、髒污與光線；停放中可略過" },
  "position-none": { sentence: () => "沒有定位", cure: zhFix },
  "position-old": { sentence: (f) => `定位停在 ${zhAge(f.n("age_ms"))}前`, cure: zhFix },
};

function enAge(ms: number): string {
  const it = ageOf(0, ms);
  return `${it.count} ${{ s: "s", min: "min", h: "h", day: it.count === 1 ? "day" : "days" }[it.unit]}`;
}
const enCameras: Camera = {
  "camera-unreachable": ["the camera cannot be reached", "Check its address, power and network cable"],
  "camera-login": ["the camera refuses the name or password", "Write them in the address: rtsp://NAME:PASSWORD@…"],
  "camera-no-such-stream": ["the camera answers but has no such path", "Look up the RTSP path in the camera's manual"],
  "camera-no-picture": ["the stream holds no picture that can be decoded", "Set the camera's video encoding to H.264 or MJPEG"],
  "camera-missing": ["no camera is plugged in", "Check the USB cable"],
  "camera-busy": ["another program is using the camera", "Close that program"],
  "camera-not-allowed": ["the camera may not be used", "Add the user to the group video, then sign in again"],
  "camera-hangs": ["the camera answers but sends no picture", "Switch the camera off and on again"],
  "camera-ended": ["the camera ended the stream", "Nothing to do, it reconnects by itself; if it happens often, check the network"],
};
const enWhy = (f: Facts): string => (enCameras[f.reason] ? `: ${enCameras[f.reason]![0]}` : "");
const enCameraCure = (f: Facts): string => enCameras[f.reason]?.[1] ?? "Check the camera's cable and power; once parked, restart the device";
const enClock = "Let it hear GPS under open sky, or connect it for a few minutes; if it happens often, replace the device's battery";
const enList = "Check the connection: the list updates by itself; if it does not, restart the device";
const enFix = "See whether the GPS antenna is covered; wait a minute under open sky";
const enSide = (ms: number): string => (ms > 0 ? "slow" : "fast");
const enReads = (f: Facts, name: string): string => `${figures(f, name)} read${f.n(name) === 1 ? "" : "s"}`;

const en: Book = {
  "identity-forked": { sentence: () => "Two devices use one identity; their reads are kept apart", cure: "Find both devices, revoke both and enrol them again" },
  "picture-none": { sentence: (f) => `No picture yet${enWhy(f)}`, cure: enCameraCure },
  "picture-stopped": { sentence: (f) => `No picture for ${enAge(f.n("age_ms"))}${enWhy(f)}`, cure: enCameraCure },
  "clock-unset": { sentence: () => "The device's clock is not set; times of reads are doubtful", cure: enClock },
  "clock-apart": { sentence: (f) => `The device's clock is ${enAge(Math.abs(f.n("apart_ms")))} ${enSide(f.n("apart_ms"))} by the cloud's`, cure: enClock },
  "clock-corrected": { sentence: (f) => `The device's clock is ${Math.abs(f.n("offset_ms")) < 60_000 ? `${tenths(f.n("offset_ms"))} s` : enAge(Math.abs(f.n("offset_ms")))} ${enSide(f.n("offset_ms"))}; reads are corrected`, cure: enClock },
  "backlog-old": { sentence: (f) => `${figures(f, "items")} waiting to be sent, the oldest for ${enAge(f.n("age_ms"))}`, cure: "Check mobile signal and SIM; everything stays on the device and is sent once connected" },
  "list-none": { sentence: () => "No watchlist on the device: nothing is matched", cure: enList },
  "list-old": { sentence: (f) => `Watchlist version ${f.n("version")} (${enAge(f.n("age_ms"))} old); ${f.n("current")} is in force`, cure: enList },
  "list-ahead": { sentence: (f) => `Watchlist version ${f.n("version")} is newer than the cloud's ${f.n("current")}; no change of the list reaches it`, cure: "The cloud's records were restored from an old copy: tell the operations engineer. The device goes on matching with the list it holds" },
  heat: { sentence: (f) => `Too hot: ${Math.round(f.n("celsius"))} °C`, cure: (f) => `Air the vehicle when parked; if it stays above ${Math.round(f.n("limit_celsius"))} °C, take it in for repair` },
  "spool-full": { sentence: (f) => `Spool ${Math.round(f.n("share") * 100)}% full`, cure: "Connect the device so that it can send; if it stays full although connected, take it in for repair" },
  "photos-given-up": { sentence: (f) => `Out of space: ${figures(f, "photos")} ordinary picture${f.n("photos") === 1 ? "" : "s"} given up (reads and hits are not affected)`, cure: "Connect the device so that it can send and free space" },
  "reads-in-memory": { sentence: (f) => `Disk full: ${enReads(f, "reads")} in memory only, lost if it is switched off`, cure: "Do not switch it off; connect it so that it can send, or free space on it" },
  "reads-lost": {
    sentence: (f) => [f.n("lost") && `${enReads(f, "lost")} lost`, f.n("missing") && `${enReads(f, "missing")} missing since the last power cut`].filter(Boolean).join(", "),
    cure: "The damaged pieces are kept on the device; have them taken out when it is repaired. If it happens often, replace its disk",
  },
  "reads-refused": { sentence: (f) => `The cloud refused ${enReads(f, "reads")}, kept aside on the device`, cure: "Update the device's software; have the reads taken out when it is repaired" },
  "lens-dirty": { sentence: (f) => `The lens may be dirty: ${f.n("chars").toFixed(1)} characters a vehicle in the last hour, usually ${f.n("usual").toFixed(1)}`, cure: "Wipe the lens and the glass before it; if it stays low, check focus and angle" },
  "reads-few": { sentence: (f) => `${figures(f, "reads")} vehicle${f.n("reads") === 1 ? "" : "s"} read in the last hour, usually about ${figures(f, "usual")} at this time`, cure: "If it is on duty, check the lens's angle, dirt and light; if parked, nothing to do" },
  "position-none": { sentence: () => "No position", cure: enFix },
  "position-old": { sentence: (f) => `Position last known ${enAge(f.n("age_ms"))} ago`, cure: enFix },
};

export const books: Record<"zh-TW" | "en", Book> = { "zh-TW": zh, en };
export const cameras: Record<"zh-TW" | "en", Camera> = { "zh-TW": zhCameras, en: enCameras };

/** Sentence and cure in the language; the cloud's own words where the code is none of ours. */
export function sayFinding(finding: HealthFinding, language: "zh-TW" | "en"): { sentence: string; cure: string } {
  const said = finding.code ? books[language][finding.code] : undefined;
  if (!said) return { sentence: finding.sentence, cure: finding.cure };
  const given = finding.facts ?? {};
  const facts: Facts = { n: (name) => Number(given[name] ?? 0), reason: String(given.reason ?? "") };
  return { sentence: said.sentence(facts), cure: typeof said.cure === "string" ? said.cure : said.cure(facts) };
}
