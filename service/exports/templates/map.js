// The map of a question: a canvas, so that 25,000 points stay quick; hover, touch and arrow keys read a point, click and Enter open it.
// data: points as [name, x, y, look], colours and shapes; words: name → text; open: called with the name and where the focus was.
function drawMap(box, data, words, open) {
  "use strict";
  var canvas = box.querySelector("canvas"), said = box.querySelector("[role=status]"), tip = document.querySelector(".tip");
  var points = data.points, at = -1, only = null, cells = {}, size, ink, ratio, pad = 14;
  var base = document.createElement("canvas");
  var paths = data.shapes.map(function (d) { return new Path2D(d); }), cross = new Path2D(data.cross), order;
  function text(k) { return words(points[k][0]); }
  function xy(k) { return [pad + (points[k][1] + 1) / 2 * (canvas.clientWidth - 2 * pad), pad + (1 - points[k][2]) / 2 * (canvas.clientHeight - 2 * pad)]; }
  function paint(g, k, scale) {
    var look = points[k][3], p = xy(k);
    g.save(); g.translate(p[0], p[1]); g.scale(scale, scale);
    g.globalAlpha = only === null || only === look ? 0.88 : 0.1;
    if (look === -2) { g.strokeStyle = ink; g.lineWidth = 1.6; g.stroke(cross); }
    else if (look === -1) { g.scale(0.6, 0.6); g.fillStyle = data.rest; g.fill(paths[0]); }
    else { g.fillStyle = data.colours[look]; g.fill(paths[look]); }
    g.restore();
  }
  function draw() {
    if (!canvas.clientWidth) return;
    var g = base.getContext("2d");
    ratio = devicePixelRatio || 1;
    base.width = canvas.clientWidth * ratio; base.height = canvas.clientHeight * ratio;
    ink = getComputedStyle(canvas).color; size = points.length > 5000 ? 0.42 : points.length > 800 ? 0.7 : 1.1;
    g.setTransform(ratio, 0, 0, ratio, 0, 0); cells = {};
    for (var k = 0; k < points.length; k++) {
      paint(g, k, size);
      var p = xy(k), key = (p[0] >> 4) + "," + (p[1] >> 4);
      (cells[key] = cells[key] || []).push(k);
    }
    show();
  }
  function show() {
    // the points are drawn once; only the one that is read changes as the pointer moves
    var g = canvas.getContext("2d");
    canvas.width = base.width; canvas.height = base.height;
    g.drawImage(base, 0, 0); g.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (at >= 0) { var q = xy(at); g.beginPath(); g.arc(q[0], q[1], 9, 0, 7); g.strokeStyle = ink; g.lineWidth = 2; g.stroke(); paint(g, at, 1.1); }
  }
  function nearest(x, y) {
    var best = -1, least = 144;
    for (var i = -1; i < 2; i++) for (var j = -1; j < 2; j++) (cells[((x >> 4) + i) + "," + ((y >> 4) + j)] || []).forEach(function (k) {
      var p = xy(k), d = (p[0] - x) * (p[0] - x) + (p[1] - y) * (p[1] - y);
      if (d < least) { least = d; best = k; }
    });
    return best;
  }
  function pick(k, spoken) {
    at = k; show();
    if (k < 0) { tip.hidden = true; return; }
    var p = xy(k), r = canvas.getBoundingClientRect();
    tip.textContent = text(k); tip.hidden = false;
    tip.style.left = Math.max(4, Math.min(r.left + p[0] + 14, innerWidth - tip.offsetWidth - 8)) + scrollX + "px";
    tip.style.top = r.top + p[1] + 16 + scrollY + "px";
    if (spoken) said.textContent = tip.textContent;
  }
  canvas.addEventListener("pointermove", function (e) { var r = canvas.getBoundingClientRect(), k = nearest(e.clientX - r.left, e.clientY - r.top); if (k !== at) pick(k, false); });
  canvas.addEventListener("pointerleave", function () { pick(-1, false); });
  canvas.addEventListener("click", function () { if (at >= 0) { var k = at; pick(-1, false); open(points[k][0], canvas); } });
  canvas.addEventListener("blur", function () { tip.hidden = true; });
  canvas.addEventListener("keydown", function (e) {
    var step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[e.key];
    if (step) {
      order = order || points.map(function (p, k) { return k; }).sort(function (a, b) { return points[a][3] - points[b][3] || points[a][1] - points[b][1]; });
      e.preventDefault();
      pick(order[(order.indexOf(at) + step + order.length) % order.length], true);
    } else if (e.key === "Enter" && at >= 0) { tip.hidden = true; open(points[at][0], canvas); }
  });
  box.querySelectorAll(".legend button").forEach(function (b) {
    b.addEventListener("click", function () {
      var look = +b.dataset.look, on = only !== look;
      only = on ? look : null;
      box.querySelectorAll(".legend button").forEach(function (x) { x.setAttribute("aria-pressed", String(on && x === b)); });
      draw();
    });
  });
  box.hidden = false;
  box.addEventListener("toggle", draw);
  addEventListener("resize", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  draw();
}
