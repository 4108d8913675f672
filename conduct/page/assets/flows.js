// Who sends to whom: a picture, in which everybody hangs on the member that sends it most, and a
// matrix, which is also the picture's table.
import { $, bytes, css, make, plural, put, rate } from "./format.js";
import { nameOf } from "./members.js";

const most = 160, mostInMatrix = 40;
let flows = [], members = new Map(), shown = "picture", drawn = "", own = false;

// set takes the flows, if they are other ones. A member knows only its own, and draws all of them.
export function set(next, all, alone) {
  own = alone;
  if (next) flows = next;
  members = all;
  draw();
}

function draw() {
  const known = flows.filter((f) => members.has(f.from) && members.has(f.to));
  const moving = known.some((f) => f.rate > 0);
  $("picture").hidden = shown !== "picture" || known.length === 0;
  $("matrix").hidden = shown !== "matrix" || known.length === 0;
  if (known.length === 0) {
    put($("flowsFacts"), "Nobody has told yet from whom it gets something. Members tell while somebody looks; older ones do not.");
    drawn = "";
    return;
  }
  const weight = (f) => moving ? f.rate : f.total;
  const used = known.filter((f) => weight(f) > 0).sort((a, b) => weight(b) - weight(a));
  const senders = new Set(used.map((f) => f.from)).size, receivers = new Set(used.map((f) => f.to)).size;
  put($("flowsFacts"), (moving ? "Now: " : "Nothing moves now; in all: ") + plural(senders, "member sends", "members send") + " to " + receivers +
    (shown === "picture" && !own ? ". Each stands behind the member that it gets most from." : ""));
  if (shown === "picture") picture(used, weight, moving);
  else matrix(used, weight, moving);
}

// tree makes everybody hang on the member that sends it most, without circles.
function tree(used, weight) {
  const parent = new Map(), nodes = new Set();
  for (const f of used) { // the strongest first
    nodes.add(f.from).add(f.to);
    if (parent.has(f.to)) continue;
    let up = f.from;
    while (up !== undefined && up !== f.to) up = parent.get(up)?.from;
    if (up === undefined) parent.set(f.to, f);
  }
  const children = new Map();
  for (const n of nodes) children.set(n, []);
  for (const [n, f] of parent) children.get(f.from).push(n);
  const size = new Map();
  const count = (n) => {
    let s = 1;
    for (const c of children.get(n)) s += count(c);
    size.set(n, s);
    return s;
  };
  const roots = [...nodes].filter((n) => !parent.has(n));
  roots.forEach(count);
  const bySize = (a, b) => size.get(b) - size.get(a) || a - b;
  roots.sort(bySize);
  children.forEach((list) => list.sort(bySize));
  return { parent, children, roots };
}

// place gives every node its place: a row a branch, or, what is a chain alone, in lines to and fro.
function place({ children, roots }, width) {
  const at = new Map(), line = 46;
  const depth = (n) => 1 + Math.max(0, ...children.get(n).map(depth));
  const levels = Math.max(1, ...roots.map(depth)) - 1;
  const step = Math.max(92, Math.min(230, Math.floor((width - 100) / Math.max(1, levels))));
  let row = 0, deepest = 0;
  const chain = levels * step > width - 100 && roots.length === 1 && [...children.values()].every((c) => c.length <= 1);
  if (chain) {
    const per = Math.max(2, Math.floor((width - 40) / step));
    let i = 0;
    for (let n = roots[0]; n !== undefined && i < most; n = children.get(n)[0], i++) {
      const r = Math.floor(i / per), k = i % per;
      at.set(n, { x: 44 + (r % 2 ? per - 1 - k : k) * step, y: 20 + r * 54 });
      deepest = Math.max(deepest, Math.min(i, per - 1));
      row = r + 1;
    }
    return { at, width: 88 + deepest * step, height: row * 54 + 6 };
  }
  const lay = (n, depth) => {
    if (at.size >= most) return;
    deepest = Math.max(deepest, depth);
    at.set(n, { x: 44 + depth * step, y: 20 + row * line });
    children.get(n).forEach((c, i) => {
      if (i > 0 && at.size < most) row++;
      lay(c, depth + 1);
    });
  };
  for (const r of roots) {
    if (at.size >= most) break;
    lay(r, 0);
    row++;
  }
  return { at, width: 88 + deepest * step, height: row * line + 8 };
}

function svg(tag, attributes) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [k, v] of Object.entries(attributes)) node.setAttribute(k, v);
  return node;
}

