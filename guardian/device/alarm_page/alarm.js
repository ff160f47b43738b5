// The car's card: draws what the device says, sounds it where the device itself cannot, sends the two presses back.
'use strict';
(() => {
  const $ = (id) => document.getElementById(id);
  const forced = new URLSearchParams(location.search).get('theme');
  const DEAD_MS = 10000;   // the device speaks every 2 s; silent for longer means that it is not there
  const PRESS_MS = 80;     // rain on the panel presses ghosts
  let view = null, heardAt = 0, sounded = 0, downAt = 0, titleOn = false;

  // ---- words ----
  const age = (ms) => ms < 60000 ? `${Math.max(0, Math.floor(ms / 1000))} 秒前` : ms < 3600000 ? `${Math.floor(ms / 60000)} 分前`
    : ms < 86400000 ? `${Math.floor(ms / 3600000)} 小時前` : `${Math.floor(ms / 86400000)} 天前`;
  const hms = (ms) => new Date(ms).toLocaleTimeString('en-GB', { timeZone: 'Asia/Taipei' });
  const count = (n) => n.toLocaleString('en-US');
  const el = (tag, text, className) => { const e = document.createElement(tag); if (text !== undefined) e.textContent = text; if (className) e.className = className; return e; };
  const icon = (id) => { const ns = 'http://www.w3.org/2000/svg'; const s = document.createElementNS(ns, 'svg'); const u = document.createElementNS(ns, 'use'); u.setAttribute('href', '#' + id); s.append(u); s.setAttribute('aria-hidden', 'true'); return s; };

  // ---- the card ----
  function drawCard(card, now) {
    const car = $('car');
    car.className = `car ${card.sure ? 'exact' : 'near'} p${card.priority}${card.opinion ? ' opined' : ''}`;
    $('shape').setAttribute('href', `#p-${card.priority}`);
    $('strength').setAttribute('href', card.sure ? '#s-exact' : '#s-near');
    $('headline').textContent = card.sure ? `${card.priority_word} ${card.category_word}` : '再看一眼';
    $('kind').textContent = card.sure ? '完全相符' : `近似 · ${card.category_word}`;

    const plate = $('plate');
    plate.replaceChildren();
    plate.classList.toggle('long', card.signs.length > 8);
    const said = [];
    for (const sign of card.signs) {
      const span = el('span', sign.sign);
      if (sign.differs) span.classList.add('differs');
      else if (sign.doubtful) span.classList.add('doubt');
      plate.append(span);
      if (sign.place !== undefined && sign.place !== null) said.push(sign.sign);
    }
    const doubts = card.signs.filter((s) => s.doubtful).map((s) => `第 ${s.place + 1} 字不確定`);
    plate.setAttribute('role', 'img');
    plate.setAttribute('aria-label', said.join(' ') + (doubts.length ? '，' + doubts.join('，') : ''));

    const row = $('entry-row');
    row.replaceChildren();
    if (!card.sure) {
      row.append(el('em', '名單'));
      const aligned = card.signs.some((s) => s.entry_sign);
      if (aligned) for (const s of card.signs) row.append(s.sign === '-' && s.place === undefined ? el('span', '-') : el(s.differs ? 'b' : 'span', s.entry_sign));
      else for (const s of card.entry_display) row.append(el('span', s));
    }
    $('listed').textContent = card.entry_display;

    $('warning').replaceChildren();
    const warn = [card.warning, card.contradiction].filter(Boolean).join(' · ');
    if (warn) $('warning').append(icon('i-warn'), el('span', warn));
    $('look').textContent = card.look || '車型未知';
    $('look').classList.toggle('long', (card.look || '').length > 8);
    $('where').replaceChildren();
    const where = [card.side, card.heading].filter(Boolean).join(' · ');
    if (where) { const a = icon('i-arrow'); a.style.transform = `rotate(${card.arrow_deg}deg)`; $('where').append(a, el('span', where)); }
    $('why').textContent = [why(card), card.reason, card.case_number].filter(Boolean).join(' · ');

    drawSecond(card.opinion);

    const src = (sha) => sha ? `picture/${sha}` : '';
    const crop = $('crop');
    if (crop.dataset.sha !== card.crop_sha256) { crop.dataset.sha = card.crop_sha256 || ''; crop.src = src(card.crop_sha256); crop.parentElement.hidden = !card.crop_sha256; }
    drawScene(card);

    $('yes').textContent = card.yes; $('no').textContent = card.no;
    $('foot-unit').textContent = [card.unit, card.clock_set ? hms(card.captured_ms) : '時鐘未校正'].filter(Boolean).join(' · ');
    const listAge = now - card.list_issued_ms;
    const foot = $('foot-list');
    foot.textContent = `名單第 ${card.list_version} 版${card.clock_set ? ' · ' + age(listAge) : ''}`;
    foot.classList.toggle('old', listAge > 3600000);
    $('waiting').textContent = view.waiting ? `還有 ${view.waiting} 筆` : '';
  }

  // A second reader's line: redrawn only when its words change, so that it is read out once.
  function drawSecond(opinion) {
    const line = $('second'), words = opinion ? opinion.words : '';
    if (line.dataset.words === words) return;
    line.dataset.words = words;
    line.className = `second ${opinion ? opinion.mark : ''}`;
    line.replaceChildren(...(opinion ? [icon(`o-${opinion.mark}`), el('span', words)] : []));
  }

  function why(card) {
    if (card.sure) return '';
    const differs = card.signs.filter((s) => s.differs && s.entry_sign).map((s) => `第 ${s.place + 1} 字讀作 ${s.sign}，名單是 ${s.entry_sign}`);
    if (differs.length) return differs.slice(0, 2).join('；');
    const doubts = card.signs.filter((s) => s.doubtful).map((s) => `第 ${s.place + 1} 字不確定${s.alternatives && s.alternatives.length ? `，也可能是 ${s.alternatives[0]}` : ''}`);
    return doubts.slice(0, 2).join('；');
  }

  // The vehicle, cut from the overview around its plate, with a white box round the plate.
  const scene = new Image();
  let sceneSha = null;
  function drawScene(card) {
    const canvas = $('scene');
    canvas.hidden = !card.overview_sha256;
    if (!card.overview_sha256) return;
    const paint = () => {
      const r = canvas.getBoundingClientRect(), dpr = window.devicePixelRatio || 1;
      canvas.width = Math.max(1, Math.round(r.width * dpr)); canvas.height = Math.max(1, Math.round(r.height * dpr));
      const c = canvas.getContext('2d'), W = scene.naturalWidth, H = scene.naturalHeight;
      if (!W || !r.height) return;
      const [bx, by, bw, bh] = card.box ? [card.box[0] * W, card.box[1] * H, card.box[2] * W, card.box[3] * H] : [W / 2, H / 2, 0, 0];
      const shape = canvas.width / canvas.height;
      let w = Math.min(W, Math.max(bw * 5, W * .28)), h = w / shape;
      if (h > H) { h = H; w = h * shape; }
      if (w > W) { w = W; h = w / shape; }
      const x = Math.min(Math.max(0, bx + bw / 2 - w / 2), W - w), y = Math.min(Math.max(0, by + bh / 2 - h * .62), H - h);
      c.drawImage(scene, x, y, w, h, 0, 0, canvas.width, canvas.height);
      if (card.box) {
        const k = canvas.width / w, pad = 4 * dpr;
        c.strokeStyle = '#fff'; c.lineWidth = 2 * dpr;
        c.strokeRect((bx - x) * k - pad, (by - y) * k - pad, bw * k + 2 * pad, bh * k + 2 * pad);
      }
    };
    if (sceneSha !== card.overview_sha256) { sceneSha = card.overview_sha256; scene.onload = paint; scene.src = `picture/${sceneSha}`; }
    else if (scene.complete) paint();
  }

  // ---- between two cards ----
  const UPLINK = { online: '連線', offline: '離線，紀錄留存', revoked: '已被廢止，紀錄留存', off: '未註冊，單機使用' };
  function drawIdle(v) {
    const s = v.status, now = s.at_ms;
    $('unit').textContent = s.unit || s.name || '本機';
    $('clock').textContent = s.clock_set === false ? '時鐘未校正' : hms(now);
    const picture = s.picture_ms === undefined || s.picture_ms === null ? null : now - s.picture_ms;
    $('state').textContent = picture === null ? '等待畫面' : picture > 10000 ? '沒有畫面' : s.list_version ? '看車中' : '只記錄';
    $('state-more').textContent = `${count(s.reads || 0)} 筆紀錄 · ${count(s.alarms || 0)} 次告警`;
    $('banners').replaceChildren(...v.banners.map((b) => el('li', b.sentence)));
    const facts = [
      ['名單', s.list_version ? `第 ${s.list_version} 版 · ${age(now - s.list_issued_ms)} · ${count(s.list_entries || 0)} 筆` : '沒有名單', s.list_version && now - s.list_issued_ms > 3600000],
      ['畫面', picture === null ? '尚無' : `${age(picture)}${s.frames_per_s ? ` · ${s.frames_per_s} 張/秒` : ''}`, picture === null || picture > 10000],
      ['雲端', UPLINK[s.uplink || 'off'] + (s.spool_reads || s.spool_photos ? ` · 待傳 ${count(s.spool_reads || 0)} 筆、${count(s.spool_photos || 0)} 張照片` : s.uplink === 'online' ? ' · 全部已傳' : ''), s.uplink !== 'online' && s.uplink !== undefined && s.uplink !== 'off'],
      ['位置', s.position ? `${age(now - s.position.fixed_ms)}${s.position.accuracy_m ? ` · ±${count(Math.round(s.position.accuracy_m))} 公尺` : ''}` : '未定位', !s.position || now - s.position.fixed_ms > 60000],
      ['聲音', s.sound ? (armed() ? '由本頁發聲' : '未開啟') : '由設備發聲', s.sound && !armed()],
    ];
    $('facts').replaceChildren(...facts.map(([k, t, old]) => { const d = el('div', undefined, old ? 'old' : ''); d.append(el('dt', k), el('dd', t)); return d; }));
    $('rows').replaceChildren(...v.rows.slice(0, 8).map((r) => {
      const li = el('li');
      const answer = r.answer === 'received' ? r.yes : r.answer === 'not_this' ? r.no : '未回應';
      const plate = el('b', `${r.sure ? '＝' : '≈'} ${r.entry_display}`);
      li.append(el('span', hms(r.captured_ms)), plate, el('span', `${r.priority_word} ${r.category_word}`, 'cat'), el('span', answer));
      return li;
    }));
  }

  // ---- sound: only where the device itself is silent ----
  let audio = null;
  const armed = () => audio !== null && audio.state === 'running';
  const voices = () => (window.speechSynthesis ? speechSynthesis.getVoices() : []);
  const voice = () => { const all = voices(); return all.find((x) => /zh[-_]TW/i.test(x.lang)) || all.find((x) => /^(zh|cmn)/i.test(x.lang)) || null; };
  const NOTES = { urgent: [784, 988, 1319], high: [784, 988], near: [262] };
  function tone(kind) {
    if (!armed() || !NOTES[kind]) return 0;
    const soft = kind === 'near', each = soft ? .4 : .16;
    NOTES[kind].forEach((hz, i) => {
      const at = audio.currentTime + i * (each + .04), o = audio.createOscillator(), g = audio.createGain();
      o.frequency.value = hz; o.type = soft ? 'sine' : 'triangle';
      g.gain.setValueAtTime(0, at); g.gain.linearRampToValueAtTime(soft ? .25 : .7, at + .02); g.gain.setValueAtTime(soft ? .25 : .7, at + each - .06); g.gain.linearRampToValueAtTime(0, at + each);
      o.connect(g).connect(audio.destination); o.start(at); o.stop(at + each);
    });
    return NOTES[kind].length * (each + .04) * 1000;
  }
  function speak(text, after) {
    const v = voice();
    if (!v) return;
    setTimeout(() => { speechSynthesis.cancel(); const u = new SpeechSynthesisUtterance(text); u.lang = 'zh-TW'; u.voice = v; u.rate = .85; speechSynthesis.speak(u); }, after);
  }
  function sound(v) {
    if (!v.sound) { return; }
    if (v.sound.number <= sounded) return;
    sounded = v.sound.number;
    if (!v.status.sound) return;
    speak(v.sound.sentence, tone(v.sound.tone) + 150);
  }
  function drawArm(v) {
    const needed = Boolean(v && v.status.sound) && !armed();
    $('arm').hidden = !needed;
    document.body.classList.toggle('unarmed', needed);
    $('arm-say').textContent = '這個畫面目前不會出聲';
    $('arm-why').textContent = voice() || !voices().length ? '瀏覽器要先按一下才准播放' : '按一下開啟提示音；這個瀏覽器沒有中文語音';
  }
  $('arm-press').addEventListener('click', async () => {
    try {
      audio = audio || new AudioContext();
      await audio.resume();
      audio.onstatechange = () => drawArm(view);
      speak('聲音正常', tone('high') + 150);
    } catch { $('arm-why').textContent = '這個瀏覽器不能播放聲音'; }
    drawArm(view); if (view) drawIdle(view);
  });
  // Where the browser allows sound without a press (a kiosk's setting), nobody needs to press.
  try { audio = new AudioContext(); audio.onstatechange = () => drawArm(view); } catch { audio = null; }

  // ---- presses: on release, inside, after 80 ms ----
  document.addEventListener('pointerdown', (e) => { downAt = e.timeStamp; });
  async function press(answer) {
    if (!view || !view.card) return;
    await fetch('answer', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ card: view.card.id, answer }) });
  }
  const pressed = (answer) => (e) => { if (e.detail === 0 || e.timeStamp - downAt >= PRESS_MS) press(answer); };
  $('yes').addEventListener('click', pressed('received'));
  $('no').addEventListener('click', pressed('not_this'));
  document.addEventListener('keydown', (e) => {
    if (e.isComposing || e.keyCode === 229 || e.repeat || !view || !view.card) return;
    if (e.code === 'Enter' && document.activeElement.tagName !== 'BUTTON') press('received');
    if (e.code === 'KeyN') press('not_this');
  });

  // ---- the stream ----
  function draw(v) {
    view = v;
    document.documentElement.dataset.theme = forced || (v.night ? 'dark' : 'light');
    const shown = Boolean(v.card);
    const appeared = shown && $('car').hidden;
    $('car').hidden = !shown; $('idle').hidden = shown; document.body.classList.toggle('carded', shown);
    drawArm(v);
    if (shown) { drawCard(v.card, v.status.at_ms); if (appeared) document.activeElement.blur(); } else drawIdle(v);
    sound(v);
  }
  const stream = new EventSource('events');
  stream.onmessage = (e) => { heardAt = performance.now(); draw(JSON.parse(e.data)); alive(); };
  function alive() {
    const dead = heardAt > 0 && performance.now() - heardAt > DEAD_MS;
    $('dead').hidden = !dead; document.body.classList.toggle('dead', dead);
    if (dead && view) $('dead-since').textContent = `${hms(view.status.at_ms)} 起沒有消息；畫面上的都是舊的`;
  }
  setInterval(() => {
    alive();
    // The title says it too, for a window that lies behind another one.
    titleOn = !titleOn;
    document.title = view && view.card ? (titleOn ? `${'◆▲●'[view.card.priority - 1]} ${view.card.sure ? view.card.priority_word : '再看一眼'}` : view.card.category_word) : '警政安全守護雲 · 車內告警';
  }, 1000);
  window.addEventListener('resize', () => { if (view && view.card) drawScene(view.card); });
})();
