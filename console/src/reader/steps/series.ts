/**
 * Whether a text is a number that Taiwan issues. Nothing is put right here: what was read is what is shown, and what fits
 * no series says so (docs/decisions/0010-reader-in-a-browser.md). The table comes from guardian/domain/series.py.
 */
import table from "./series.json";
import type { Sign } from "./ctc";

/** Below this a character is shown as doubtful (guardian/domain/read.py, DOUBTFUL_PROB). */
export const DOUBTFUL_PROB: number = table.doubtful_prob;

const SERIES = table.series.map((one) => ({ id: one.id, dashAfter: one.dash_after, fits: new RegExp(`^(?:${one.pattern})$`) }));

/** A text that fits no series is worth showing where each sign is as sure as this; else it is a shop sign more often than a plate. */
export const UNKNOWN_PROB_MIN: number = table.unknown_prob_min;

export interface Number {
  /** Normal form: no dash. */
  text: string;
  /** With the dash where the series prints it; without a series, where it was seen. */
  display: string;
  /** Empty where no series has such a number. */
  series: string;
  /** The weakest character decides. */
  confidence: number;
  /** Places of `text`, from 0. */
  doubtful: number[];
}

/** What neither finder nor reader is sure of is not told (guardian/vision/judge.py, `UNSURE_PROB_MIN`): a shop's sign is read like that. */
export function told(number: Number | null, plateProb: number): Number | null {
  return number && (plateProb >= table.plate_prob_sure || number.confidence >= table.unsure_prob_min) ? number : null;
}

/** The number that signs make; `null` where there is none worth showing. */
export function numberOf(signs: readonly Sign[]): Number | null {
  const kept = signs.filter((one) => one.sign !== "-");
  if (kept.length < 4 || kept.length > 9) return null;
  const text = kept.map((one) => one.sign).join("");
  const dash = signs.findIndex((one) => one.sign === "-");
  const seen = dash > 0 && dash < signs.length - 1 && signs.filter((one) => one.sign === "-").length === 1 ? dash : null;
  const fitting = SERIES.filter((one) => one.fits.test(text));
  const series = fitting.find((one) => one.dashAfter === seen) ?? fitting[0];
  const after = series ? series.dashAfter : seen;
  const confidence = Math.min(...kept.map((one) => one.prob));
  if (!series && confidence < UNKNOWN_PROB_MIN) return null;
  return {
    text,
    display: after === null ? text : `${text.slice(0, after)}-${text.slice(after)}`,
    series: series?.id ?? "",
    confidence,
    doubtful: kept.flatMap((one, i) => (one.prob < DOUBTFUL_PROB ? [i] : [])),
  };
}
