/** Fictional data in the shape of the API: the night of a dispatcher in Da'an. Deterministic but for the clock. */
import { readFileSync } from "node:fs";

const LAT0 = 25.0297;
const LON0 = 121.5353;
/** Metres east and south of the park, as in the sketch. */
export const place = (x, y) => ({ lat_deg: LAT0 - y / 110_600, lon_deg: LON0 + x / 100_900 });

const S = 1000;
const MIN = 60 * S;
const H = 60 * MIN;
const DAY = 24 * H;

const dash = (text) => (/^[A-Z\d]{3}\d{4}$/.test(text) ? 3 : /^\d{4}[A-Z]{2}$/.test(text) ? 4 : /^\d[A-Z]\d{4}$/.test(text) ? 2 : /^[A-Z]{3}\d{3}$/.test(text) ? 3 : null);
export const display = (text) => {
  const at = dash(text);
  return at ? `${text.slice(0, at)}-${text.slice(at)}` : text;
};
const photo = (what, v) => `/api/photos/${Buffer.from(JSON.stringify({ what, ...v })).toString("hex")}?ref=live`;
export const pictures = (text, kind, colour, seed, light = "night", soft = 1) => ({
  crop_url: photo("crop", { plate: display(text), seed, soft }),
  overview_url: photo("overview", { plate: display(text), kind, colour, seed, light }),
});

/** The tables of the night; `tests/night.py` sends the same through a real cloud. */
const tables = JSON.parse(readFileSync(new URL("night.json", import.meta.url), "utf8"));
const { rows: UNITS } = tables.units;
const { rows: HITS } = tables.hits;
const { rows: PASSING } = tables.passing;
const { rows: NIGHT } = tables.night;

/** What a second reader says (guardian/domain/opinion.py); an empty text: it could not read. */
export function opinionOn(read, entry, text) {
  const same = text.length === read.length;
  const apart = same ? [...read].flatMap((sign, i) => (sign === text[i] ? [] : [i])) : [];
  const partly = same && apart.length * 2 <= text.length;
  return {
    verdict: !text ? "cannot_read" : text === read ? "agrees" : partly ? "partly" : "differs",
    text,
    display: text ? display(text) : "",
    raw_text: text ? display(text) : "",
    char_probs: [...text].map((_, i) => 0.93 + ((i * 5) % 6) / 100),
    confidence_prob: text ? 0.93 : 0,
    differing: partly ? apart : [],
    bears_out_entry: text !== "" && text === entry,
    reader: "ppocr",
    reader_version: "v6-small",
    crops: 3,
    reason: "",
  };
}

export class World {
  constructor(now) {
    this.now = now;
    this.start = now();
    this.me = { subject_id: "op-lin", name: "林佳穎", agency: "勤務指揮中心", role: "operator" };
    this.version = 4190;
    this.issued = this.start - 12 * MIN;
    this.sequence = 1000;
    this.units = UNITS.map(([device_id, unit, kind, x, y, heading_deg, speed_kmh, ago, name]) => ({
      device_id,
      unit,
      kind,
      ...place(x, y),
      heading_deg,
      speed_kmh,
      accuracy_m: 6,
      fixed_ms: this.start - ago * S,
      seen_ms: this.start - ago * S,
      state: ago <= 60 ? "fresh" : ago <= 300 ? "old" : "lost",
      place: name,
    }));
    this.hits = new Map();
    this.details = new Map();
    for (const row of HITS) this.raise(row);
    const other = this.hits.get("hit-05");
    Object.assign(other, { state: "checking", checker: "王思涵", checker_id: "op-wang", claimed_ms: this.start - 130 * S, facts: 3 });
    this.details.get("hit-05").facts.push({ hit_id: "hit-05", number: 3, kind: "claimed", author: "王思涵", at_ms: this.start - 130 * S });
    this.reads = [];
    for (let i = 0; i < 40; i++) this.reads.push(this.passing(this.start - (3 + i * 7) * S, i));
    for (const hit of this.hits.values()) this.reads.push(this.readOf(hit));
    this.reads.sort((a, b) => b.captured_ms - a.captured_ms);
    this.audit = [];
    this.searches = new Map();
    this.lists = makeLists(this.start, this.version);
    this.entries = makeEntries(this.start);
    this.imports = new Map();
    this.devices = makeDevices(this.start, this.version, this.units);
    this.quarantine = makeQuarantine(this.start);
    for (const [i, what] of ["session.open", "live.watch", "hits.list", "reads.search", "reads.search", "hits.check", "lists.edit", "photos.view", "reads.export"].entries()) {
      this.record(what.startsWith("reads") ? "lookup" : what === "hits.check" || what === "lists.edit" ? "deed" : "decision", what, {
        at: this.start - (9 - i) * 4 * MIN,
        ...(what.startsWith("reads") ? { purpose: "偵辦刑案", case_number: "中山分局 115-0832 案", elements: { plate: "B?D01*", from: "2026-11-24T22:00:00+08:00", until: "2026-11-25T06:00:00+08:00" }, count: 37 } : {}),
        ...(i === 4 ? { verdict: "refused", reasons: ["purpose-vague"], count: null } : {}),
      });
    }
  }

