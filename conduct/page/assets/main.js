// The page: it takes what the server sends, keeps it, and has it drawn.
import { $, bytes, clock, make, percent, plural, put, rate, span, visible } from "./format.js";
import * as plot from "./plot.js";
import * as parts from "./parts.js";
import * as members from "./members.js";
import * as flows from "./flows.js";

const store = { page: {}, list: new Map(), order: [], more: 0, detail: null, now: 0 };
let source = null, asked = null;

// ask opens the stream for what the address names, or for the list alone.
function ask(id) {
  asked = id;
  source?.close();
  source = new EventSource("/events" + (id ? "?id=" + id : ""));
  const take = (kind) => (e) => {
    if (asked !== id) return;
    apply(kind, JSON.parse(e.data));
    live("on", "live");
  };
  source.addEventListener("snapshot", take("snapshot"));
  source.addEventListener("change", take("change"));
  source.onerror = () => live("off", source.readyState === EventSource.CLOSED ? "no connection; reload to try again" : "reconnecting");
  source.onopen = () => live("on", "live");
}

function live(name, text) {
  $("live").className = "live " + name;
  put($("live").lastElementChild, text);
}

// apply takes in a message: all there is, or what is different.
function apply(kind, m) {
  store.now = m.now;
  if (kind === "snapshot") {
    Object.assign(store, { page: m.page, list: new Map(), order: [], detail: null });
    parts.clear();
    $("masked").hidden = !m.masked;
  }
  if (m.list) {
    for (const s of m.list.set ?? []) store.list.set(s.id, s);
    if (m.list.order) store.order = m.list.order;
    store.more = m.list.more;
    const here = new Set(store.order);
    for (const id of store.list.keys()) if (!here.has(id)) store.list.delete(id);
  }
  if (m.detail) take(m.detail);
  if (m.missing) store.detail = null;
  if (!asked && store.order.length > 0) ask(store.order[0]);
  else draw(m.detail ?? {});
}

// take puts a change of the composition that is looked at together with what is known of it.
function take(d) {
  store.detail ??= { members: new Map(), flows: [], events: [] };
  const s = store.detail;
  s.more = d.more;
  for (const id of d.removed ?? []) s.members.delete(id);
  for (const r of d.rows ?? []) {
    const m = s.members.get(r.id) ?? { id: r.id };
    if (r.who) m.who = r.who;
    if (r.now) m.now = r.now;
    s.members.set(r.id, m);
  }
  if (d.flows !== undefined) s.flows = d.flows ?? [];
  if (d.events) s.events = s.events.concat(d.events).slice(-100);
  s.minutes = plot.merge(s.minutes, d.minutes);
  s.hour = plot.merge(s.hour, d.hour);
}

function draw(d) {
  const p = store.page;
  put($("role"), p.role === "member" ? "this member" : "conductor");
  put($("version"), ("Orchestra " + p.version).trim() + ", up for " + span(Math.max(0, (store.now - p.since) / 1000)) + ".");
  list();
  const s = store.list.get(asked);
  $("detail").hidden = !s || !store.detail;
  $("empty").hidden = !!s;
  if (!s) {
    put($("empty"), store.order.length ? "Nobody has this composition here now." :
      "No composition is here yet. As soon as somebody joins one, it appears.");
    document.title = "Orchestra";
    return;
  }
  summary(s);
  if (!store.detail) return;
  plot.draw(store.detail, p.role === "member");
  members.set(store.detail.members, store.detail.more, store.now);
  parts.set(d.cells, s.parts);
  flows.set(d.flows !== undefined ? store.detail.flows : null, store.detail.members, p.role === "member");
  events();
}

const nameOf = (s) => s.title ? visible(s.title) : "Unnamed " + s.id.slice(0, 8);
const kinds = [["complete", "complete"], ["downloading", "downloading"], ["stalled", "stalled"], ["gone", "left incomplete"]];

// bars shows how many are in each state.
function bars(box, s) {
  kinds.forEach(([name], i) => {
    const bar = box.children[i] ?? box.appendChild(make("i", name));
    bar.style.flexGrow = s[name];
    bar.hidden = s[name] === 0;
  });
}

function list() {
  const box = $("list");
  box.hidden = store.order.length < 2;
  if (box.hidden) return;
  const had = new Map([...box.children].map((a) => [a.dataset.id, a]));
  store.order.forEach((id, i) => {
    const s = store.list.get(id);
    let a = had.get(id);
    if (!a) {
      a = make("a");
      a.dataset.id = id;
      a.href = "#" + id;
      a.append(make("b"), make("div", "states"), make("span"), make("span"));
    }
    had.delete(id);
    const [title, states, count, speed] = a.children;
    put(title, nameOf(s));
    bars(states, s);
    put(count, s.complete + " of " + (s.complete + s.downloading + s.stalled) + " complete");
    put(speed, rate(s.rate));
    a.setAttribute("aria-current", id === asked);
    if (box.children[i] !== a) box.insertBefore(a, box.children[i] ?? null);
  });
  had.forEach((a) => a.remove());
}

