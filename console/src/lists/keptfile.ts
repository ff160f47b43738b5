/** The file of an import, for planning it anew with another encoding or other columns. Lives as long as the page. */
let kept: { import_id: string; file: File } | null = null;

/** Whether the person has the reading of the file open; it stays so from plan to plan. */
export const reading = { open: false };

export function keepFile(import_id: string, file: File): void {
  kept = { import_id, file };
}

export function fileOf(import_id: string): File | null {
  return kept?.import_id === import_id ? kept.file : null;
}