  raise([id, read, entry, category, priority, x, y, heading_deg, ago, unitAt, odds, confidence, colour, kind, reason, case_number, warning, second = read]) {
    const captured = this.now() - ago * S;
    const unit = this.units[unitAt];
    const differing = [...read].flatMap((sign, i) => (sign === entry[i] ? [] : [i]));
    const strength = differing.length ? "lookalike" : "exact";
    const seed = [...id].reduce((a, c) => a * 31 + c.charCodeAt(0), 7) % 9973;
    const lookShown = pictures(strength === "exact" ? read : entry, kind, colour, seed, id.endsWith("4") ? "dusk" : "night", strength === "exact" ? 0.9 : 1.9);
    const card = {
      id,
      read_id: `${unit.device_id}.3.${this.sequence++}`,
      read_text: read,
      read_display: display(read),
      doubtful: differing,
      entry_id: `entry-${entry}`,
      entry_text: entry,
      entry_display: display(entry),
      category,
      priority,
      strength,
      differing,
      likelihood_prob: strength === "exact" ? 1 : 0.37,
      odds_tenths: odds,
      captured_ms: captured,
      raised_ms: captured + 700,
      state: "new",
      checker: "",
      checker_id: "",
      claimed_ms: null,
      outcome: null,
      unit: unit.unit,
      device_id: unit.device_id,
      place: unit.place,
      ...place(x, y),
      heading_deg,
      confidence_prob: confidence,
      ...lookShown,
      reason,
      case_number,
      silent: false,
      warning,
      list_version: this.version,
      device_list_version: this.version,
      entry_removed_ms: null,
      facts: 2,
      opinion: opinionOn(read, entry, second),
    };
    this.hits.set(id, card);
    const probs = [...read].map((_, i) => (differing.includes(i) ? confidence : 0.95 + ((i * 7) % 5) / 100));
    const votes = Array.from({ length: strength === "exact" ? 5 : 23 }, (_, i) => ({
      text: strength === "exact" || i % 5 < 3 ? read : entry,
      confidence_prob: Math.min(0.99, confidence + ((i * 13) % 9) / 100 - 0.04),
      frame_ms: captured - (23 - i) * 40,
      crop_sha256: Buffer.from(JSON.stringify({ what: "crop", plate: display(strength === "exact" ? read : entry), seed: seed + i, soft: 1.2 + (i % 4) / 3 })).toString("hex"),
    }));
    this.details.set(id, {
      card,
      read: {
        device_id: unit.device_id,
        boot: 3,
        sequence: 1000,
        captured_ms: captured,
        text: read,
        raw_text: display(read),
        char_probs: probs,
        places: placesIn(read),
        confidence_prob: confidence,
        series: "2012-3+4",
        vehicle_classes: [kind === "motorcycle" ? "motorcycle" : "car"],
        alternatives: [...read].map((_, i) => (differing.includes(i) ? [[entry[i], 0.37], ["3", 0.03]] : [])),
        clock: { source: "gps", corrected: true, offset_ms: 40 },
        position: { ...place(x, y), fixed_ms: captured - 400, accuracy_m: 6, heading_deg, speed_kmh: 28 },
        unit: unit.unit,
        look: { kind, colour },
        crop: { sha256: "c", frame_ms: captured },
        overview: { sha256: "o", frame_ms: captured - 80 },
        frames_seen: votes.length,
        votes,
        hits: [{ entry_id: `entry-${entry}`, strength, list_version: this.version, list_issued_ms: this.issued, alarmed_ms: captured + 180, answered: "received" }],
      },
      entry: { id: `entry-${entry}`, text: entry, category, reason, case_number, priority, expires_ms: this.start + 29 * DAY, source: "刑事警察局", colour, kind, make: "三陽", warning, remark: "" },
      looks: [
        { aspect: "kind", seen: kind, registered: kind, verdict: "agree" },
        { aspect: "colour", seen: colour, registered: id === "hit-03" ? "white" : colour, verdict: id === "hit-03" ? "differ" : "agree" },
        { aspect: "make", seen: "", registered: "三陽", verdict: "unknown" },
        { aspect: "plate", seen: "白底黑字", registered: "白底黑字", verdict: "agree" },
      ],
      facts: [
        { hit_id: id, number: 1, kind: "raised", author: unit.unit, at_ms: captured + 700 },
        { hit_id: id, number: 2, kind: "second_opinion", author: unit.unit, at_ms: captured + 900, value: card.opinion.verdict, note: card.opinion.display },
      ],
      same_plate: [],
    });
    return card;
  }

