/**
 * A stand-in for the cloud, for developing and for tests of the console alone: fictional, deterministic, on loopback.
 *
 *     node mock/server.mjs [--port 8790] [--dist dist] [--basemap ../guardian/roads/data] [--weights ../guardian/vision/weights] [--quiet]
 *
 * It prints its address. `POST /mock/<deed>` lets a test make weather: silence, speak, hit, gap, slow, down, up, reset.
 * It is no part of the build.
 */
import { createServer } from "node:http";
import { readFile, stat, open } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { crop, overview } from "./photos.mjs";
import { World, display } from "./world.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const told = JSON.parse(await readFile(path.join(here, "../openapi.json"), "utf8"));
const { values: options } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    dist: { type: "string", default: path.join(here, "../dist") },
    basemap: { type: "string", default: path.join(here, "../../guardian/roads/data") },
    weights: { type: "string", default: path.join(here, "../../guardian/vision/weights") },
    quiet: { type: "boolean", default: false },
  },
});

const ROLE_ACTIONS = {
  operator: "session.view session.close links.make live.watch hits.list hits.view hits.check hits.export reads.search reads.view reads.export photos.view lists.view lists.edit lists.export devices.view devices.enrol devices.revoke quarantine.view quarantine.decide basemap.view reader.use",
  detective: "session.view session.close live.watch hits.list hits.view reads.search reads.view reads.export photos.view lists.view basemap.view reader.use",
  auditor: "session.view session.close audit.view audit.export",
  everything: "session.view session.close links.make live.watch hits.list hits.view hits.check hits.export reads.search reads.view reads.export photos.view lists.view lists.edit lists.export devices.view devices.enrol devices.revoke quarantine.view quarantine.decide audit.view audit.export basemap.view reader.use",
};
const POLICY = "default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self' blob:; font-src 'self'; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/** How long a claim lives without a key; as in guardian/watch/model.py. */
const CLAIM_MS = 90_000;
let world = new World(() => Date.now());
let weather = { silent: false, down: false, basemap: true, slow: {}, quiet: options.quiet };
let events = [];
let cursor = 0;
const listeners = new Set();
const sessions = new Map();
const used = new Set();
let passing = 0;

function emit(kind, said) {
  const data = whole(said, told.components.schemas[STRUCTS[kind]]);
  cursor += 1;
  events.push({ cursor, kind, data });
  events = events.slice(-500);
  if (!weather.silent) for (const say of listeners) say({ cursor, kind, data });
}
const tick = () => ({ server_ms: Date.now(), ...world.counts() });

setInterval(() => emit("tick", tick()), 5000);
setInterval(() => {
  if (weather.quiet) return;
  const read = world.passing(Date.now() - 600, passing++);
  world.reads.unshift(read);
  world.reads.length = Math.min(world.reads.length, 200);
  emit("read", read);
}, 1700);
setInterval(() => {
  if (weather.quiet) return;
  const unit = world.units[passing % 8];
  const rad = ((unit.heading_deg ?? 0) * Math.PI) / 180;
  const m = (unit.speed_kmh / 3.6) * 4;
  unit.lat_deg += (Math.cos(rad) * m) / 110_600 / 6;
  unit.lon_deg += (Math.sin(rad) * m) / 100_900 / 6;
  unit.fixed_ms = unit.seen_ms = Date.now();
  unit.state = "fresh";
  emit("unit", unit);
}, 900);

/** Status and schema of success, as the cloud's own document says (`/api/hits/:id` there is `/api/hits/{hit_id}`). */
function toldOf(method, pattern) {
  const wanted = pattern.replace(/:[a-z]+/g, "{}");
  const path = Object.keys(told.paths).find((one) => one.replace(/\{[a-z_0-9]+\}/g, "{}") === wanted && told.paths[one][method.toLowerCase()]);
  if (!path) throw new Error(`the document knows no ${method} ${pattern}`);
  const [status, answer] = Object.entries(told.paths[path][method.toLowerCase()].responses).find(([code]) => code.startsWith("2"));
  return { status: Number(status), schema: answer.content?.["application/json"]?.schema };
}

