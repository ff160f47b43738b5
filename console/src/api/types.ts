/** Names for the structs of the cloud's OpenAPI document (`schema.ts` is generated; do not edit it). */
import type { components } from "./schema";

type Schemas = components["schemas"];

/** Answers carry every field: the document calls those with a default optional, which is true of requests only. */
type Whole<T> = { [K in keyof T]-?: Exclude<T[K], undefined> };
type Answer<K extends keyof Schemas> = Whole<Schemas[K]>;

export type SessionView = Answer<"SessionView">;
export type AuditRow = Answer<"AuditRow">;
export type AuditPage = Omit<Answer<"AuditPage">, "rows"> & { rows: AuditRow[]; };
export type ChainReport = Answer<"ChainReport">;
export type LiveSnapshot = Omit<Answer<"LiveSnapshot">, "units" | "hits" | "reads"> & { units: UnitView[]; hits: HitCard[]; reads: ReadRow[]; };
/** An event of the stream, which the document does not describe: a snapshot without its lists. */
export type LiveTick = Omit<LiveSnapshot, "cursor" | "units" | "hits" | "reads">;
export type ReadRow = Answer<"ReadRow">;
export type ReadDetail = Omit<Answer<"ReadDetail">, "row"> & { row: ReadRow; };
export type SearchRequest = Answer<"SearchRequest">;
export type SearchAnswer = Omit<Answer<"SearchAnswer">, "rows" | "question"> & { rows: ReadRow[]; question: SearchRequest; };
export type Area = Answer<"Area">;
export type OpinionView = Answer<"OpinionView">;
export type HitCard = Omit<Answer<"HitCard">, "opinion"> & { opinion: OpinionView | null };
export type HitDetail = Omit<Answer<"HitDetail">, "card" | "same_plate"> & { card: HitCard; same_plate: HitCard[]; };
export type HitPage = Omit<Answer<"HitPage">, "hits"> & { hits: HitCard[]; };
export type HitFact = Schemas["HitFact"];
export type HitState = Schemas["HitState"];
export type Outcome = Schemas["Outcome"];
export type Category = Schemas["Category"];
export type LookRow = Answer<"LookRow">;
export type UnitView = Answer<"UnitView">;
export type DeviceView = Answer<"DeviceView">;
export type DevicesView = Omit<Answer<"DevicesView">, "devices"> & { devices: DeviceView[]; };
export type HealthFinding = Schemas["HealthFinding"];
export type EnrolmentCode = Answer<"EnrolmentCode">;
export type ListsView = Omit<Answer<"ListsView">, "lists"> & { lists: WatchListView[] };
export type WatchListView = Answer<"WatchListView">;
export type ListDeedAnswer = Answer<"ListDeedAnswer">;
export type EntryView = Answer<"EntryView">;
export type EntryPage = Omit<Answer<"EntryPage">, "entries"> & { entries: EntryView[]; };
export type EntryDraft = Answer<"EntryDraft">;
export type PlateInspectionView = Answer<"PlateInspectionView">;
export type ImportPlan = Omit<Answer<"ImportPlan">, "report"> & { report: ImportRow[] };
export type ImportRow = Answer<"ImportRow">;
export type QuarantineView = Answer<"QuarantineView">;
export type QuarantineGroup = Answer<"QuarantineGroup">;
export type QuarantineItem = Answer<"QuarantineItem">;

/** `strength` of a hit: two strengths that must never look alike. */
export type Strength = "exact" | "lookalike";

export const VERDICTS = ["confirmed", "wrong_plate", "wrong_vehicle", "entry_outdated"] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Whether a person has judged the hit. */
export function isChecked(state: HitState): boolean {
  return state !== "new" && state !== "checking";
}
