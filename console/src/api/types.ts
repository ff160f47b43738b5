/** Names for the structs of the cloud's OpenAPI document (`schema.ts` is generated; do not edit it). */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type SessionView = Schemas["SessionView"];
export type AuditRow = Schemas["AuditRow"];
export type AuditPage = Schemas["AuditPage"];
export type ChainReport = Schemas["ChainReport"];
export type LiveSnapshot = Schemas["LiveSnapshot"];
export type LiveTick = Schemas["LiveTick"];
export type ReadRow = Schemas["ReadRow"];
export type ReadDetail = Schemas["ReadDetail"];
export type SearchRequest = Schemas["SearchRequest"];
export type SearchAnswer = Schemas["SearchAnswer"];
export type Area = Schemas["Area"];
export type HitCard = Schemas["HitCard"];
export type HitDetail = Schemas["HitDetail"];
export type HitPage = Schemas["HitPage"];
export type HitFact = Schemas["HitFact"];
export type HitState = Schemas["HitState"];
export type Outcome = Schemas["Outcome"];
export type Category = Schemas["Category"];
export type LookRow = Schemas["LookRow"];
export type UnitView = Schemas["UnitView"];
export type DeviceView = Schemas["DeviceView"];
export type DevicesView = Schemas["DevicesView"];
export type EnrolmentCode = Schemas["EnrolmentCode"];
export type ListsView = Schemas["ListsView"];
export type WatchListView = Schemas["WatchListView"];
export type EntryView = Schemas["EntryView"];
export type EntryPage = Schemas["EntryPage"];
export type EntryDraft = Schemas["EntryDraft"];
export type PlateInspectionView = Schemas["PlateInspectionView"];
export type ImportPlan = Schemas["ImportPlan"];
export type ImportRow = Schemas["ImportRow"];
export type QuarantineView = Schemas["QuarantineView"];
export type QuarantineGroup = Schemas["QuarantineGroup"];
export type QuarantineItem = Schemas["QuarantineItem"];

/** `strength` of a hit: two strengths that must never look alike. */
export type Strength = "exact" | "lookalike";

export const VERDICTS = ["confirmed", "wrong_plate", "wrong_vehicle", "entry_outdated"] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Whether a person has judged the hit. */
export function isChecked(state: HitState): boolean {
  return state !== "new" && state !== "checking";
}
