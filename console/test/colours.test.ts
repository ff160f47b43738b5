import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { TOKEN_NAMES } from "../src/map/style";

const css = readFileSync("src/tokens.css", "utf8");

test("the map's tokens are tokens of the stylesheet, as hex in both themes", () => {
  for (const name of TOKEN_NAMES) expect(css.match(new RegExp(`--${name}: #[0-9a-f]{6};`, "g")), name).toHaveLength(2);
});
test("every pair of text and ground keeps its floor, and the stylesheet is what the script says", () => {
  const python = ["../.venv/bin/python", "/usr/bin/python3"].find((path) => existsSync(path));
  expect(python).toBeDefined();
  expect(() => execFileSync(python!, ["../scripts/tokens.py", "--check"], { stdio: "pipe" })).not.toThrow();
});