  passing(at, i) {
    const [text, kind, colour, confidence_prob, doubtful] = PASSING[i % PASSING.length];
    const unit = this.units[i % 8];
    return {
      id: `${unit.device_id}.3.${this.sequence++}`,
      text,
      display: display(text),
      doubtful,
      captured_ms: at,
      received_ms: at + 600,
      device_id: unit.device_id,
      unit: unit.unit,
      place: unit.place,
      lat_deg: unit.lat_deg + ((i * 37) % 11) / 6000,
      lon_deg: unit.lon_deg + ((i * 53) % 13) / 6000,
      position_age_ms: 400,
      confidence_prob,
      kind,
      colour,
      ...pictures(text, kind, colour, i * 17 + 3, i % 5 === 4 ? "dusk" : "night"),
      lookalike: false,
      hit_id: "",
      hit_category: "",
      hit_priority: null,
      hit_strength: "",
      time_doubtful: false,
    };
  }

  readOf(hit) {
    const detail = this.details.get(hit.id);
    return {
      ...this.passing(hit.captured_ms, 0),
      id: hit.read_id,
      text: hit.read_text,
      display: hit.read_display,
      doubtful: hit.doubtful,
      unit: hit.unit,
      device_id: hit.device_id,
      place: hit.place,
      lat_deg: hit.lat_deg,
      lon_deg: hit.lon_deg,
      confidence_prob: hit.confidence_prob,
      kind: detail.read.look.kind,
      colour: detail.read.look.colour,
      crop_url: hit.crop_url,
      overview_url: hit.overview_url,
      hit_id: hit.id,
      hit_category: hit.category,
      hit_priority: hit.priority,
      hit_strength: hit.strength,
    };
  }

  fact(hit, kind, value = "", note = "") {
    hit.facts += 1;
    this.details.get(hit.id).facts.push({ hit_id: hit.id, number: hit.facts, kind, author: this.me.name, at_ms: this.now(), value, note });
  }

  counts() {
    const open = [...this.hits.values()].filter((hit) => hit.state === "new" || hit.state === "checking").length;
    return {
      reads_per_min: 84,
      open_hits: open,
      quarantined: this.quarantine.filter((item) => item.state === "held").length,
      devices_attention: this.devices.filter((one) => one.state === "fault").length,
      list_version: this.version,
      list_issued_ms: this.issued,
    };
  }

  record(kind, action, more = {}) {
    const number = this.audit.length + 1;
    this.audit.push({
      number,
      at_ms: more.at ?? this.now(),
      kind,
      subject_id: this.me.subject_id,
      subject_name: this.me.name,
      role: this.me.role,
      action,
      verdict: more.verdict ?? "allowed",
      reasons: more.reasons ?? [],
      purpose: more.purpose ?? "",
      case_number: more.case_number ?? "",
      elements: more.elements ?? {},
      count: more.count ?? null,
      lookup_id: "",
      hash: `9f2c${number.toString(16).padStart(4, "0")}b7e1`,
    });
  }

