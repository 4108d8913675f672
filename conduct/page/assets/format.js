// Numbers and times as people read them.

const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

export function bytes(n) {
  let u = 0;
  while (n >= 1000 && u < units.length - 1) { n /= 1024; u++; }
  return (u === 0 || n >= 99.95 ? Math.round(n) : n >= 9.995 ? n.toFixed(1) : n.toFixed(2)) + " " + units[u];
}

export const rate = (n) => n > 0 ? bytes(n) + "/s" : "–";

export function span(seconds) {
  if (seconds < 0) return "not known";
  if (seconds < 60) return Math.ceil(seconds) + " s";
  if (seconds < 3600) return Math.floor(seconds / 60) + " min " + Math.floor(seconds % 60) + " s";
  if (seconds < 86400) return Math.floor(seconds / 3600) + " h " + Math.floor(seconds % 3600 / 60) + " min";
  return Math.floor(seconds / 86400) + " d " + Math.floor(seconds % 86400 / 3600) + " h";
}

export const percent = (part, all) =>
  all <= 0 ? "–" : part >= all ? "100 %" : (Math.floor(part / all * 1000) / 10).toFixed(1) + " %";

export const clock = (ms) => new Date(ms).toLocaleTimeString([], {
  hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false,
});

export const plural = (n, one, many) => n.toLocaleString("en") + " " + (n === 1 ? one : many);

// visible makes characters visible that would change how the text around them looks.
export const visible = (s) => s.replace(/[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb]/g,
  (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));

// put writes text, if it is another one: what does not change costs no layout.
export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export const $ = (id) => document.getElementById(id);

export function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

// table makes a table of a heading and rows of texts.
export function table(caption, head, rows) {
  const t = make("table");
  t.append(make("caption", "hidden", caption));
  const top = t.createTHead().insertRow();
  head.forEach((h, i) => {
    const th = make("th", i ? "n" : "", h);
    th.scope = "col";
    top.append(th);
  });
  const body = t.createTBody();
  for (const cells of rows) {
    const tr = body.insertRow();
    cells.forEach((c, i) => tr.append(make("td", i ? "n" : "", c)));
  }
  return t;
}

export const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