/** A value with what it left out at its default: the cloud's answers carry every field. */
function whole(value, schema) {
  if (!schema) return value;
  if (schema.$ref) return whole(value, told.components.schemas[schema.$ref.split("/").at(-1)]);
  const choice = (schema.oneOf ?? schema.anyOf)?.find((one) => one.type !== "null");
  if (choice && value !== null) return whole(value, choice);
  if (Array.isArray(value)) return schema.items ? value.map((one) => whole(one, schema.items)) : value;
  if (!value || typeof value !== "object" || !schema.properties) return value;
  const out = {};
  for (const [key, part] of Object.entries(schema.properties)) {
    const nullable = (part.oneOf ?? part.anyOf)?.some((one) => one.type === "null");
    const given = key in value ? value[key] : "default" in part ? part.default : nullable ? null : undefined;
    if (given !== undefined) out[key] = whole(given, part);
  }
  return out;
}
const STRUCTS = { hit: "HitCard", read: "ReadRow", unit: "UnitView" };

class Refusal extends Error {
  constructor(status, reference, sentence, hint = "") {
    super(sentence);
    Object.assign(this, { status, reference, sentence, hint });
  }
}
const notFound = () => new Refusal(404, "not-found", "No such thing.");

async function body(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString("utf8");
  if ((request.headers["content-type"] ?? "").startsWith("multipart/")) return text;
  return text ? JSON.parse(text) : {};
}
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

const changed = (hit) => {
  emit("hit", hit);
  emit("tick", tick());
  return world.details.get(hit.id);
};
const needReason = ({ purpose, case_number }) => {
  if (!purpose) throw new Refusal(403, "purpose-missing", "A question needs a purpose.");
  if (!case_number) throw new Refusal(403, "case-missing", "A question needs a case number.");
};

