/** One look: find, look again, cut out, read. All that happens between a picture and its plates, whoever computes. */
import type { PlateSeen, Times } from "./protocol";
import type { Engine } from "./runtime";
import { Scene } from "./scene";
import { Settled } from "./settled";
import { lookedAgain } from "./steps/again";
import { decoded, CLASSES, STEPS, type Sign } from "./steps/ctc";
import { apart, peaks, tensorOf, viewAt, viewHalf, viewOf, type Found, type Shown, type View } from "./steps/detect";
import { withGround, type Picture } from "./steps/picture";
import { heightOf, moved, plausible, widthOf } from "./steps/quad";
import { numberOf, told } from "./steps/series";
import { CROP, groundOf, longestOf, MANNERS, READ_MAX, sidesFor, STRIDE, tenth, type Kind, type Manner } from "./steps/sizes";
import { cropOf } from "./steps/straighten";

export interface Look {
  plates: PlateSeen[];
  times: Times;
  /** The picture has not changed since the look before: these are its plates, nothing was looked at. */
  standing: boolean;
}

/** Looks at one camera or film, or at one photo: a moving picture is remembered from look to look. */
export class Looker {
  private readonly scene = new Scene();
  private readonly settled = new Settled();
  private last: PlateSeen[] | null = null;

  constructor(
    private readonly engine: Engine,
    private readonly kind: Kind,
    private readonly clock: () => number = () => performance.now(),
  ) {}

  async look(picture: Picture): Promise<Look> {
    const moving = this.kind === "moving";
    const begun = this.clock();
    if (moving && this.scene.stands(picture, begun) && this.last) return { plates: this.last, standing: true, times: { findMs: this.clock() - begun, againMs: 0, readMs: 0 } };
    const ground = moving ? 0 : groundOf(picture);
    const shown = ground ? withGround(picture, ground) : picture;
    const found = await findIn(this.engine, shown, MANNERS[this.kind]);
    const foundAt = this.clock();
    const kept: PlateSeen[] = [];
    const open: Found[] = [];
    for (const one of found) {
      const known = moving ? this.settled.at(one.quad, begun) : null;
      if (known) kept.push({ ...known, ...rounded(one), kept: true });
      else open.push(one);
    }
    const again = (await confirmedIn(this.engine, shown, open, MANNERS[this.kind])).map((one) => ({ ...one, quad: moved(one.quad, (x, y) => [x - ground, y - ground]) }));
    const againAt = this.clock();
    const plates = [...kept, ...(await readIn(this.engine, picture, again.slice(0, READ_MAX)))];
    if (moving) {
      this.settled.take(plates, begun);
      this.scene.done(begun, this.clock());
      this.last = plates;
    }
    return { plates, standing: false, times: { findMs: foundAt - begun, againMs: againAt - foundAt, readMs: this.clock() - againAt } };
  }
}

const rounded = ({ quad, prob }: Found): Found => ({ quad: moved(quad, (x, y) => [tenth(x), tenth(y)]), prob: Math.min(1, prob) });

/** Places of a whole picture, likeliest first, each once (guardian/vision/finder.py, `detect` before its windows). */
async function findIn(engine: Engine, picture: Picture, manner: Manner): Promise<Found[]> {
  const longest = longestOf(picture.width, picture.height, manner);
  const found: Shown[] = [];
  const lookIn = async ({ bytes, across, down }: View, side: number): Promise<void> => {
    const map = await engine.find(tensorOf(bytes), bytes.width, bytes.height);
    const scale = side / whole;
    for (const { quad, prob } of peaks(map, bytes.width / STRIDE, bytes.height / STRIDE, manner.probMin)) {
      const placed = moved(quad, (u, v) => [u * across, v * down]);
      found.push({ quad: placed, prob, shown: widthOf(placed) * scale });
    }
  };
  const whole = Math.max(picture.width, picture.height);
  const first = viewOf(picture);
  for (let half = 0, view = first; half <= manner.halves; half++) {
    const side = longest / 2 ** half;
    view = (half ? viewHalf : viewAt)(view, sidesFor(picture.width, picture.height, side));
    await lookIn(view, side);
  }
  const shown = manner.sideMax / whole;
  if (manner.farPx && shown < 1 && !(found.length > 0 && found.every(({ quad }) => heightOf(quad) * shown >= manner.farPx))) {
    const far = Math.min(whole, 2 * manner.sideMax);
    await lookIn(viewAt(first, sidesFor(picture.width, picture.height, far)), far);
  }
  return apart(found);
}

/** What windows confirm, with the corners that they show; without what cannot be a plate by its shape. */
async function confirmedIn(engine: Engine, picture: Picture, found: readonly Found[], manner: Manner): Promise<Found[]> {
  const again = await lookedAgain(picture, found, (tensor, n) => engine.findInWindows(tensor, n));
  return again.filter(({ prob }) => prob >= manner.probMin).map(rounded).filter(({ quad }) => plausible(quad));
}

async function readIn(engine: Engine, picture: Picture, found: readonly Found[]): Promise<PlateSeen[]> {
  const cut = found.flatMap((one) => {
    const crop = cropOf(picture, one.quad);
    return crop ? [{ one, crop }] : [];
  });
  const bytes = new Uint8Array(cut.length * CROP.width * CROP.height);
  cut.forEach(({ crop }, i) => bytes.set(crop.values, i * CROP.width * CROP.height));
  const texts = await readTexts(engine, bytes);
  return cut.map(({ one }, i) => ({ ...one, signs: texts[i]!, number: told(numberOf(texts[i]!), one.prob), kept: false }));
}

export async function readTexts(engine: Engine, crops: Uint8Array): Promise<Sign[][]> {
  const n = crops.length / (CROP.width * CROP.height);
  if (n === 0) return [];
  const probs = await engine.read(crops, n);
  return Array.from({ length: n }, (_, i) => decoded(probs, i * STEPS * CLASSES, engine.late));
}
