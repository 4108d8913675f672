// The table of members. Only the rows that are seen exist, so that thousands cost as little as ten.
import { $, clock, css, make, percent, plural, put, rate, bytes, span, visible } from "./format.js";

const height = 34; // of a row, as in page.css
const columns = [
  { id: "label", name: "Member", value: (m) => m.who.label.toLowerCase() || m.who.addr },
  { id: "state", name: "State", value: (m) => order[m.now.state] ?? 9 },
  { id: "have", name: "Progress", value: (m) => m.now.parts ? m.now.have / m.now.parts : 0, down: true },
  { id: "down", name: "Gets", value: (m) => m.now.down, n: true, down: true },
  { id: "up", name: "Sends", value: (m) => m.now.up, n: true, down: true },
  { id: "left", name: "Left", value: (m) => m.now.left < 0 ? Infinity : m.now.left, n: true, down: true, wide: true },
  { id: "addr", name: "Address", value: (m) => m.who.addr, wide: true },
  { id: "version", name: "Version", value: (m) => m.who.version, wide: true },
  { id: "seen", name: "Seen", value: (m) => m.now.seen, n: true, down: true, wide: true },
  { id: "errors", name: "Bad", value: (m) => m.now.errors, n: true, down: true, wide: true },
];
const order = { stalled: 0, downloading: 1, complete: 2, gone: 3 };
const states = ["all", "complete", "downloading", "stalled", "gone"];

let members = new Map(), list = [], sort = { by: "state", up: true }, find = "", only = "all", more = 0, now = 0;
let body, pool = [], above, below;

export function set(all, further, at) {
  members = all;
  more = further;
  now = at;
  arrange();
}

export const nameOf = (m) => visible(m?.who.label || m?.who.addr || (m ? "member " + m.id : "somebody"));

// arrange filters and sorts.
function arrange() {
  list = [];
  const words = find.toLowerCase().split(/\s+/).filter(Boolean);
  for (const m of members.values()) {
    if (only !== "all" && m.now.state !== only) continue;
    const text = (m.who.label + " " + m.who.addr + " " + m.who.version + " " + m.now.state + " " + m.now.why).toLowerCase();
    if (words.every((w) => text.includes(w))) list.push(m);
  }
  const value = columns.find((c) => c.id === sort.by).value, sign = sort.up ? 1 : -1;
  for (const m of list) m.key = value(m);
  list.sort((a, b) => (a.key < b.key ? -sign : a.key > b.key ? sign : 0) ||
    (a.who.label < b.who.label ? -1 : a.who.label > b.who.label ? 1 : a.id - b.id));
  put($("count"), list.length === members.size && !more ? plural(list.length, "member", "members") :
    list.length + " of " + (members.size + more).toLocaleString("en") + (more ? ", " + more + " are not listed" : ""));
  body.parentElement.setAttribute("aria-rowcount", list.length + 1);
  show();
}

// show draws the rows that are in sight.
function show() {
  const box = $("rows"), first = Math.max(0, Math.floor(box.scrollTop / height) - 6);
  const n = Math.min(list.length - first, Math.ceil(box.clientHeight / height) + 14);
  const from = Math.max(0, Math.min(first, list.length - n));
  while (pool.length < n) pool.push(newRow());
  pool.forEach((r, i) => {
    r.tr.hidden = i >= n;
    if (i < n) fill(r, list[from + i], from + i);
  });
  above.style.height = from * height + "px";
  below.style.height = Math.max(0, list.length - from - n) * height + "px";
}

function newRow() {
  const r = { tr: make("tr"), cells: {} };
  for (const c of columns) {
    const td = make("td", c.id + (c.n ? " n" : "") + (c.wide ? " wide" : ""));
    r.cells[c.id] = td;
    r.tr.append(td);
  }
  r.name = make("b");
  r.tag = make("span", "tag");
  r.cells.label.append(r.name, r.tag);
  r.strip = make("canvas");
  r.strip.width = 288;
  r.strip.height = 20;
  r.strip.setAttribute("role", "img");
  r.cells.have.append(r.strip);
  below.parentElement.before(r.tr);
  return r;
}