const routes = [
  ["GET", "/api/session", ({ me }) => me],
  ["DELETE", "/api/session", ({ sid }) => (sessions.delete(sid), undefined)],
  ["POST", "/api/links", ({ sent }) => ({ path: `/enter#token=once-${sent.role}-${Math.random().toString(36).slice(2)}`, expires_ms: Date.now() + 600_000 })],
  ["GET", "/api/live", () => ({ server_ms: Date.now(), cursor: String(cursor), units: world.units, hits: [...world.hits.values()], reads: world.reads, ...world.counts() })],
  [
    "GET",
    "/api/hits",
    ({ query, me }) => {
      const all = [...world.hits.values()].sort((a, b) => b.captured_ms - a.captured_ms);
      const open = all.filter((hit) => hit.state === "new" || hit.state === "checking");
      const mine = open.filter((hit) => hit.checker_id === me.subject_id);
      const state = query.get("state") ?? "open";
      const checked = all.filter((hit) => !open.includes(hit));
      return { hits: state === "mine" ? mine : state === "checked" ? checked : open, next_cursor: "", open_count: open.length, mine_count: mine.length, checked_today_count: checked.length };
    },
  ],
  ["GET", "/api/hits/:id", ({ id }) => world.details.get(id)],
  [
    "POST",
    "/api/hits/:id/claim",
    ({ id, me }) => {
      const hit = world.hits.get(id);
      if (!hit) throw notFound();
      hit.claim_ends_ms = Date.now() + CLAIM_MS;
      if (hit.checker_id === me.subject_id) return world.details.get(id);
      Object.assign(hit, { state: hit.state === "new" || hit.state === "checking" ? "checking" : hit.state, checker: me.name, checker_id: me.subject_id, claimed_ms: Date.now(), claim_ends_ms: Date.now() + CLAIM_MS });
      world.fact(hit, "claimed");
      return changed(hit);
    },
  ],
  [
    "POST",
    "/api/hits/:id/keep",
    ({ id }) => {
      world.hits.get(id).claim_ends_ms = Date.now() + CLAIM_MS;
      return world.details.get(id);
    },
  ],
  [
    "POST",
    "/api/hits/:id/release",
    ({ id }) => {
      const hit = world.hits.get(id);
      Object.assign(hit, { state: "new", checker: "", checker_id: "", claimed_ms: null, claim_ends_ms: null });
      world.fact(hit, "released");
      return changed(hit);
    },
  ],
  [
    "POST",
    "/api/hits/:id/verdict",
    ({ id, sent }) => {
      const hit = world.hits.get(id);
      if (!hit) throw notFound();
      if (sent.seen_fact < hit.facts) throw new Refusal(409, "hit-moved", "The hit has moved on.");
      hit.state = sent.verdict;
      world.fact(hit, "verdict", sent.verdict, sent.note);
      return changed(hit);
    },
  ],
  [
    "POST",
    "/api/hits/:id/undo",
    ({ id, me }) => {
      const hit = world.hits.get(id);
      Object.assign(hit, { state: "checking", checker: me.name, checker_id: me.subject_id, claimed_ms: Date.now(), claim_ends_ms: Date.now() + CLAIM_MS, outcome: null });
      world.fact(hit, "undone");
      world.fact(hit, "claimed"); // whoever takes a verdict back checks again
      return changed(hit);
    },
  ],
  [
    "POST",
    "/api/hits/:id/outcome",
    ({ id, sent }) => {
      const hit = world.hits.get(id);
      hit.outcome = sent.outcome;
      world.fact(hit, "outcome", sent.outcome, sent.note);
      return changed(hit);
    },
  ],
  [
    "POST",
    "/api/searches",
    async ({ sent, request }) => {
      needReason(sent);
      if (sent.plate === "*") throw new Refusal(400, "question-too-wide", "That would match everything.");
      const slow = weather.slow[sent.plate] ?? 0;
      let cancelled = false;
      request.socket.once("close", () => (cancelled = true));
      world.record("lookup", "reads.search", { purpose: sent.purpose, case_number: sent.case_number, elements: { plate: /[?*]/.test(sent.plate) ? sent.plate.replaceAll("-", "") : sent.plate } });
      if (slow) await wait(slow);
      if (cancelled) world.record("delivered", "reads.search", { count: 0 });
      const search_id = `s${world.searches.size + 1}`;
      const answer = world.answer(sent, search_id);
      world.searches.set(search_id, answer);
      return answer;
    },
  ],
  ["POST", "/api/searches/:id/pages", ({ id }) => world.searches.get(id)],
  ["POST", "/api/searches/:id/open", ({ id, sent }) => (needReason(sent), world.searches.get(id))],
  [
    "POST",
    "/api/reads/:id",
    ({ id, sent }) => {
      needReason(sent);
      const hit = [...world.hits.values()].find((one) => one.read_id === id);
      const row = world.reads.find((one) => one.id === id) ?? [...world.searches.values()].flatMap((one) => one.rows).find((one) => one.id === id);
      if (!row) throw notFound();
      const model = world.details.get(hit?.id ?? "hit-01").read;
      return { row, read: hit ? model : { ...model, text: row.text, raw_text: row.display, captured_ms: row.captured_ms, unit: row.unit, device_id: row.device_id, votes: [], alternatives: [], char_probs: [...row.text].map(() => row.confidence_prob), position: { ...model.position, lat_deg: row.lat_deg, lon_deg: row.lon_deg } } };
    },
  ],
  [
    "POST",
    "/api/lists",
    ({ sent }) => {
      needName(sent.name, "");
      const list_id = `list-${world.lists.length + 1}`;
      world.lists.push({ id: list_id, name: sent.name, source: sent.source ?? "", entries: 0, version: 0, changed_ms: Date.now(), changed_by: world.me.name, closed_ms: null });
      return { list_id, version: 0, removed: 0 };
    },
  ],
  [
    "POST",
    "/api/lists/:id/name",
    ({ id, sent }) => {
      needName(sent.name, id);
      Object.assign(world.lists.find((one) => one.id === id), { name: sent.name, source: sent.source ?? "" });
      return { list_id: id, version: 0, removed: 0 };
    },
  ],
  [
    "POST",
    "/api/lists/:id/close",
    ({ id, sent }) => {
      const own = entriesOf(id);
      if (sent.confirm_entries !== own.length) throw new Refusal(409, "list-removal", "Another number of entries.");
      world.closed = own;
      world.entries = world.entries.filter((one) => !own.includes(one));
      Object.assign(world.lists.find((one) => one.id === id), { closed_ms: Date.now(), entries: 0 });
      return { list_id: id, version: own.length ? ++world.version : 0, removed: own.length };
    },
  ],
  ["POST", "/api/lists/:id/reopen", ({ id }) => (Object.assign(world.lists.find((one) => one.id === id), { closed_ms: null }), { list_id: id, version: 0, removed: 0 })],
  ["GET", "/api/lists", () => ({ version: world.version, issued_ms: world.issued, devices_current: 26, devices_total: world.devices.length, lists: world.lists })],
  ["GET", "/api/lists/:id/entries", ({ id }) => ({ entries: entriesOf(id), next_cursor: "", total: entriesOf(id).length })],
  [
    "POST",
    "/api/lists/:id/find",
    ({ id, sent }) => {
      const find = sent.find.toUpperCase().replaceAll("-", "");
      const entries = entriesOf(id).filter((one) => one.entry.text.includes(find) || one.entry.case_number.includes(find));
      return { entries, next_cursor: "", total: entries.length };
    },
  ],
  [
    "POST",
    "/api/lists/:id/changes",
    ({ id, sent }) => {
      if (sent.base_version !== world.version) throw new Refusal(409, "list-moved", "The list has moved on.");
      world.version += 1;
      world.issued = Date.now();
      const removed = sent.remove ?? [];
      for (const draft of sent.put ?? []) {
        const text = draft.plate.toUpperCase().replaceAll("-", "");
        world.entries = world.entries.filter((one) => one.entry.id !== draft.id);
        world.entries.unshift({ list_id: id.startsWith("list-") ? id : "", entry: { id: draft.id || `entry-${text}`, text, category: draft.category, reason: draft.reason, case_number: draft.case_number, priority: draft.priority ?? 2, source: draft.source }, display: display(text), series: "", added_ms: Date.now(), added_by: world.me.name, expired: false, warning_words: "" });
      }
      world.entries = world.entries.filter((one) => !removed.includes(one.entry.id));
      emit("list", tick());
      return { version: world.version, put: sent.put?.length ?? 0, removed: removed.length };
    },
  ],
  [
    "POST",
    "/api/lists/undo",
    () => {
      world.entries.push(...(world.closed ?? []));
      world.closed = [];
      return { version: ++world.version, put: 0, removed: 0 };
    },
  ],
  [
    "POST",
    "/api/plates/inspect",
    ({ sent }) => {
      const text = sent.plate.toUpperCase().normalize("NFKC").replace(/[^A-Z0-9]/g, "");
      const bad = /^[A-Z]{3}\d{4}$/.test(text) && /[OI]/.test(text);
      const twins = world.entries.filter((one) => one.entry.text !== text && one.entry.text.length === text.length && [...one.entry.text].filter((c, i) => c !== text[i]).length === 1).map((one) => one.display);
      return { text, display: display(text), series: /^[A-Z]{3}\d{4}$/.test(text) ? "2012-3+4" : /^\d{7}$/.test(text) ? "1980-moto-3+4" : "", refusal: bad ? "this series has no O or I" : "", reference: bad ? "plate-impossible" : "", warning: !bad && !/\d/.test(text) ? "fits no series" : "", suggestions: bad ? [display(text.replaceAll("O", "Q").replaceAll("I", "J"))] : [], twins };
    },
  ],
  [
    "POST",
    "/api/lists/:id/imports",
    ({ id, sent }) => {
      const name = /filename="([^"]+)"/.exec(sent)?.[1] ?? "list.csv";
      const field = (key) => new RegExp(`name="${key}"\\r\\n\\r\\n([^\\r]*)`).exec(sent)?.[1] ?? "";
      const plan = makePlan(id, name, field("mode") === "replace");
      const columns = field("columns") ? JSON.parse(field("columns")) : {};
      if (name.startsWith("strange")) {
        // A file whose headers nobody knows: matched only by what the person points at.
        const header = field("header") === "no" ? ["第 1 欄", "第 2 欄", "第 3 欄"] : ["牌", "何種", "卷"];
        const at = Object.fromEntries(Object.entries(columns).filter(([, to]) => to.startsWith("#")).map(([key, to]) => [key, header[Number(to.slice(1)) - 1]]));
        const fixed = Object.fromEntries(Object.entries(columns).filter(([, to]) => to.startsWith("=")).map(([key, to]) => [key, to.slice(1)]));
        const whole = at.plate && (at.category || fixed.category);
        Object.assign(plan, { header, first: ["ABC-1235", "失竊", "115-0832"], columns: at, fixed, headed: field("header") !== "no" });
        if (!whole) Object.assign(plan, { problem: "第 1 列找不到「車號」「類別」欄；找到的是「牌」「何種」「卷」", problem_reference: "import-columns-missing", rows: 2, added: 0, updated: 0, same: 0, refused: 0, report: [] });
        else Object.assign(plan, { rows: 2, added: 2, updated: 0, same: 0, refused: 0, report: plan.report.filter((row) => row.group === "added").slice(0, 2) });
      }
      if (field("encoding")) Object.assign(plan, { encoding: { "utf-8": "UTF-8", big5: "Big5" }[field("encoding")], encoding_chosen: true });
      world.imports.set(plan.id, plan);
      return plan;
    },
  ],
  ["GET", "/api/imports/:id", ({ id }) => world.imports.get(id)],
  [
    "POST",
    "/api/imports/:id/apply",
    ({ id }) => {
      const plan = world.imports.get(id);
      world.version += 1;
      emit("list", tick());
      return Object.assign(plan, { state: "applied", version: world.version });
    },
  ],
  ["POST", "/api/imports/:id/undo", ({ id }) => (world.version++, Object.assign(world.imports.get(id), { state: "undone", version: world.version }))],
  ["GET", "/api/devices", () => ({ devices: world.devices, list_version: world.version })],
  ["POST", "/api/devices/codes", () => ({ code: "KM7T-4QXD", expires_ms: Date.now() + 900_000 })],
  [
    "POST",
    "/api/devices/:id/revoke",
    ({ id }) => {
      const one = world.devices.find((d) => d.id === id);
      return Object.assign(one, { state: "revoked" });
    },
  ],
  [
    "GET",
    "/api/quarantine",
    () => {
      const groups = new Map();
      for (const item of world.quarantine.filter((one) => one.state === "held")) {
        const group = groups.get(item.reason) ?? { reason: item.reason, sentence: item.sentence, items: 0, devices: [], oldest_ms: item.received_ms, newest_ms: item.received_ms };
        group.items += 1;
        if (!group.devices.includes(item.device_id)) group.devices.push(item.device_id);
        group.oldest_ms = Math.min(group.oldest_ms, item.received_ms);
        groups.set(item.reason, group);
      }
      return { groups: [...groups.values()], last_ms: world.start - 540_000 };
    },
  ],
  ["GET", "/api/quarantine/items", ({ query }) => ({ items: world.quarantine.filter((one) => one.reason === query.get("reason") && one.state === "held"), next_cursor: "" })],
  ["POST", "/api/quarantine/replay", ({ sent }) => (decide(sent.ids, "replayed"), { passed: sent.ids.length, held: 0 })],
  ["POST", "/api/quarantine/reject", ({ sent }) => (decide(sent.ids, "rejected"), { passed: sent.ids.length, held: 0 })],
  [
    "GET",
    "/api/audit",
    ({ query }) => {
      const kind = query.get("kind");
      return { rows: world.audit.filter((row) => !kind || row.kind === kind).toReversed(), next_cursor: "", standouts: [standout("王思涵", "中山分局 115-0832 案", 42, world.start - 3_600_000)] };
    },
  ],
  ["POST", "/api/audit/verify", () => ({ rows: world.audit.length, first: 1, last: world.audit.length, head_hash: "9f2c0009b7e1", problem: "" })],
];

