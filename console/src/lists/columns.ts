/** Matching the columns of somebody's file to our fields: what was found, and what the person points at instead. */
import type { ImportPlan } from "../api/types";

/** Our fields, the two that a file must have first. */
export const FIELDS = ["plate", "category", "case_number", "reason", "priority", "expires", "source", "silent", "colour", "kind", "make", "warning", "remark"] as const;
export type Field = (typeof FIELDS)[number];
export const NEEDED: readonly Field[] = ["plate", "category"];

/** `#3`: the third column; `=失竊`: the same for every row; empty: none. */
export type Choice = Partial<Record<Field, string>>;

/** What a plan stands on, as choices. */
export function choiceOf(plan: ImportPlan): Choice {
  const out: Choice = {};
  for (const field of FIELDS) {
    const name = plan.columns[field];
    const fixed = plan.fixed[field];
    out[field] = fixed ? `=${fixed}` : name === undefined ? "" : `#${plan.header.indexOf(name) + 1}`;
  }
  return out;
}

/** Whether the file can be planned with this: each needed field has a column, or a text for every row. */
export function isEnough(choice: Choice): boolean {
  return NEEDED.every((field) => (choice[field] ?? "") !== "");
}

/** One column holds one field: giving it to another field takes it from the first. */
export function choose(choice: Choice, field: Field, to: string): Choice {
  const out: Choice = { ...choice, [field]: to };
  if (to.startsWith("#")) for (const other of FIELDS) if (other !== field && out[other] === to) out[other] = "";
  return out;
}
