/**
 * The usual band of a device's hours: a third up and down of what is usual for each hour. The fleet says what that is from
 * the device's own days (`usual_by_hour`); an hour of which it knows nothing yet takes a running median of five hours.
 */
export function bandOf(values: readonly number[], usual: readonly (number | null)[] = []): { low: number[]; high: number[]; known: boolean } {
  const middle = values.map((_, i) => {
    const near = values.slice(Math.max(0, i - 2), i + 3).toSorted((a, b) => a - b);
    return near[Math.floor(near.length / 2)] ?? 0;
  });
  // The newest hours must not explain themselves away: the last three take the band of the hour before them.
  const anchor = middle[Math.max(0, middle.length - 4)] ?? 0;
  const calm = middle.map((v, i) => usual[i] ?? (i >= middle.length - 3 && v < anchor * 0.5 ? anchor : v));
  return { low: calm.map((v) => v * 0.67), high: calm.map((v) => v * 1.33), known: usual.some((one) => one !== null) };
}

export function pathOf(values: readonly number[], x: (i: number) => number, y: (v: number) => number): string {
  return `M${values.map((v, i) => `${x(i).toFixed(1)} ${y(v).toFixed(1)}`).join("L")}`;
}