/** A list that was made here holds what was put on it since; the others show the world's entries. */
function entriesOf(list_id) {
  return world.entries.filter((one) => (list_id.startsWith("list-") ? one.list_id === list_id : !one.list_id));
}
function needName(name, own) {
  if (!name.trim()) throw new Refusal(400, "list-name", "A list has a name.");
  if (world.lists.some((one) => one.name === name && !one.closed_ms && one.id !== own)) throw new Refusal(409, "list-name-taken", "Another list has this name.");
}

/** As the cloud says it: its zh-TW sentence for clients without words of their own. */
function standout(who, case_number, questions, until_ms) {
  return { who, case_number, questions, until_ms, sentence: `${who} 以同一案號 ${case_number} 在一小時內查詢 ${questions} 個不同對象。` };
}
function decide(ids, state) {
  for (const item of world.quarantine) if (ids.includes(item.id)) item.state = state;
  emit("tick", tick());
}

function makePlan(list_id, file_name, replace) {
  const refused = [
    [37, "BOO-2718", "plate", "BOO-2718", "新式號牌沒有字母 O", "改成數字 0 也不成立：這一位必須是字母。查原卷", "New plates have no letter O", "A digit 0 cannot stand there either: it must be a letter. Look at the original"],
    [112, "ATX3029", "plate", "ATX３０２９", "全形數字", "可自動改為 ATX-3029", "Full-width digits", "Can be changed to ATX-3029"],
    [254, "", "plate", "      ", "空白", "補上車牌，或刪除這一列", "Empty", "Add the plate, or delete this row"],
    [801, "MXB-8063", "expires", "114/02/30", "不是日期", "2 月沒有 30 日。原件寫的是哪一天？", "Not a date", "February has no 30th. Which day does the original say?"],
    [802, "RBK-2149", "plate", "RBK-2149", "新式號牌沒有數字 4", "可能是 RBK-2119 或 RBK-2189，不自動代換", "New plates have no digit 4", "Perhaps RBK-2119 or RBK-2189; nothing is replaced by itself"],
    [1455, "6E-8172", "category", "測試", "不在類別表", "失竊、侵占、註銷、涉案、協尋、通緝", "Not a category", "Use one of the categories of the lists"],
    [2090, "BQD-0187", "case_number", "115-0832", "與第 2089 列重複，內容不同", "留下一列。到期日分別是 12-01 與 12-24", "Row 2089 again, with other content", "Keep one row. They expire on 12-01 and 12-24"],
  ].map(([line, plate, cell, raw, sentence, hint, sentence_en, hint_en]) => ({ line, group: "refused", plate, text: "", cell, raw, sentence, hint, sentence_en, hint_en }));
  const good = Array.from({ length: 20 }, (_, i) => ({ line: 2 + i, group: i % 6 === 5 ? "updated" : i % 4 === 3 ? "same" : "added", plate: `BQ${"ABCDEFGHJK"[i % 10]}-${1130 + i * 3}`, text: "", cell: "", raw: "", sentence: "", hint: "" }));
  return {
    id: `imp${world.imports.size + 1}`,
    list_id,
    file_name,
    encoding: "Big5",
    sample_line: "BQD-0187,失竊,中山分局 115-0832,2026-12-24,優先,…",
    columns: { plate: "車號", category: "類別", case_number: "案號", expires: "到期日", priority: "優先序", reason: "事由" },
    mode: replace ? "replace" : "add",
    rows: 5532,
    added: 1182,
    updated: 22,
    same: 4310,
    refused: 18,
    removed: 0,
    entries_before: 38204,
    report: [...refused, ...good],
    problem: "",
    problem_reference: "",
    header: ["車號", "類別", "案號", "到期日", "優先序", "事由", "所屬"],
    first: ["BQD-0187", "失竊", "115-0832", "2026-12-24", "優先", "失竊", "中山分局"],
    fixed: {},
    encoding_chosen: false,
    headed: true,
    needs_confirmation: "",
    state: "planned",
    version: 0,
  };
}