function picture(used, weight, moving) {
  const t = tree(used, weight), box = $("picture"), p = place(t, box.clientWidth || 600);
  const strongest = Math.max(1, ...used.map(weight));
  const name = JSON.stringify([used.filter((f) => p.at.has(f.to)).map((f) => [f.from, f.to, Math.ceil(weight(f) / strongest * 8)]),
    [...p.at.keys()].map((n) => [members.get(n).now.state, nameOf(members.get(n))]), p.width, moving]);
  if (name === drawn) return; // the same picture: its motion goes on
  drawn = name;
  const root = svg("svg", { width: p.width, height: p.height, viewBox: `0 0 ${p.width} ${p.height}` });
  const edge = (f, side) => {
    const a = p.at.get(f.from), b = p.at.get(f.to);
    if (!a || !b) return;
    const bend = a.y === b.y ? 0 : (b.x - a.x) / 2, out = a.x !== b.x ? 0 : a.x > p.width / 2 ? 34 : -34;
    const e = svg("path", {
      class: "edge" + (side ? " side" : moving && f.rate > 0 ? " runs" : " idle"),
      d: `M${a.x} ${a.y}C${a.x + bend + out} ${a.y} ${b.x - bend + out} ${b.y} ${b.x} ${b.y}`,
      "stroke-width": (side ? 1 : 1.5 + 4 * weight(f) / strongest).toFixed(1),
    });
    const title = svg("title", {});
    title.textContent = words(f);
    e.append(title);
    root.append(e);
  };
  const behind = new Set(t.parent.values());
  used.filter((f) => !behind.has(f)).slice(0, 150).forEach((f) => edge(f, !own));
  behind.forEach((f) => edge(f, false));
  for (const [n, { x, y }] of p.at) {
    const m = members.get(n), label = nameOf(m);
    if (m.who.origin) root.append(svg("circle", { class: "ring", cx: x, cy: y, r: 11 }));
    const dot = svg("circle", { class: "node s-" + m.now.state, cx: x, cy: y, r: 8 });
    const title = svg("title", {});
    title.textContent = label + ", " + m.now.state + ", gets " + rate(m.now.down) + ", sends " + rate(m.now.up);
    dot.append(title);
    const text = svg("text", { x, y: y + 23, "text-anchor": "middle" });
    text.textContent = label.length > 13 ? label.slice(0, 12) + "…" : label;
    root.append(dot, text);
  }
  box.replaceChildren(root);
  const hidden = new Set(used.flatMap((f) => [f.from, f.to])).size - p.at.size;
  if (hidden > 0) box.append(make("p", "muted", plural(hidden, "further member is", "further members are") + " not drawn."));
  box.setAttribute("aria-label", "Picture of who sends to whom, the same as the matrix. " +
    used.slice(0, 5).map(words).join("; "));
}

const words = (f) => nameOf(members.get(f.from)) + " to " + nameOf(members.get(f.to)) + ": " +
  (f.rate > 0 ? rate(f.rate) + ", " : "") + bytes(f.total) + " in all";

function matrix(used, weight, moving) {
  drawn = "";
  const sums = new Map();
  for (const f of used) for (const n of [f.from, f.to]) sums.set(n, (sums.get(n) ?? 0) + weight(f));
  const t = make("table"), { children, roots } = tree(used, weight), rank = new Map();
  const number = (n) => { rank.set(n, rank.size); children.get(n).forEach(number); };
  roots.forEach(number); // as in the picture, so that a chain is a diagonal
  const ids = [...sums].sort((a, b) => b[1] - a[1]).slice(0, mostInMatrix).map(([n]) => n)
    .sort((a, b) => rank.get(a) - rank.get(b));
  const cell = new Map(used.map((f) => [f.from + ">" + f.to, f])), strongest = Math.max(1, ...used.map(weight));
  const head = t.createTHead().insertRow(), body = t.createTBody();
  t.append(make("caption", "hidden", "Who sends to whom, in bytes" + (moving ? " a second" : "")));
  head.append(make("th", "", "from \\ to"));
  for (const to of ids) {
    const th = make("th", "n", short(to));
    th.scope = "col";
    th.title = nameOf(members.get(to));
    head.append(th);
  }
  const tint = css("--accent");
  for (const from of ids) {
    const tr = body.insertRow(), th = make("th", "", nameOf(members.get(from)));
    th.scope = "row";
    tr.append(th);
    for (const to of ids) {
      const f = cell.get(from + ">" + to), td = make("td", from === to ? "self" : "", f ? brief(weight(f)) : "");
      if (f) {
        td.title = words(f);
        td.style.backgroundColor = `color-mix(in srgb, ${tint} ${Math.round(6 + 44 * weight(f) / strongest)}%, transparent)`;
      }
      tr.append(td);
    }
  }
  $("matrix").replaceChildren(t);
  if (sums.size > ids.length) $("matrix").append(make("p", "muted", "The " + ids.length + " that moved most, of " + sums.size + "."));
}

const brief = (n) => bytes(n).replace(/ (.).*/, " $1");

function short(n) {
  const name = nameOf(members.get(n));
  return name.length > 9 ? name.slice(0, 8) + "…" : name;
}

export function begin() {
  const choose = (name) => {
    shown = name;
    $("asPicture").setAttribute("aria-pressed", name === "picture");
    $("asMatrix").setAttribute("aria-pressed", name === "matrix");
    draw();
  };
  $("asPicture").onclick = () => choose("picture");
  $("asMatrix").onclick = () => choose("matrix");
  new ResizeObserver(() => { drawn = ""; draw(); }).observe($("flowsFacts"));
}
