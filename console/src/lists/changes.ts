/** Unsaved changes of the editor: what is put (new or changed) and what is taken off, over the entries as they stand. */
import type { EntryDraft, EntryView } from "../api/types";
import { dayWords } from "../words/time";

export type Changes = { put: EntryDraft[]; remove: string[] };
export const NONE: Changes = { put: [], remove: [] };

export function blankDraft(category: string): EntryDraft {
  return { plate: "", category, id: "", reason: "", case_number: "", priority: null, expires: "", source: "", silent: false, colour: "", kind: "", make: "", warning: "", remark: "" };
}

export function draftOf(view: EntryView): EntryDraft {
  const { entry } = view;
  return {
    plate: view.display,
    category: entry.category,
    id: entry.id,
    reason: entry.reason ?? "",
    case_number: entry.case_number ?? "",
    priority: entry.priority ?? 2,
    expires: entry.expires_ms ? dayWords(entry.expires_ms) : "",
    source: entry.source ?? "",
    silent: entry.silent ?? false,
    colour: entry.colour ?? "",
    kind: entry.kind ?? "",
    make: entry.make ?? "",
    warning: entry.warning ?? "",
    remark: entry.remark ?? "",
  };
}

export function withDraft(changes: Changes, draft: EntryDraft): Changes {
  const same = (one: EntryDraft): boolean => (draft.id ? one.id === draft.id : one.id === "" && plain(one.plate) === plain(draft.plate));
  return { put: [...changes.put.filter((one) => !same(one)), draft], remove: changes.remove.filter((id) => id !== draft.id) };
}

export function withoutEntry(changes: Changes, id: string): Changes {
  return { put: changes.put.filter((one) => one.id !== id), remove: changes.remove.includes(id) ? changes.remove : [...changes.remove, id] };
}

export function keepEntry(changes: Changes, id: string): Changes {
  return { put: changes.put.filter((one) => one.id !== id), remove: changes.remove.filter((one) => one !== id) };
}

export function isEmpty(changes: Changes): boolean {
  return changes.put.length === 0 && changes.remove.length === 0;
}

export function plain(plate: string): string {
  return plate.normalize("NFKC").toUpperCase().replace(/[^A-Z0-9]/g, "");
}

/** Where in the raw cell the fault is likely to stand: signs no plate has, full width, or what a series never holds. */
export function faultyParts(raw: string): { text: string; bad: boolean }[] {
  const newStyle = /^[A-Z]{3}-?[0-9A-Z]{4}$/i.test(raw);
  const out: { text: string; bad: boolean }[] = [];
  [...raw].forEach((sign, i) => {
    const letterPlace = newStyle && i < 3;
    const bad = raw.trim() === "" || /[０-９Ａ-Ｚａ-ｚ]/u.test(sign) || !/[A-Z0-9\- ]/i.test(sign) || (letterPlace && /[IO]/i.test(sign)) || (newStyle && !letterPlace && /[4A-Z]/i.test(sign));
    const last = out.at(-1);
    if (last && last.bad === bad) last.text += sign;
    else out.push({ text: sign, bad });
  });
  return out;
}
