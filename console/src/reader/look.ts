/** One look: find, cut out, read. All that happens between a picture and its plates, whoever computes. */
import type { PlateSeen, Times } from "./protocol";
import type { Engine } from "./runtime";
import { decoded, CLASSES, STEPS, type Sign } from "./steps/ctc";
import { peaks, scaled, tensorOf } from "./steps/detect";
import type { Picture } from "./steps/picture";
import { numberOf } from "./steps/series";
import { CROP, sidesFor, STRIDE } from "./steps/sizes";
import { cropOf } from "./steps/straighten";

export async function look(engine: Engine, picture: Picture, sideMax: number): Promise<{ plates: PlateSeen[]; times: Times }> {
  const begun = performance.now();
  const { width, height } = sidesFor(picture.width, picture.height, sideMax);
  const tensor = tensorOf(picture, width, height);
  const prepared = performance.now();
  const map = await engine.detect(tensor, width, height);
  const [x, y] = [picture.width / width, picture.height / height];
  const found = peaks(map, width / STRIDE, height / STRIDE).map((one) => ({ ...one, quad: scaled(one.quad, x, y) }));
  const detected = performance.now();
  const cut = found.flatMap((one) => {
    const crop = cropOf(picture, one.quad);
    return crop ? [{ one, crop }] : [];
  });
  const bytes = new Uint8Array(cut.length * CROP.width * CROP.height);
  cut.forEach(({ crop }, i) => bytes.set(crop.values, i * CROP.width * CROP.height));
  const texts = await readTexts(engine, bytes);
  const plates = cut.map(({ one }, i): PlateSeen => ({ ...one, signs: texts[i]!, number: numberOf(texts[i]!) }));
  return { plates, times: { preparedMs: prepared - begun, detectedMs: detected - prepared, readMs: performance.now() - detected } };
}

export async function readTexts(engine: Engine, crops: Uint8Array): Promise<Sign[][]> {
  const n = crops.length / (CROP.width * CROP.height);
  if (n === 0) return [];
  const probs = await engine.read(crops, n);
  return Array.from({ length: n }, (_, i) => decoded(probs, i * STEPS * CLASSES, engine.late));
}
