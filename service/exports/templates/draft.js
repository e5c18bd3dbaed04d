// Click a sentence: its labels, their verbatims and the answers, taken from what the page already holds.
(function () {
  "use strict";
  var panel = document.getElementById("trace"), body = panel.querySelector(".body"), last = null;
  function make(tag, text, cls) { var e = document.createElement(tag); if (text) e.textContent = text; if (cls) e.className = cls; return e; }
  function bare(node) { var c = node.cloneNode(true); c.removeAttribute("id"); c.querySelectorAll("[id]").forEach(function (x) { x.removeAttribute("id"); }); return c; }
  function answerOf(verbatim) {
    var mark = document.getElementById(verbatim);
    if (!mark) return null;
    var box = make("div", "", "answer"), source = mark.closest(".answer");
    source.childNodes.forEach(function (n) { box.appendChild(n.cloneNode(true)); });
    box.querySelectorAll("mark").forEach(function (m) { if (m.id !== verbatim) m.className = "dim"; });
    box.querySelectorAll("[id]").forEach(function (x) { x.removeAttribute("id"); });
    return box;
  }
  function item(a) {
    var li = make("li"), d = make("details"), s = make("summary"), source = a.closest("li");
    s.appendChild(bare(source.querySelector("q")));
    s.appendChild(make("span", " " + source.querySelector(".meta").textContent, "meta"));
    d.appendChild(s);
    d.addEventListener("toggle", function () { if (d.open && d.children.length === 1) { var x = answerOf(a.getAttribute("href").slice(1)); if (x) d.appendChild(x); } });
    li.appendChild(d);
    return li;
  }
  function verbatimsOf(list) {
    // a group may hold thousands: a page of them at a time
    var box = make("div"), ul = make("ul"), links = list.querySelectorAll("a[href^='#v-']"), shown = 0, more = make("button");
    more.type = "button";
    function next() {
      for (var end = Math.min(shown + 50, links.length); shown < end; shown++) ul.appendChild(item(links[shown]));
      more.textContent = panel.dataset.more + " (" + (links.length - shown) + ")";
      more.hidden = shown === links.length;
    }
    more.addEventListener("click", next); next();
    box.appendChild(ul); box.appendChild(more);
    return box;
  }
  function show(target) {
    var node = document.getElementById(target);
    if (!node) return;
    if (node.classList.contains("s")) { if (node.firstChild.textContent !== last.firstChild.textContent) body.appendChild(make("p", node.firstChild.textContent, "quote")); node.dataset.to.split(" ").forEach(show); return; }
    if (node.tagName === "MARK") { var x = answerOf(target); if (x) body.appendChild(x); return; }
    var d = make("details"); d.open = true;
    var head = node.querySelector(":scope > .head");  // of a family of several groups
    d.appendChild(head ? make("summary", head.textContent) : bare(node.querySelector("summary") || make("summary", node.textContent)));
    d.appendChild(verbatimsOf(node));
    body.appendChild(d);
  }
  function open(s) {
    if (last) last.classList.remove("on");
    last = s; s.classList.add("on");
    body.textContent = "";
    body.appendChild(make("p", s.firstChild.textContent, "quote"));
    (s.dataset.to || "").split(" ").filter(Boolean).forEach(show);
    panel.hidden = false; document.body.classList.add("tracing"); panel.querySelector(".close").focus();
  }
  function close() { panel.hidden = true; document.body.classList.remove("tracing"); if (last) { last.classList.remove("on"); last.focus(); } }
  document.querySelectorAll(".s[data-to]").forEach(function (s) {
    s.tabIndex = 0; s.setAttribute("role", "button");
    s.addEventListener("click", function (e) { if (!e.target.closest("a")) open(s); });
    s.addEventListener("keydown", function (e) { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); open(s); } });
  });
  function openVerbatim(id, from) {
    if (last) last.classList.remove("on");
    last = from; body.textContent = ""; show(id);
    panel.hidden = false; document.body.classList.add("tracing"); panel.querySelector(".close").focus();
  }
  panel.querySelector(".close").addEventListener("click", close);
  document.addEventListener("keydown", function (e) { if (e.key === "Escape" && !panel.hidden) close(); });
  function reveal() { var n = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1))); for (; n; n = n.parentElement) if (n.tagName === "DETAILS") n.open = true; }
  addEventListener("hashchange", reveal); reveal();
  document.querySelectorAll(".map").forEach(function (box) {
    var data = JSON.parse(box.querySelector("script").textContent);
    drawMap(box, data, function (id) { var m = document.getElementById(id); return m ? m.textContent : ""; }, openVerbatim);
  });
})();