function fill(r, m, index) {
  const { who, now: s } = m, c = r.cells;
  r.tr.setAttribute("aria-rowindex", index + 2);
  put(r.name, nameOf(m));
  const tag = who.self ? "this one" : who.web ? "web server" : who.client ? "BitTorrent" : who.origin ? "first sharer" : "";
  r.tag.hidden = !tag;
  put(r.tag, tag);
  c.label.title = nameOf(m);
  put(c.state, s.state);
  c.state.className = "state s-" + s.state;
  c.state.title = s.why ? visible(s.why) : "";
  put(c.down, rate(s.down));
  put(c.up, rate(s.up));
  c.down.title = bytes(s.received) + " got";
  c.up.title = bytes(s.sent) + " sent";
  put(c.left, s.state === "complete" || s.state === "gone" ? "" : s.left < 0 ? "?" : span(s.left));
  put(c.addr, who.addr);
  c.addr.title = who.addr;
  put(c.version, visible(who.version));
  const ago = Math.max(0, Math.floor(now / 1000) - s.seen);
  put(c.seen, ago < 3 ? "now" : ago < 60 ? ago + " s ago" : Math.floor(ago / 60) + " min ago");
  c.seen.title = clock(s.seen * 1000);
  put(c.errors, s.errors ? String(s.errors) : "");
  c.errors.className = "errors n wide" + (s.errors ? " bad" : "");
  const drawn = s.have + "/" + s.parts + s.strip + s.state + css("--ink");
  if (r.drawn !== drawn) {
    r.drawn = drawn;
    strip(r.strip, s);
    const words = percent(s.have, s.parts) + (s.why ? ", " + visible(s.why) : "");
    r.strip.setAttribute("aria-label", words);
    c.have.title = s.have.toLocaleString("en") + " of " + s.parts.toLocaleString("en") + " parts, " + words;
  }
}

// strip draws which parts a member has; a plain bar if it does not tell.
function strip(canvas, s) {
  const c = canvas.getContext("2d"), { width, height } = canvas;
  c.fillStyle = css("--soft");
  c.fillRect(0, 0, width, height);
  c.fillStyle = css(s.state === "gone" ? "--gone" : s.state === "stalled" ? "--stalled" : "--complete");
  if (s.strip && s.have < s.parts) {
    const w = width / s.strip.length;
    [...s.strip].forEach((d, i) => {
      c.globalAlpha = d === "0" ? 0 : 0.2 + 0.8 * d / 9;
      c.fillRect(Math.round(i * w), 0, Math.round((i + 1) * w) - Math.round(i * w), height);
    });
    c.globalAlpha = 1;
  } else if (s.parts) {
    c.fillRect(0, 0, width * s.have / s.parts, height);
  }
}

export function begin() {
  const box = $("rows"), t = make("table"), group = make("colgroup"), head = t.createTHead().insertRow();
  t.append(make("caption", "hidden", "Members"));
  for (const c of columns) {
    group.append(make("col", "c-" + c.id + (c.wide ? " wide" : "")));
    const th = make("th", c.id + (c.n ? " n" : "") + (c.wide ? " wide" : "")), button = make("button", "", c.name);
    th.scope = "col";
    button.type = "button";
    button.onclick = () => {
      sort = sort.by === c.id ? { by: c.id, up: !sort.up } : { by: c.id, up: !c.down };
      heads();
      arrange();
    };
    th.append(button);
    th.dataset.id = c.id;
    head.append(th);
  }
  t.prepend(group);
  body = t.createTBody();
  [above, below] = ["pad", "pad"].map((name) => {
    const tr = make("tr", name), td = make("td");
    tr.setAttribute("aria-hidden", "true");
    tr.append(td);
    body.append(tr);
    return td;
  });
  box.append(t);
  const heads = () => head.querySelectorAll("th").forEach((th) => {
    if (th.dataset.id === sort.by) th.setAttribute("aria-sort", sort.up ? "ascending" : "descending");
    else th.removeAttribute("aria-sort");
  });
  heads();
  let waiting = false;
  box.onscroll = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; show(); });
  };
  $("filter").oninput = () => { find = $("filter").value; box.scrollTop = 0; arrange(); };
  for (const s of states) {
    const button = make("button", "", s);
    button.type = "button";
    button.setAttribute("aria-pressed", s === only);
    button.onclick = () => {
      only = s;
      for (const b of $("only").children) b.setAttribute("aria-pressed", b === button);
      box.scrollTop = 0;
      arrange();
    };
    $("only").append(button);
  }
  document.addEventListener("keydown", (e) => {
    if (e.key === "/" && !/INPUT|TEXTAREA/.test(document.activeElement.tagName) && !e.ctrlKey && !e.metaKey) {
      e.preventDefault();
      $("filter").focus();
    }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { pool.forEach((r) => { r.drawn = ""; }); show(); });
}