  /** The answer to a question: the night of BQD-0187 and its neighbours. */
  answer(question, search_id) {
    const plate = question.plate.replaceAll("-", "");
    const rows = NIGHT.map(([text, ago, x, y, at, unit, colour, kind, confidence_prob, near], i) => ({
      ...this.passing(this.start - ago * MIN, i),
      id: `tpe-da-00${(i % 5) + 1}.2.${4000 + i}`,
      text,
      display: display(text),
      doubtful: near ? [1] : [],
      place: at,
      unit,
      ...place(x, y),
      colour,
      kind,
      confidence_prob,
      lookalike: near,
      ...pictures(text, kind, colour, 71 + i, ago > 280 ? "dusk" : "night"),
      captured_ms: this.start - ago * MIN,
    })).filter((row) => !plate || plate.includes("*") || plate.includes("?") || row.text === plate || (question.lookalike && row.lookalike));
    const found = rows.filter((row) => (question.lookalike || !row.lookalike) && (!question.from_ms || row.captured_ms >= question.from_ms) && (!question.until_ms || row.captured_ms <= question.until_ms));
    for (let i = found.length - 1; i >= 0; i--) {
      if (question.colours?.length && !question.colours.includes(found[i].colour)) found.splice(i, 1);
    }
    const plates = new Map();
    for (const row of found) plates.set(row.text, (plates.get(row.text) ?? 0) + 1);
    const bins = Array.from({ length: 36 }, (_, i) => ({ from_ms: this.start - (18 - i / 2) * H, reads: [2, 1, 0, 1, 3, 2, 1, 0, 0, 1, 2, 0, 1, 0, 0, 1, 1, 2, 4, 3, 1, 0, 2, 1, 0, 0, 1, 0, 1, 2, 3, 1, 2, 2, 1, 1][i] }));
    return {
      search_id,
      lookup_id: `lookup-${search_id}`,
      question,
      normal: question.plate.toUpperCase(),
      rows: found,
      next_cursor: "",
      count: found.length,
      count_exact: true,
      plates: [...plates].map(([text, reads]) => ({ text, display: display(text), reads })).sort((a, b) => b.reads - a.reads),
      histogram: found.length ? bins : [],
      elapsed_ms: 80,
      newer: 0,
    };
  }
}

function makeLists(now, version) {
  return [
    ["stolen", "失竊車輛", 38204, version, 12 * MIN],
    ["cases", "涉案車輛", 1967, version, 12 * MIN],
    ["plates", "註銷號牌與偽牌", 61530, version - 2, 3 * H],
    ["misappropriated", "侵占車輛", 2415, version, 12 * MIN],
    ["missing", "協尋車輛", 884, version - 3, 5 * H],
    ["wanted", "通緝", 312, version, 12 * MIN],
  ].map(([id, name, entries, v, ago]) => ({ id, name, source: "刑事警察局", entries, version: v, changed_ms: now - ago, changed_by: "黃俊傑" }));
}

function makeEntries(now) {
  return ["BQD0187", "AVK2213", "RBK2189", "BFR9012", "3057JM", "KAA9921", "MXB8063", "AEW6508", "BHQ1129", "6E8172", "EPD7733", "AXL0052"].map((text, i) => ({
    entry: {
      id: `entry-${text}`,
      text,
      category: "stolen",
      reason: i % 3 ? "失竊" : "失竊，車內有凶器",
      case_number: `中山分局 115-0${832 + i} 案`,
      priority: i % 4 === 2 ? 1 : 2,
      ...(i % 5 ? { expires_ms: now + (12 + i) * DAY } : {}),
      source: "刑事警察局",
      colour: ["white", "black", "silver", "grey"][i % 4],
      kind: "car",
      ...(i === 3 ? { silent: true } : {}),
      ...(i === 2 ? { warning: "曾拒檢逃逸" } : {}),
    },
    display: display(text),
    series: "2012-3+4",
    added_ms: now - (i + 1) * 7 * H,
    added_by: "黃俊傑",
    expired: i === 9,
    warning_words: "",
  }));
}

