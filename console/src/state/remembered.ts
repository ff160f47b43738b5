/** What the person chose and the browser remembers. Storage may be refused; then the choice lasts for the page. */
export function recall(name: string): string | null {
  try {
    return localStorage.getItem(`guardian.${name}`);
  } catch {
    return null;
  }
}

export function remember(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`guardian.${name}`);
    else localStorage.setItem(`guardian.${name}`, value);
  } catch {
    /* the choice lasts for the page */
  }
}
