// The map of parts: a cell for each, or for some of them, whose colour says how many hold it. What
// nobody or one member alone holds has a pattern of its own.
import { $, css, make, plural, put, table } from "./format.js";

let cells = null, size = 0, columns = 0, chosen = -1, parts = 0;

export function set(next, all) {
  if (next) cells = { span: next.span, holders: decode(next.holders) };
  parts = all;
  draw();
}

export function clear() { cells = null; chosen = -1; }

function decode(text) {
  const raw = atob(text ?? "");
  return Uint8Array.from(raw, (c) => c.charCodeAt(0));
}

// colours goes from few holders to many.
function ramp(n, most) {
  const from = rgb(css("--few")), to = rgb(css("--many"));
  const k = most <= 2 ? 0.55 : 0.12 + 0.88 * (n - 2) / (most - 2);
  return "rgb(" + from.map((v, i) => Math.round(v + (to[i] - v) * k)).join(" ") + ")";
}

const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

// paint draws a cell.
function paint(c, n, most, x, y, s) {
  c.fillStyle = n === 0 ? css("--soft") : n === 1 ? css("--one") : ramp(n, most);
  c.fillRect(x, y, s, s);
  if (n === 0) { // a cross
    c.strokeStyle = css("--none");
    c.lineWidth = Math.max(1, s / 8);
    c.beginPath();
    c.moveTo(x + 1, y + 1); c.lineTo(x + s - 1, y + s - 1);
    c.moveTo(x + s - 1, y + 1); c.lineTo(x + 1, y + s - 1);
    c.stroke();
  } else if (n === 1 && s >= 4) { // a dot
    c.fillStyle = css("--ink");
    c.beginPath();
    c.arc(x + s / 2, y + s / 2, Math.max(0.8, s / 6), 0, 7);
    c.fill();
  }
}

function draw() {
  const canvas = $("parts"), known = cells && cells.holders.length > 0;
  $("partsBox").hidden = $("partsKey").hidden = !known;
  $("partsTable").parentElement.hidden = !known;
  if (!known) {
    put($("partsFacts"), "");
    put($("cell"), cells && cells.span === 0 && parts > 131072 ? "There are too many parts for a map." :
      "Members tell which parts they have as soon as somebody looks; older ones do not.");
    return;
  }
  const n = cells.holders.length, width = canvas.clientWidth || 400, ratio = devicePixelRatio || 1;
  const most = cells.holders.reduce((m, v) => Math.max(m, v), 1);
  size = Math.max(3, Math.min(18, Math.floor(Math.sqrt(width * 250 / n))));
  columns = Math.max(1, Math.floor(width / size));
  const height = Math.ceil(n / columns) * size;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.height = height + "px";
  }
  const c = canvas.getContext("2d"), gap = size > 5 ? 1 : 0;
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.clearRect(0, 0, width, height);
  const counts = new Map();
  for (let i = 0; i < n; i++) {
    const h = cells.holders[i];
    counts.set(h, (counts.get(h) ?? 0) + 1);
    paint(c, h, most, i % columns * size, Math.floor(i / columns) * size, size - gap);
  }
  if (chosen >= 0 && chosen < n) {
    c.strokeStyle = css("--ink");
    c.lineWidth = 1.5;
    c.strokeRect(chosen % columns * size, Math.floor(chosen / columns) * size, size - gap, size - gap);
  }
  put($("partsFacts"), plural(parts, "part", "parts") + (cells.span > 1 ? ", " + cells.span + " a cell" : ""));
  canvas.setAttribute("aria-label", "Map of parts. " + [...counts].sort((a, b) => a[0] - b[0]).slice(0, 4)
    .map(([h, k]) => plural(k, "cell", "cells") + " with " + plural(h, "holder", "holders")).join(", "));
  key(most);
  say();
  if ($("partsTable").parentElement.open) {
    $("partsTable").replaceChildren(table("Holders of parts", ["Holders", cells.span > 1 ? "Cells" : "Parts"],
      [...counts].sort((a, b) => a[0] - b[0]).map(([h, k]) => [h === 255 ? "255 or more" : String(h), k.toLocaleString("en")])));
  }
}

// key is the legend, drawn as the cells are.
function key(most) {
  const steps = [[0, "nobody"], [1, "one member"]];
  if (most >= 2) steps.push([2, most > 2 ? "2" : "2 members"]);
  if (most > 3) steps.push([Math.round((most + 2) / 2), String(Math.round((most + 2) / 2))]);
  if (most > 2) steps.push([most, (most === 255 ? "255 or more" : most) + " members"]);
  const name = steps.join() + css("--ink");
  if ($("partsKey").dataset.name === name) return;
  $("partsKey").dataset.name = name;
  $("partsKey").replaceChildren(...steps.map(([n, text]) => {
    const li = make("li"), canvas = make("canvas");
    canvas.width = canvas.height = 24;
    const c = canvas.getContext("2d");
    c.scale(2, 2);
    paint(c, n, most, 0, 0, 12);
    li.append(canvas, text);
    return li;
  }));
}

function say() {
  if (chosen < 0 || chosen >= cells.holders.length) {
    put($("cell"), "");
    return;
  }
  const first = chosen * cells.span + 1, last = Math.min(parts, first + cells.span - 1), h = cells.holders[chosen];
  put($("cell"), (last > first ? "Parts " + first + " to " + last + ": the rarest is" : "Part " + first + " is") +
    " held by " + (h === 0 ? "nobody" : plural(h, "member", "members")));
}

export function begin() {
  const canvas = $("parts");
  const choose = (i) => { chosen = i; draw(); };
  canvas.onpointermove = (e) => {
    if (!cells) return;
    const x = Math.floor(e.offsetX / size), i = Math.floor(e.offsetY / size) * columns + x;
    choose(x < columns && i < cells.holders.length ? i : -1);
  };
  canvas.onpointerleave = () => cells && choose(-1);
  canvas.onkeydown = (e) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[e.key];
    if (!step || !cells) return;
    e.preventDefault();
    choose(Math.max(0, Math.min(cells.holders.length - 1, chosen + step)));
  };
  canvas.onblur = () => cells && choose(-1);
  $("partsTable").parentElement.ontoggle = draw;
  new ResizeObserver(draw).observe($("partsBox"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}
