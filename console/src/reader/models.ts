/** The two model files, fetched from our own server and checked against the list of their SHA-256 before anything uses them. */
import type { Refusal } from "./protocol";

/** No model of ours is larger; what is, is not ours. */
export const BYTES_MAX = 12 * 1024 * 1024;
const WAIT_MS = 120_000;

export class RefusedError extends Error {
  constructor(
    readonly reference: Refusal,
    detail: string,
  ) {
    super(detail);
  }
}

export interface Models {
  detector: Uint8Array;
  reader: Uint8Array;
  /** By how many steps the reader speaks behind what it sees. */
  late: number;
}
interface Listed {
  file: string;
  sha256: string;
  facts: Record<string, number>;
}

async function fetched(url: string): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(url, { credentials: "same-origin", signal: AbortSignal.timeout(WAIT_MS) });
  } catch (error) {
    throw new RefusedError("unreachable", String(error));
  }
  if (answer.ok) return answer;
  const name = url.split("/").pop() ?? "";
  if (answer.status === 401) throw new RefusedError("not-signed-in", name);
  if (answer.status === 403) throw new RefusedError("not-allowed", name);
  throw new RefusedError(answer.status === 404 ? "models-missing" : "unreachable", `${name} ${answer.status}`);
}

function listed(list: unknown, name: string): Listed {
  const one = (list as Record<string, Partial<Listed>> | null)?.[name];
  if (typeof one?.file !== "string" || !/^[a-z0-9._-]+\.onnx$/.test(one.file) || typeof one.sha256 !== "string" || !/^[0-9a-f]{64}$/.test(one.sha256)) throw new RefusedError("models-form", name);
  return { file: one.file, sha256: one.sha256, facts: one.facts ?? {} };
}

/** The bytes of an answer, never more than `BYTES_MAX`. */
async function bytesOf(answer: Response, name: string, got: (bytes: number) => void): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const stream = answer.body?.getReader();
  if (!stream) return new Uint8Array(await answer.arrayBuffer());
  try {
    for (;;) {
      const { done, value } = await stream.read();
      if (done) break;
      size += value.byteLength;
      if (size > BYTES_MAX) throw new RefusedError("models-changed", `${name} > ${BYTES_MAX}`);
      parts.push(value);
      got(value.byteLength);
    }
  } catch (error) {
    void stream.cancel().catch(() => undefined);
    throw error instanceof RefusedError ? error : new RefusedError("unreachable", String(error));
  }
  const out = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.byteLength;
  }
  return out;
}

export async function sha256Of(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return [...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))].map((one) => one.toString(16).padStart(2, "0")).join("");
}

/**
 * Both models, or `RefusedError`: nothing is used whose hash is not the one on the list.
 *
 * `base` is the folder's address, ending in a slash.
 */
export async function loadModels(base: string, progress: (got: number, of: number) => void): Promise<Models> {
  if (!globalThis.crypto?.subtle) throw new RefusedError("insecure", "crypto.subtle");
  let list: unknown;
  try {
    list = await (await fetched(`${base}weights.json`)).json();
  } catch (error) {
    throw error instanceof RefusedError ? error : new RefusedError("models-form", "weights.json");
  }
  const wanted = [listed(list, "detector"), listed(list, "reader")] as const;
  const answers = await Promise.all(wanted.map((one) => fetched(base + one.file)));
  const all = answers.reduce((sum, one) => sum + (Number(one.headers.get("content-length")) || 0), 0);
  let got = 0;
  const [detector, reader] = await Promise.all(
    wanted.map(async (one, i) => {
      const bytes = await bytesOf(answers[i]!, one.file, (more) => progress((got += more), Math.max(all, got)));
      if ((await sha256Of(bytes)) !== one.sha256) throw new RefusedError("models-changed", one.file);
      return bytes;
    }),
  );
  return { detector: detector!, reader: reader!, late: wanted[1].facts["late_steps"] ?? 0 };
}
