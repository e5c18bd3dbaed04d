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
  function verbatimsOf(list) {
    var ul = make("ul");
    list.querySelectorAll("a[href^='#v-']").forEach(function (a) {
      var li = make("li"), d = make("details"), s = make("summary");
      var item = a.closest("li");
      s.appendChild(bare(item.querySelector("q")));
      s.appendChild(make("span", " " + item.querySelector(".meta").textContent, "meta"));
      d.appendChild(s);
      d.addEventListener("toggle", function () { if (d.open && d.children.length === 1) { var x = answerOf(a.getAttribute("href").slice(1)); if (x) d.appendChild(x); } });
      li.appendChild(d); ul.appendChild(li);
    });
    return ul;
  }
  function show(target) {
    var node = document.getElementById(target);
    if (!node) return;
    if (node.classList.contains("s")) { if (node.firstChild.textContent !== last.firstChild.textContent) body.appendChild(make("p", node.firstChild.textContent, "quote")); node.dataset.to.split(" ").forEach(show); return; }
    if (node.tagName === "MARK") { var x = answerOf(target); if (x) body.appendChild(x); return; }
    var d = make("details"); d.open = true;
    d.appendChild(bare(node.querySelector("summary") || make("summary", node.textContent)));
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
  panel.querySelector(".close").addEventListener("click", close);
  document.addEventListener("keydown", function (e) { if (e.key === "Escape" && !panel.hidden) close(); });
  function reveal() { var n = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1))); for (; n; n = n.parentElement) if (n.tagName === "DETAILS") n.open = true; }
  addEventListener("hashchange", reveal); reveal();
})();