function summary(s) {
  const p = store.page;
  const all = s.complete + s.downloading + s.stalled;
  put($("title"), nameOf(s));
  document.title = nameOf(s) + " – Orchestra";
  put($("facts"), [s.size ? bytes(s.size) : "", s.parts ? plural(s.parts, "part", "parts") + (s.partSize ? " of " + bytes(s.partSize) : "") : "",
    "ID " + s.id].filter(Boolean).join(" · "));
  put($("done"), s.complete + " of " + all);
  put($("doneWords"), (all === 1 ? "member is" : "members are") + " complete" + (p.role === "member" ? ", of those connected" : ""));
  put($("doneMore"), s.want > 0 ? percent(s.have, s.want) + " of all parts are where they are to be" : "");
  bars($("states"), s);
  $("states").setAttribute("aria-label", kinds.map(([name, words]) => s[name] + " " + words).join(", "));
  const legend = kinds.filter(([name]) => s[name] > 0).map(([name, words]) => [name, s[name] + " " + words]);
  if (s.clients) legend.push(["client", plural(s.clients, "BitTorrent client", "BitTorrent clients")]);
  const text = JSON.stringify(legend);
  if ($("legend").dataset.text !== text) {
    $("legend").dataset.text = text;
    $("legend").replaceChildren(...legend.map(([name, words]) => {
      const li = make("li");
      li.append(make("i", name), words);
      return li;
    }));
  }
  const own = p.role === "member";
  put($("rateName"), own ? "This member gets" : "All members get");
  put($("rate"), rate(s.rate));
  put($("rateMore"), !own && s.downloading ? rate(s.rate / s.downloading) + " each" : "");
  put($("movedName"), own ? "It got" : "Moved");
  put($("moved"), bytes(s.moved));
  put($("movedMore"), s.size ? (s.moved / s.size).toFixed(1) + " times the content" : "");
  put($("shareName"), own ? "It sent" : "Sent by members");
  if (own) {
    put($("share"), bytes(s.sent));
    put($("shareMore"), s.size ? (s.sent / s.size).toFixed(1) + " times the content" : "");
  } else {
    put($("share"), s.sent > 0 ? percent(s.sent - s.origin, s.sent) : "–");
    put($("shareMore"), s.sent > 0 ? bytes(s.origin) + " by the first sharer" : "the rest by the first sharer");
  }
  const k = s.spread;
  put($("copies"), k.known ? String(k.least) : String(s.complete));
  put($("copiesMore"), k.known ? own ? "among those connected" : plural(s.copies, "complete copy so far", "complete copies so far") : "complete members; which parts others have is not told");
  put($("left"), s.downloading + s.stalled === 0 ? "–" : span(s.left));
  put($("leftMore"), s.slowest && s.left !== 0 ? "slowest: " + visible(s.slowest) : s.complete && s.left === 0 ? "all are complete" : "");
  warn(s, k);
  const command = commandFor(s, p);
  put($("join"), command);
  $("join").parentElement.hidden = !command;
}

// commandFor is what to type elsewhere. Where the .orch file is beside the page, the address that
// led this browser here leads others there too, unless it is this machine's name for itself.
function commandFor(s, p) {
  const own = /^(127\.[\d.]+|\[::1\]|(.+\.)?localhost)$/.test(location.hostname);
  const url = (p.here && !own ? location.origin : p.base) + s.file;
  const plain = /^https?:\/\/[\w.:[\]-]+(\/[\w.~%-]+)+$/; // nothing in it means anything to a shell
  if (!s.file || !plain.test(url)) return s.join;
  return "orchestra get " + (url.includes("[") ? "'" + url + "'" : url);
}

function warn(s, k) {
  const of = (n) => plural(n, "part", "parts");
  let text = "";
  if (k.known && k.none > 0 && !k.silent) text = "Nobody has " + of(k.none) + ": the others wait until somebody does.";
  else if (k.known && k.single > 0 && s.complete + s.downloading + s.stalled > 1) {
    text = k.only ? visible(k.only) + " alone has " + of(k.single) + ": it has to stay until they are out."
      : of(k.single) + " are held by one member each.";
  } else if (s.stalled > 0 && s.downloading === 0) text = "Nothing moves: " + plural(s.stalled, "member waits", "members wait") + ". The table says why.";
  put($("warning"), text);
  $("warning").hidden = !text;
}

const signs = { joined: "+", complete: "✓", left: "–", gone: "–", complaint: "!", stalled: "…" };
const said = {
  joined: "joined", complete: "is complete", left: "left", gone: "left before it was complete",
  complaint: "sent something bad", stalled: "gets nothing",
};

function events() {
  const box = $("events"), all = store.detail.events, last = all.at(-1)?.id ?? 0;
  if (box.dataset.last === asked + last && box.children.length) return;
  box.dataset.last = asked + last;
  if (!all.length) box.replaceChildren(make("li", "muted", "Nothing yet"));
  else box.replaceChildren(...[...all].reverse().map((e) => {
    const li = make("li"), text = make("span");
    text.append(make("b", "", visible(e.who || e.addr || "a member")), " " + (said[e.kind] ?? e.kind));
    if (e.text) text.append(make("span", "muted", " – " + visible(e.text)));
    const time = make("time", "", clock(e.at)), sign = make("i", e.kind === "complaint" ? "bad" : "", signs[e.kind] ?? "·");
    time.dateTime = new Date(e.at).toISOString();
    sign.setAttribute("aria-hidden", "true");
    li.append(time, sign, text);
    return li;
  }));
}

$("copy").onclick = async () => {
  const text = $("join").textContent;
  try {
    await navigator.clipboard.writeText(text);
    put($("copy"), "Copied");
  } catch { // without TLS the clipboard is closed: the text is selected instead
    getSelection().selectAllChildren($("join"));
    put($("copy"), document.execCommand("copy") ? "Copied" : "Selected");
  }
  setTimeout(() => put($("copy"), "Copy"), 2000);
};

for (const m of [plot, parts, members, flows]) m.begin();
const named = () => /^#[0-9a-f]{40}$/.test(location.hash) ? location.hash.slice(1) : null;
addEventListener("hashchange", () => { if (named() && named() !== asked) ask(named()); });
ask(named());