const deeds = {
  silence: () => (weather.silent = true),
  speak: () => {
    weather.silent = false;
    for (const say of listeners) say.drop();
  },
  gap: () => {
    for (const say of listeners) say({ cursor: ++cursor, kind: "gap", data: {} });
  },
  hit: ({ id, read = "AVK2213", entry = "AVK2213", priority = 2, ago = 1 }) => {
    const hit = world.raise([id, read, entry, "stolen", priority, 240, -120, 90, ago, 0, 9, 0.96, "white", "car", "失竊車輛", "大安分局 115-1120 案", ""]);
    const row = world.readOf(hit);
    world.reads.unshift(row);
    emit("read", row);
    emit("hit", hit);
  },
  slow: ({ plate, ms }) => (weather.slow[plate] = ms),
  down: () => {
    weather.down = true;
    for (const say of listeners) say.drop();
  },
  up: () => (weather.down = false),
  quiet: () => (weather.quiet = true),
  basemap: ({ on }) => (weather.basemap = on),
  reset: () => {
    world = new World(() => Date.now());
    weather = { silent: false, down: false, basemap: true, slow: {}, quiet: options.quiet };
    events = [];
    used.clear();
  },
};

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2", ".json": "application/json" };

async function sendFile(response, file, request, headers = {}) {
  const info = await stat(file);
  const range = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? "");
  let from = 0;
  let until = info.size - 1;
  if (range) {
    if (range[1] === "") from = Math.max(0, info.size - Number(range[2]));
    else {
      from = Number(range[1]);
      if (range[2]) until = Math.min(until, Number(range[2]));
    }
  }
  response.writeHead(range ? 206 : 200, { "Content-Length": until - from + 1, "Accept-Ranges": "bytes", ...(range ? { "Content-Range": `bytes ${from}-${until}/${info.size}` } : {}), ...headers });
  const handle = await open(file);
  await pipeline(handle.createReadStream({ start: from, end: until }), response).catch(() => undefined);
}

