/** Fictional pictures as SVG: a street from the patrol car, a vehicle from behind, a plate; and the plate alone. */
const rng = (seed) => {
  let s = (seed * 2654435761) >>> 0 || 1;
  return () => (s = (s * 1664525 + 1013904223) >>> 0) / 4294967296;
};
const PAINT = { white: "#cfd2d4", silver: "#9aa0a6", grey: "#5b6066", black: "#1c1f23", red: "#8e1f22", blue: "#274a78", green: "#3b5b4b", yellow: "#c99a1c", gold: "#a8946a", brown: "#5d4433" };
const n = (x) => x.toFixed(1);

function plateOn(text, x, y, w, h, ink = "#15181b", blur = 0) {
  const signs = [...text];
  const cell = (w * 0.9) / signs.length;
  const letters = signs
    .map((sign, i) => `<text x="${n(x + w * 0.05 + cell * (i + 0.5))}" y="${n(y + h * 0.78)}" font-size="${n(h * 0.78)}" textLength="${sign === "-" ? "" : n(cell * 0.82)}" lengthAdjust="spacingAndGlyphs">${sign}</text>`)
    .join("")
    .replaceAll(' textLength=""', "");
  return `<g font-family="DejaVu Sans Condensed,Liberation Sans Narrow,Arial Narrow,sans-serif" font-weight="700" text-anchor="middle" fill="${ink}"${blur ? ` filter="url(#soft)"` : ""}><rect x="${n(x)}" y="${n(y)}" width="${n(w)}" height="${n(h)}" rx="${n(h * 0.12)}" fill="#d6d8d5"/><rect x="${n(x + h * 0.06)}" y="${n(y + h * 0.06)}" width="${n(w - h * 0.12)}" height="${n(h * 0.88)}" rx="${n(h * 0.09)}" fill="none" stroke="#000" stroke-opacity=".5" stroke-width="${n(h * 0.03)}"/>${letters}</g>`;
}

