import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

// Where `npm run dev` sends what is not the console: the mock server, or a cloud that runs on this machine.
const behind = process.env.GUARDIAN_CLOUD ?? "http://127.0.0.1:8790";

export default defineConfig({
  plugins: [svelte()],
  // A strict policy (self only) allows no data: fonts or scripts, so nothing is inlined and no preload shim is injected.
  build: { assetsInlineLimit: 0, modulePreload: { polyfill: false }, target: "es2022", chunkSizeWarningLimit: 1300 },
  server: { host: "127.0.0.1", proxy: { "/api": behind, "/basemap": behind } },
  ...(process.env.VITEST ? { resolve: { conditions: ["browser"] } } : {}),
  test: { environment: "jsdom", include: ["test/**/*.test.ts"] },
});