function match(pattern, pathname) {
  const a = pattern.split("/");
  const b = pathname.split("/");
  if (a.length !== b.length) return null;
  const out = {};
  for (let i = 0; i < a.length; i++) {
    if (a[i].startsWith(":")) out[a[i].slice(1)] = decodeURIComponent(b[i]);
    else if (a[i] !== b[i]) return null;
  }
  return out;
}

async function answer(request, response) {
  const url = new URL(request.url, "http://127.0.0.1");
  const sid = /(?:^|; )mock_session=([^;]+)/.exec(request.headers.cookie ?? "")?.[1] ?? "";
  const me = sessions.get(sid);
  if (url.pathname.startsWith("/mock/")) {
    deeds[url.pathname.slice(6)](await body(request));
    return response.writeHead(204).end();
  }
  if (weather.down && url.pathname.startsWith("/api")) return request.socket.destroy();
  if (url.pathname === "/api/session" && request.method === "POST") {
    const { token } = await body(request);
    // `once-ROLE-…` is used up by its first use, as every link of a real cloud; the bare words are not.
    const role = { auditor: "auditor", detective: "detective", all: "everything" }[token.replace(/^once-([a-z]+)-.*/, "$1")] ?? "operator";
    if (token === "used" || (token.startsWith("once-") && used.has(token))) throw new Refusal(401, "link-spent", "This link was used.");
    used.add(token);
    const id = Math.random().toString(36).slice(2);
    const names = { operator: ["op-lin", "林佳穎", "勤務指揮中心"], everything: ["op-lin", "林佳穎", "勤務指揮中心"], detective: ["de-huang", "黃俊傑", "偵查隊"], auditor: ["au-tsai", "蔡明軒", "督察組"] }[role];
    const view = { subject_id: names[0], name: names[1], agency: names[2], role: role === "everything" ? "operator" : role, actions: ROLE_ACTIONS[role].split(" "), expires_ms: Date.now() + 8 * 3_600_000, server_ms: Date.now() };
    sessions.set(id, view);
    response.setHeader("Set-Cookie", `mock_session=${id}; HttpOnly; SameSite=Strict; Path=/`);
    return json(response, toldOf("POST", "/api/session").status, view);
  }
  if (url.pathname.startsWith("/api/") || url.pathname.startsWith("/basemap/")) {
    if (!me) throw new Refusal(401, "http-401", "Nobody is signed in.");
    me.server_ms = Date.now();
  }
  if (url.pathname === "/api/live/events") return live(response, Number(url.searchParams.get("after") ?? 0), request);
  if (url.pathname.startsWith("/api/photos/")) {
    const what = JSON.parse(Buffer.from(url.pathname.slice(12), "hex").toString());
    response.writeHead(200, { "Content-Type": "image/svg+xml", "Cache-Control": "private, max-age=600" });
    return response.end(what.what === "crop" ? crop(what) : overview(what));
  }
  if (url.pathname.endsWith(".csv")) {
    response.writeHead(200, { "Content-Type": "text/csv; charset=utf-8", "Content-Disposition": 'attachment; filename="export.csv"' });
    return response.end("\ufeff車牌\r\nBQD-0187\r\n");
  }
  if (url.pathname.startsWith("/basemap/")) {
    if (!weather.basemap) throw notFound();
    const file = { "/basemap/guardian.pmtiles": "basemap.pmtiles", "/basemap/labels.json": "basemap.json", "/basemap/areas.geojson": "districts.geojson" }[url.pathname];
    if (!file) throw notFound();
    return sendFile(response, path.join(options.basemap, file), request, { "Content-Type": file.endsWith("json") ? "application/json" : "application/octet-stream" }).catch(() => response.writeHead(404).end());
  }
  for (const [method, pattern, deed] of routes) {
    const found = method === request.method && match(pattern, url.pathname);
    if (!found) continue;
    const value = await deed({ ...found, sent: await body(request), query: url.searchParams, me, sid, request });
    if (value === undefined && method === "GET") throw notFound();
    const { status, schema } = toldOf(method, pattern);
    return json(response, value === undefined ? 204 : status, whole(value, schema));
  }
  if (url.pathname.startsWith("/api/")) throw notFound();
  // The plate reader's page and its worker, with the rules of guardian/serve/reader.py.
  if (url.pathname === "/reader" || url.pathname === "/reader.html") {
    response.writeHead(200, { "Content-Type": TYPES[".html"], "Content-Security-Policy": `${POLICY}; media-src 'self' blob:`, "Cross-Origin-Embedder-Policy": "require-corp", "Cross-Origin-Opener-Policy": "same-origin", "Cache-Control": "no-store" });
    return response.end(await readFile(path.join(options.dist, "reader.html")));
  }
  if (url.pathname.startsWith("/reader/weights/")) {
    if (!me) throw new Refusal(401, "http-401", "Nobody is signed in.");
    return sendFile(response, path.join(options.weights, path.basename(url.pathname)), request, { "Content-Type": "application/octet-stream" }).catch(() => response.writeHead(404).end());
  }
  if (url.pathname.startsWith("/reader/"))
    return sendFile(response, path.join(options.dist, path.normalize(url.pathname)), request, { "Content-Type": TYPES[path.extname(url.pathname)] ?? "application/wasm", "Content-Security-Policy": POLICY.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'"), "Cross-Origin-Embedder-Policy": "require-corp" }).catch(() => response.writeHead(404).end());
  const file = path.join(options.dist, path.normalize(url.pathname));
  const ext = path.extname(file);
  if (ext && TYPES[ext]) return sendFile(response, file, request, { "Content-Type": TYPES[ext], "Cache-Control": "public, max-age=31536000, immutable" }).catch(() => response.writeHead(404).end());
  response.writeHead(200, { "Content-Type": TYPES[".html"], "Content-Security-Policy": POLICY, "Cache-Control": "no-store" });
  response.end(await readFile(path.join(options.dist, "index.html")));
}

function live(response, after, request) {
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  const say = ({ cursor: at, kind, data }) => response.write(`id: ${at}\nevent: ${kind}\ndata: ${JSON.stringify(data)}\n\n`);
  say.drop = () => response.destroy();
  if (!weather.silent) {
    for (const event of events) if (event.cursor > after) say(event);
    say({ cursor, kind: "tick", data: tick() });
  }
  listeners.add(say);
  request.on("close", () => listeners.delete(say));
}

function json(response, status, value) {
  response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" });
  response.end(value === undefined ? undefined : JSON.stringify(value));
}

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    if (response.headersSent) return response.destroy();
    if (error instanceof Refusal) json(response, error.status, { reference: error.reference, sentence: error.sentence, hint: error.hint, status: error.status });
    else json(response, 500, { reference: "http-500", sentence: String(error), hint: "", status: 500 });
  });
});
server.listen(Number(options.port), "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));