function makeDevices(now, version, units) {
  const curve = (drop) => Array.from({ length: 24 }, (_, i) => Math.max(0, Math.round(60 + 80 * Math.sin(((i - 4) / 24) * Math.PI * 2) + ((i * 37) % 17) - (drop && i > 17 ? drop : 0))));
  const rows = [
    ["tpe-da-002", "TPE-DA-003", "大安 2 號", "car", "fault", 6 * MIN, version, 18 * MIN, 1204, 41 * MIN, 100, 68, 0, "gps", [["heat", "attention", "heat", { celsius: 68, limit_celsius: 65 }, "主機過熱：68 °C"], ["backlog", "fault", "backlog-old", { items: 1204, age_ms: 61 * MIN }, "待送 1,204 筆，最舊 1 小時"]]],
    ["tpe-xy-107", "TPE-XY-107", "信義 機 5", "motorcycle", "fault", 2 * MIN, version - 88, 3 * DAY, 0, null, 9400, 44, 0, "cloud", [["list", "fault", "list-old", { version: version - 88, age_ms: 3 * DAY, current: version }, `名單是第 ${version - 88} 版（3 天前），現行第 ${version} 版`], ["clock", "attention", "clock-corrected", { offset_ms: 9400 }, "設備時鐘慢 9.4 秒，紀錄已更正"]]],
    ["tpe-nh-002", "TPE-NH-002", "內湖 1 號", "car", "offline", H, version - 1, H, 0, null, null, null, 90, "", [["position", "attention", "position-old", { age_ms: 4 * MIN }, "定位停在 4 分前"]]],
    ["tpe-zz-012", "TPE-ZZ-012", "中正 1 號", "car", "attention", 8 * S, version, 12 * MIN, 3, 20 * S, 0, 51, 70, "gps", [["lens", "attention", "lens-dirty", { chars: 5.1, usual: 6.8 }, "鏡頭可能髒污：近一小時每車字數 5.1，平常 6.8"]]],
    ["tpe-da-011", "TPE-DA-011", "大安 機 6", "motorcycle", "attention", 21 * S, version, 12 * MIN, 87, 16 * MIN, 200, 39, 0, "ntp", [["backlog", "attention", "backlog-old", { items: 87, age_ms: 16 * MIN }, "待送 87 筆，最舊 16 分"]]],
    ["tpe-xy-041", "TPE-XY-041", "信義 機 2", "motorcycle", "fault", 4 * S, version, 12 * MIN, 1, 4 * S, null, 42, 0, "unset", [["clock", "fault", "clock-unset", {}, "設備時鐘未校正，紀錄的時間存疑"]]],
    ["tpe-ng-015", "TPE-NG-015", "南港 機 1", "motorcycle", "attention", 33 * S, version - 2, 3 * H, 0, null, 300, 36, 0, "ntp", [["list", "attention", "list-old", { version: version - 2, age_ms: 3 * H, current: version }, `名單是第 ${version - 2} 版（3 小時前），現行第 ${version} 版`]]],
    ["tpe-ws-020", "TPE-WS-020", "文山 4 號", "car", "offline", 5 * H, version - 14, 9 * H, 0, null, null, null, 90, "", [["picture", "fault", "picture-stopped", { age_ms: 20 * MIN, reason: "camera-missing" }, "已 20 分沒有影像：攝影機沒有接上"]]],
  ];
  const out = rows.map(([id, name, unit, kind, state, seen, list_version, listAge, backlog, oldest, clock, heat, drop, source, findings]) => device(now, { id, name, unit, kind, state, seen, list_version, listAge, backlog, oldest, clock, source, heat, current: list_version === version, reads: curve(drop), usual: curve(0), findings }));
  for (let i = 0; i < 22; i++) {
    const unit = units[i % 8];
    out.push(device(now, { id: `tpe-ok-${i}`, name: `TPE-OK-${String(i).padStart(3, "0")}`, unit: i < 8 ? unit.unit : `萬華 ${i} 號`, kind: unit.kind, state: "normal", seen: (3 + ((i * 7) % 40)) * S, list_version: version, listAge: 12 * MIN, backlog: i % 4, oldest: 5 * S, clock: (i % 3) * 100, source: ["gps", "gps", "ntp", "cloud"][i % 4], heat: 38 + (i % 9), current: true, reads: curve(0), usual: curve(0), findings: [] }));
  }
  return out;
}

