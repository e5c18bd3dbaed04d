// The pages work without this. With it: the panel opens in place, progress follows by itself, and the keyboard has shortcuts.
(function () {
  "use strict";
  var panel = document.getElementById("trace"), split = document.querySelector(".split"), opened = null;

  // sentences: open what one rests on without leaving the page
  function sentences() { return Array.prototype.slice.call(document.querySelectorAll("a.s[data-at]")); }
  function current() { return opened || (document.activeElement && document.activeElement.matches("a.s[data-at]") ? document.activeElement : null); }
  function show(link, focus) {
    var address = link.href.split("#")[0];
    fetch(address + (address.indexOf("?") < 0 ? "?" : "&") + "part=trace", { credentials: "same-origin" }).then(function (answer) {
      if (!answer.ok || answer.redirected) { location.href = link.href; return; }
      return answer.text().then(function (text) {
        panel.innerHTML = text; // our own fragment: everything from respondents is escaped in it, and the policy runs no script
        panel.hidden = false;
        split.classList.add("tracing");
        mark(link);
        history.replaceState(null, "", address);
        if (focus) panel.focus();
      });
    }, function () { location.href = link.href; });
  }
  function mark(link) {
    sentences().forEach(function (s) { s.classList.remove("on"); s.removeAttribute("aria-current"); });
    opened = link;
    if (link) { link.classList.add("on"); link.setAttribute("aria-current", "true"); }
  }
  function close() {
    if (!panel || panel.hidden) return;
    var link = opened, back = panel.querySelector("a.close");
    if (back) history.replaceState(null, "", back.href);
    panel.hidden = true;
    panel.textContent = "";
    split.classList.remove("tracing");
    mark(null);
    if (map) { dispatchEvent(new Event("resize")); map.querySelector("canvas").focus(); }
    if (link) link.focus();
  }
  if (panel) {
    document.addEventListener("click", function (e) {
      if (e.defaultPrevented || e.button || e.ctrlKey || e.metaKey || e.shiftKey) return;
      var link = e.target.closest("a.s[data-at]");
      if (link) { e.preventDefault(); show(link, true); return; }
      if (e.target.closest("a.close")) { e.preventDefault(); close(); }
    });
    var at = new URLSearchParams(location.search).get("at");
    if (at) sentences().forEach(function (s) { if (new URL(s.href).searchParams.get("at") === at) mark(s); });
  }

  // Enter in a form with several buttons means the one beside the field, not the first of the form; on a box that is ticked, none
  document.addEventListener("keydown", function (e) {
    if (e.key !== "Enter" || e.isComposing || !e.target.matches(".acts input, .choose input")) return;
    var row = e.target.closest(".row");
    e.preventDefault();
    if (row) row.querySelector("button").click();
  });

  // the map of a question: its points come apart, so that the page is there at once
  var map = document.getElementById("map");
  if (map) {
    map.hidden = false;
    fetch(map.dataset.points, { credentials: "same-origin" }).then(function (answer) { return answer.json(); }).then(function (data) {
      map.querySelector("[role=status]").textContent = "";
      drawMap(map, data, function (id) { return data.words[id] || ""; }, function (id) {
        fetch(map.dataset.idea + encodeURIComponent(id), { credentials: "same-origin" }).then(function (answer) {
          if (!answer.ok || answer.redirected) { location.reload(); return; }
          return answer.text().then(function (text) {
            panel.innerHTML = text; // our own fragment, as above
            panel.hidden = false;
            split.classList.add("tracing");
            dispatchEvent(new Event("resize"));
            panel.focus();
          });
        });
      });
    });
  }

  // times: in the reader's own zone, the words of the page around them
  Array.prototype.forEach.call(document.querySelectorAll("time[datetime]"), function (time) {
    var at = new Date(time.dateTime), two = function (n) { return (n < 10 ? "0" : "") + n; };
    if (isNaN(at)) return;
    var day = two(at.getDate()), month = two(at.getMonth() + 1), clock = two(at.getHours()) + ":" + two(at.getMinutes());
    time.title = time.textContent;
    time.textContent = document.documentElement.lang === "fr" ? day + "/" + month + "/" + at.getFullYear() + " à " + clock : at.getFullYear() + "-" + month + "-" + day + " " + clock;
  });

  // progress
  var progress = document.getElementById("progress");
  function later(seconds) { setTimeout(function () { location.reload(); }, seconds * 1000); }
  if (progress && window.EventSource) {
    var source = new EventSource(progress.dataset.events), order = Array.prototype.slice.call(progress.querySelectorAll("[data-stage]"));
    source.addEventListener("progress", function (e) {
      var told = JSON.parse(e.data), before = true;
      order.forEach(function (row) {
        var bar = row.querySelector("progress"), count = row.querySelector(".count");
        if (row.dataset.stage === told.stage) {
          before = false;
          row.className = "now";
          bar.max = told.total || 1;
          bar.value = told.done;
          count.textContent = told.done + " / " + told.total;
          document.getElementById("said").textContent = row.firstElementChild.textContent;
        } else if (before) { row.className = "over"; bar.value = bar.max; }
      });
    });
    source.addEventListener("state", function (e) {
      if (["done", "failed", "cancelled", "stopped"].indexOf(JSON.parse(e.data).state) >= 0) { source.close(); location.reload(); }
    });
    source.onerror = function () { if (source.readyState === EventSource.CLOSED) later(4); };
  } else if (progress) later(4);
  var waiting = document.querySelector("[data-reload]");
  if (waiting) later(Number(waiting.dataset.reload));

  // shortcuts
  var dialog = document.getElementById("shortcuts"), help = document.getElementById("help"), on = document.getElementById("shortcuts-on");
  var wanted = localStorage.getItem("shortcuts") !== "off";
  help.hidden = false;
  on.checked = wanted;
  on.addEventListener("change", function () { wanted = on.checked; localStorage.setItem("shortcuts", wanted ? "on" : "off"); });
  help.addEventListener("click", function () { dialog.showModal(); });
  function step(all, by) {
    var at = all.indexOf(current()), to = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by];
    if (to) { to.focus(); if (panel && !panel.hidden) show(to, false); else opened = null; }
  }
  function press(selector) { var found = document.querySelector(selector); if (found) found.click(); return found; }
  var keys = {
    j: function () { step(sentences(), 1); },
    k: function () { step(sentences(), -1); },
    n: function () {
      var all = sentences(), from = all.indexOf(current());
      var next = all.slice(from + 1).concat(all.slice(0, from + 1)).filter(function (s) { return s.classList.contains("flagged"); })[0];
      if (next) { next.focus(); if (panel) show(next, false); return; }
      // nothing left here: the next question that has something
      var steps = document.querySelector(".steps[data-flagged]");
      if (steps) location.href = steps.dataset.flagged;
    },
    o: function () {
      var all = document.querySelectorAll("#trace details.verbatim"), open = !document.querySelector("#trace details.verbatim:not([open])");
      all.forEach(function (d) { d.open = !open; });
    },
    e: function () {
      var box = document.getElementById("edit-sentence"), area = document.querySelector("#sentence-text, #label");
      if (box) box.open = true;
      if (area) area.focus();
    },
    m: function () { var choice = document.querySelector("#under, #new-level-2"); if (choice) choice.focus(); },
    c: function () { press("button.confirm"); },
    v: function () { press(".actions button.approve"); }, // a question; the whole draft is never approved by a slip of a finger
    u: function () { press("button.undo"); },
    "/": function () { var box = document.querySelector("#q-top, #q"); if (box) box.focus(); },
    "]": function () { press(".steps a[rel=next]"); },
    "[": function () { press(".steps a[rel=prev]"); },
    "?": function () { dialog.showModal(); }
  };
  document.addEventListener("keydown", function (e) {
    if (e.key === "Escape" && !dialog.open) { close(); return; }
    if (!wanted || e.ctrlKey || e.metaKey || e.altKey || dialog.open || e.target.closest("input, textarea, select")) return;
    if (keys[e.key]) { e.preventDefault(); keys[e.key](); }
  });
})();
