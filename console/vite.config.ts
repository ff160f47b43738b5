import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

// Where `npm run dev` sends what is not the console: the mock server, or a cloud that runs on this machine.
const behind = process.env.GUARDIAN_CLOUD ?? "http://127.0.0.1:8790";

// What the plate reader's worker is made of lies in a folder of its own: the cloud answers it with the rules that a
// program which compiles WebAssembly needs (guardian/serve/reader.py), and nothing else is answered with those.
const runtime = (name = ""): string => (name.startsWith("ort-wasm") ? "reader/[name]-[hash][extname]" : "assets/[name]-[hash][extname]");

/** Beside each .wasm its Brotli form, a fifth of the bytes: the cloud gives it to browsers that take it. */
const squeezed = (): Plugin => ({
  name: "squeezed-wasm",
  apply: "build",
  async writeBundle({ dir }) {
    const folder = path.join(dir ?? "dist", "reader");
    for (const name of await readdir(folder).catch(() => []))
      if (name.endsWith(".wasm")) await writeFile(path.join(folder, `${name}.br`), await promisify(brotliCompress)(await readFile(path.join(folder, name)), { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }));
  },
});

export default defineConfig({
  plugins: [svelte(), squeezed()],
  resolve: { conditions: ["onnxruntime-web-use-extern-wasm", ...(process.env.VITEST ? ["browser"] : ["module", "browser", "development|production"])] },
  // A strict policy (self only) allows no data: fonts or scripts, so nothing is inlined and no preload shim is injected.
  build: {
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    chunkSizeWarningLimit: 1300,
    rolldownOptions: {
      input: { index: "index.html", reader: "reader.html" },
      output: { assetFileNames: (asset) => runtime(asset.names[0]) },
    },
  },
  worker: {
    format: "es",
    rolldownOptions: {
      output: { entryFileNames: "reader/[name]-[hash].js", chunkFileNames: "reader/[name]-[hash].js", assetFileNames: (asset) => runtime(asset.names[0]) },
    },
  },
  server: { host: "127.0.0.1", proxy: { "/api": behind, "/basemap": behind, "/reader/weights": behind } },
  test: { environment: "jsdom", include: ["test/**/*.test.ts"] },
});