function device(now, d) {
  return {
    id: d.id,
    name: d.name,
    unit: d.unit,
    kind: d.kind,
    state: d.state,
    enrolled_ms: now - 40 * DAY,
    seen_ms: now - d.seen,
    list_version: d.list_version,
    list_current: d.current,
    list_issued_ms: now - d.listAge,
    backlog_items: d.backlog,
    backlog_oldest_ms: d.oldest === null ? null : now - d.oldest,
    clock_offset_ms: d.clock,
    reads_by_hour: d.reads,
    usual_by_hour: d.usual,
    findings: d.findings.map(([figure, level, code, facts, sentence]) => ({ figure, level, sentence, cure: "", code, facts })),
    heartbeat:
      d.heat === null
        ? null
        : {
            device_id: d.id,
            sent_ms: now - d.seen,
            temperature_c: d.heat,
            source: "front.rtsp",
            frames_per_s: 24.8,
            clock_source: d.source,
            clock_offset_ms: d.clock,
            reads_last_hour: d.reads.at(-1),
            chars_per_read: 6.8,
            software: "guardian 0.1.0",
            spool_bytes: 310_000_000,
            spool_bytes_max: 8_000_000_000,
            position: { lat_deg: LAT0, lon_deg: LON0, fixed_ms: now - d.seen, accuracy_m: 6 },
            stages: [
              { name: "frames", items: 1488, ms_p50: 4.2, ms_p95: 7.9 },
              { name: "detect", items: 1488, dropped: 12, ms_p50: 21.4, ms_p95: 38.1 },
              { name: "read", items: 402, ms_p50: 9.8, ms_p95: 15.2 },
              { name: "match", items: 84, ms_p50: 0.1, ms_p95: 0.2 },
            ],
          },
  };
}

function makeQuarantine(now) {
  const item = (i, reason, sentence, field, device_id, ago, record) => ({ id: `q-${i}`, reason, sentence, field, device_id, received_ms: now - ago, record: JSON.stringify(record, null, 1), state: "held" });
  return [
    item(1, "time-doubtful", "拍攝時間比收到時間晚 4 年", "captured_ms", "tpe-da-011", 9 * MIN, { device_id: "tpe-da-011", boot: 3, sequence: 912, captured_ms: 1924992000000, text: "AQR7751" }),
    item(2, "time-doubtful", "拍攝時間比收到時間晚 4 年", "captured_ms", "tpe-da-011", 9 * MIN, { device_id: "tpe-da-011", boot: 3, sequence: 913, captured_ms: 1924992004000, text: "BKL5527" }),
    item(3, "time-doubtful", "拍攝時間比收到時間晚 4 年", "captured_ms", "tpe-xy-107", 40 * MIN, { device_id: "tpe-xy-107", boot: 1, sequence: 77, captured_ms: 1924992014000, text: "EPA3312" }),
    item(4, "text-control", "文字裡有零字元", "raw_text", "tpe-zz-012", 2 * H, { device_id: "tpe-zz-012", boot: 9, sequence: 5, raw_text: "ABC\u00001235", text: "ABC1235" }),
    item(5, "position-impossible", "位置是 0, 0，接收器沒有定位時才會這樣", "position", "tpe-ng-015", 3 * H, { device_id: "tpe-ng-015", boot: 2, sequence: 41, position: { lat_deg: 0, lon_deg: 0 } }),
    item(6, "position-impossible", "位置是 0, 0，接收器沒有定位時才會這樣", "position", "tpe-ng-015", 3 * H, { device_id: "tpe-ng-015", boot: 2, sequence: 42, position: { lat_deg: 0, lon_deg: 0 } }),
    item(7, "position-impossible", "位置是 0, 0，接收器沒有定位時才會這樣", "position", "tpe-ng-015", 3 * H, { device_id: "tpe-ng-015", boot: 2, sequence: 43, position: { lat_deg: 0, lon_deg: 0 } }),
  ];
}

/** Where `photos.mjs` draws each character of a plate, as a read carries it: two bytes a character, base64. */
function placesIn(text) {
  const signs = [...display(text)];
  const cell = (304 * 0.9) / signs.length;
  const edges = signs.flatMap((sign, i) => (sign === "-" ? [] : [23.2 + cell * i, 23.2 + cell * (i + 1)]));
  return Buffer.from(edges.map((x) => Math.round((x / 320) * 255))).toString("base64");
}