export function overview({ seed, kind, colour, plate, light = "night", box = true }) {
  const r = rng(seed);
  const W = 640;
  const H = 360;
  const day = light === "day";
  const sky = day ? ["#a9bac7", "#dfe3e2"] : light === "dusk" ? ["#27303f", "#a86d4c"] : ["#0a0d15", "#1c2331"];
  const road = day ? ["#82858a", "#6b6e72"] : light === "dusk" ? ["#35353a", "#4c4b4d"] : ["#191b20", "#2f3034"];
  let out = `<rect width="${W}" height="${H}" fill="url(#sky)"/><rect y="144" width="${W}" height="216" fill="url(#road)"/>`;
  for (let side = 0; side < 2; side++) {
    const X = (x) => n(side ? W - x : x);
    out += `<path d="M${X(-10)} -20L${X(256)} 86L${X(256)} 150L${X(-10)} 268z" fill="${day ? "#9ca3a8" : "#10141c"}"/><path d="M${X(-10)} 272L${X(256)} 150L${X(282)} 150L${X(60)} 366L${X(-10)} 366z" fill="${day ? "#a3a5a6" : "#26282d"}"/>`;
    for (let k = 0; k < 6; k++) {
      const e = (t) => 1 - (1 - t) ** 1.9;
      const a = 256 * e(k / 6) - 10;
      const b = 256 * e((k + 0.78) / 6) - 10;
      const yb = (x) => 264 + ((148 - 264) * (x + 10)) / 266;
      const yt = (x) => 150 + ((128 - 150) * (x + 10)) / 266;
      const lit = r();
      out += `<path d="M${X(a)} ${n(yt(a))}L${X(b)} ${n(yt(b))}L${X(b)} ${n(yb(b))}L${X(a)} ${n(yb(a))}z" fill="${["#ffd9a0", "#fff1d8", "#d9ecff", "#ffc27a"][Math.floor(r() * 4)]}" opacity="${n(day ? 0.12 : lit > 0.3 ? 0.15 + 0.3 * lit : 0.05)}"/>`;
      if (r() > 0.4) out += `<rect x="${X(b)}" y="${n(yt(b) - 34 + k * 3)}" width="${n(9 - k)}" height="${n(40 - k * 4)}" fill="${["#c9403a", "#d8d6cc", "#2f9e6b", "#d6a93f", "#3e7fd6"][Math.floor(r() * 5)]}" opacity=".75"/>`;
    }
  }
  for (const o of [-1.5, -0.5, 0.5, 1.5])
    for (let k = 0; k < 5; k++) {
      const t0 = (k / 5) ** 2.2;
      const t1 = ((k + 0.5) / 5) ** 2.2;
      const x = (t) => 320 + o * W * (0.015 + t * 0.42);
      const y = (t) => 144 + 234 * t;
      out += `<path d="M${n(x(t0) - 0.6)} ${n(y(t0))}L${n(x(t0) + 0.6)} ${n(y(t0))}L${n(x(t1) + 1 + t1 * 5)} ${n(y(t1))}L${n(x(t1) - 1 - t1 * 5)} ${n(y(t1))}z" fill="#ebebe1" opacity="${day ? 0.5 : 0.22}"/>`;
    }
  for (let k = 0; k < (day ? 2 : 14); k++) out += `<circle cx="${n(W * (0.36 + r() * 0.28))}" cy="${n(144 * (0.84 + r() * 0.24))}" r="${n(2 + r() * 5)}" fill="${["#ffb060", "#ff6048", "#c8deff", "#ffd696"][Math.floor(r() * 4)]}" opacity="${n(0.25 + 0.35 * r())}"/>`;
  const P = PAINT[colour] ?? PAINT.silver;
  const cx = 300 + r() * 40;
  const by = 326;
  let bx;
  if (kind === "motorcycle") {
    const u = 118;
    out += `<ellipse cx="${n(cx)}" cy="${by}" rx="56" ry="7" fill="#000" opacity=".5"/><rect x="${n(cx - 9)}" y="${by - 76}" width="18" height="76" rx="8" fill="#0a0b0d"/><path d="M${n(cx - 68)} 172h136" stroke="#0e1013" stroke-width="6" stroke-linecap="round"/><path d="M${n(cx - 34)} 200q-8-46-6-76q4-22 40-24q36 2 40 24q2 30-6 76z" fill="#3a444e"/><ellipse cx="${n(cx)}" cy="86" rx="24" ry="26" fill="#6a7178"/><path d="M${n(cx - 29)} 202q29-11 58 0l-9 66q-20 11-40 0z" fill="${P}"/><rect x="${n(cx - 15)}" y="212" width="30" height="12" rx="4" fill="#e0362b"/>`;
    bx = [cx - u * 0.29, by - u * 0.74, u * 0.58, u * 0.25];
  } else {
    const w = 252;
    const tall = kind === "van" || kind === "truck" || kind === "bus" ? 1.35 : kind === "suv" ? 1.15 : 1;
    const belt = by - 94 * tall;
    const top = by - 160 * tall;
    out += `<ellipse cx="${n(cx)}" cy="${by}" rx="136" ry="13" fill="#000" opacity=".5"/><rect x="${n(cx - 113)}" y="${by - 40}" width="43" height="43" rx="8" fill="#08090b"/><rect x="${n(cx + 70)}" y="${by - 40}" width="43" height="43" rx="8" fill="#08090b"/><path d="M${n(cx - 124)} ${n(belt + 4)}q4-20 36-22l26-${n(72 * tall)}q8-12 26-14h72q18 2 26 14l26 ${n(72 * tall)}q32 2 36 22l2 ${n(by - belt - 30)}q0 16-20 16h-212q-20 0-20-16z" fill="url(#body)"/><path d="M${n(cx - 78)} ${n(belt - 20)}L${n(cx - 60)} ${n(top + 16)}h120L${n(cx + 78)} ${n(belt - 20)}z" fill="${day ? "#35414b" : "#10151b"}"/><rect x="${n(cx - 120)}" y="${n(belt + 6)}" width="44" height="18" rx="6" fill="#e0362b"/><rect x="${n(cx + 76)}" y="${n(belt + 6)}" width="44" height="18" rx="6" fill="#e0362b"/><rect x="${n(cx - 116)}" y="${by - 36}" width="232" height="18" rx="6" fill="#000" opacity=".35"/>`;
    if (!day) out += `<circle cx="${n(cx - 98)}" cy="${n(belt + 15)}" r="44" fill="url(#glow)"/><circle cx="${n(cx + 98)}" cy="${n(belt + 15)}" r="44" fill="url(#glow)"/>`;
    bx = [cx - w * 0.165, belt + 14, w * 0.33, w * 0.135];
  }
  out += plateOn(plate, ...bx);
  if (box) out += `<rect x="${n(bx[0] - 8)}" y="${n(bx[1] - 8)}" width="${n(bx[2] + 16)}" height="${n(bx[3] + 16)}" fill="none" stroke="#fff" stroke-width="2"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${W} ${H}" width="${W}" height="${H}"><defs><linearGradient id="sky" x2="0" y2="1"><stop stop-color="${sky[0]}"/><stop offset=".45" stop-color="${sky[1]}"/></linearGradient><linearGradient id="road" x2="0" y2="1"><stop stop-color="${road[0]}"/><stop offset="1" stop-color="${road[1]}"/></linearGradient><linearGradient id="body" x2="0" y2="1"><stop stop-color="${P}"/><stop offset="1" stop-color="#0b0c0e"/></linearGradient><radialGradient id="glow"><stop stop-color="#ff5a3c" stop-opacity=".4"/><stop offset="1" stop-color="#ff1e14" stop-opacity="0"/></radialGradient></defs>${out}</svg>`;
}

export function crop({ seed, plate, soft = 1 }) {
  const r = rng(seed);
  const g = Math.round(150 + r() * 60).toString(16);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 100" width="640" height="200"><defs><filter id="soft"><feGaussianBlur stdDeviation="${soft}"/></filter><linearGradient id="shade"><stop stop-color="#000" stop-opacity=".35"/><stop offset=".4" stop-color="#fff" stop-opacity=".06"/><stop offset="1" stop-color="#000" stop-opacity=".4"/></linearGradient></defs><rect width="320" height="100" fill="#${g}${g}${g}"/><rect width="320" height="100" fill="#16181c"/><g transform="rotate(${n(r() * 1.4 - 0.7)} 160 50)">${plateOn(plate, 8, 8, 304, 84, "#17191c", soft)}<rect x="8" y="8" width="304" height="84" rx="10" fill="url(#shade)"/></g></svg>`;
}
