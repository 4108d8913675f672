// Throughput over five minutes or an hour. The server keeps both.
import { $, bytes, clock, css, put, rate, table } from "./format.js";

let shown = "minutes", chart = null, series = {}, own = false;

const names = () => own ? ["This member gets", "It sends"] : ["From all members", "From the first sharer alone"];

// merge puts the end of a series, as it came, behind what is there.
export function merge(old, tail) {
  if (!tail.total?.length) return old ?? { step: tail.step, start: 0, total: [], origin: [] };
  old ??= tail;
  const n = tail.step < 5 ? 150 : 180;
  const end = tail.start + tail.total.length * tail.step;
  const next = { step: tail.step, start: end - n * tail.step, total: [], origin: [] };
  for (let i = 0; i < n; i++) {
    const at = next.start + i * next.step;
    const from = at >= tail.start ? tail : old;
    const k = (at - from.start) / from.step;
    next.total.push(from.total[k] ?? 0);
    next.origin.push(from.origin[k] ?? 0);
  }
  return next;
}

// draw shows a composition's series, or a member's own.
export function draw(all, alone = own) {
  series = all;
  own = alone;
  ["totalName", "originName"].forEach((id, i) => put($(id), names()[i]));
  const s = series[shown];
  if (!s) return;
  // The last point is not over, and of those just before it not everybody has told.
  const n = Math.max(0, s.total.length - (s.step < 5 ? 3 : 1));
  const x = [], total = [], origin = [];
  for (let i = 0; i < n; i++) {
    x.push(s.start + i * s.step);
    total.push(s.total[i]);
    origin.push(own ? s.origin[i] : Math.min(s.origin[i], s.total[i]));
  }
  if (n === 0) {
    const now = Math.floor(Date.now() / 1000);
    x.push(now - (shown === "minutes" ? 300 : 3600), now);
    total.push(0, 0);
    origin.push(0, 0);
  }
  if (!chart) build();
  chart.setData([x, total, origin]);
  const peak = Math.max(0, ...total);
  $("plot").setAttribute("aria-label", "Throughput, now " + rate(total.at(-1) ?? 0) + ", at most " + rate(peak));
  if ($("plotTable").parentElement.open) tell(x, total, origin, s.step);
}

// tell writes the plot as a table, a dozen rows.
function tell(x, total, origin, step) {
  const per = Math.max(1, Math.ceil(x.length / 12)), rows = [];
  for (let end = x.length; end > 0; end -= per) {
    const from = Math.max(0, end - per), mean = (a) => a.slice(from, end).reduce((s, v) => s + v, 0) / (end - from);
    rows.push([clock(x[from] * 1000) + " – " + clock((x[end - 1] + step) * 1000),
      rate(mean(total)), rate(mean(origin))]);
  }
  $("plotTable").replaceChildren(table("Throughput", ["Time", ...names()], rows));
}

function build() {
  const box = $("plot"), grid = { stroke: css("--line"), width: 1 };
  const axis = { stroke: css("--muted"), grid, ticks: { show: false }, font: "12px system-ui, sans-serif" };
  chart = new uPlot({
    width: box.clientWidth || 400, height: 210, padding: [10, 22, 0, 0],
    cursor: { points: { size: 6 }, y: false, drag: { x: false, y: false } }, legend: { show: false },
    scales: { y: { range: (u, min, max) => [0, Math.max(max * 1.1, 1024)] } },
    series: [{},
      { stroke: css("--total"), fill: css("--total") + "66", width: 1.5, points: { show: false } },
      { stroke: css("--origin"), fill: css("--origin") + "88", width: 1.5, points: { show: false } }],
    axes: [
      { ...axis, space: 70, values: (u, at) => at.map((t) => clock(t * 1000).slice(0, t % 60 ? 8 : 5)) },
      { ...axis, size: 66, space: 44, splits: (u, i, min, max) => ticks(max), values: (u, at) => at.map((v) => v ? bytes(v) : "0") },
    ],
  }, [[0, 1], [0, 0], [0, 0]], box);
}

// ticks are round numbers of bytes.
function ticks(max) {
  const unit = Math.pow(1024, Math.max(0, Math.floor(Math.log(max / 2) / Math.log(1024))));
  const raw = max / unit / 4, power = Math.pow(10, Math.floor(Math.log10(raw)));
  const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= raw) * unit;
  const at = [];
  for (let v = 0; v <= max; v += step) at.push(v);
  return at;
}

function rebuild() {
  if (!chart) return;
  chart.destroy();
  chart = null;
  draw(series);
}

export function begin() {
  const choose = (name) => {
    shown = name;
    $("span5").setAttribute("aria-pressed", name === "minutes");
    $("span60").setAttribute("aria-pressed", name === "hour");
    draw(series);
  };
  $("span5").onclick = () => choose("minutes");
  $("span60").onclick = () => choose("hour");
  $("plotTable").parentElement.ontoggle = () => draw(series);
  new ResizeObserver(() => chart?.setSize({ width: $("plot").clientWidth, height: 210 })).observe($("plot"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", rebuild);
}
