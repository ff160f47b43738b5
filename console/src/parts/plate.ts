/** A plate as signs with their place in the normal form; the dash has none. */
export type Sign = { sign: string; place: number | null };

export function signsOf(display: string): Sign[] {
  let place = 0;
  return [...display].map((sign) => (sign === "-" ? { sign, place: null } : { sign, place: place++ }));
}

/** `["M", "X", "B", "8", "0", "8", "3"]` → 「M X B 8 0 8 3」 */
export function spelled(display: string): string {
  return signsOf(display)
    .filter((one) => one.place !== null)
    .map((one) => one.sign)
    .join(" ");
}
