/** Figures as the house writes them: thousands with commas, metres under a kilometre, one decimal above. */
export function count(n: number): string {
  return Math.round(n).toLocaleString("en-US");
}

export function prob(p: number): string {
  return Math.min(0.99, Math.max(0, p)).toFixed(2);
}

/** `.58`: for a place that has two figures in one column. */
export function shortProb(p: number): string {
  return p.toFixed(2).replace(/^0/, "");
}

export function distance(m: number): { value: string; unit: "m" | "km" } {
  return m < 1000 ? { value: String(Math.round(m)), unit: "m" } : { value: (m / 1000).toFixed(1), unit: "km" };
}

export function seconds(ms: number): string {
  return (ms / 1000).toFixed(ms < 100 ? 2 : 1);
}

export function signedSeconds(ms: number): string {
  if (Math.abs(ms) < 50) return "0.0";
  return `${ms < 0 ? "−" : "+"}${(Math.abs(ms) / 1000).toFixed(1)}`;
}

/** A heading in degrees as one of eight winds, 0 = north, clockwise. */
export function wind(deg: number): number {
  return Math.round((((deg % 360) + 360) % 360) / 45) % 8;
}
