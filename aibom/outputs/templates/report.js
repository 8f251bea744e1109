"use strict";

// Filters what is on the page. It reads attributes and text, and changes `hidden` and text only.
(() => {
  const form = document.getElementById("filters");
  const status = document.getElementById("status");
  const search = document.getElementById("q");
  const rule = document.getElementById("rule");
  const kind = document.getElementById("kind");

  const folded = (text) => text.normalize("NFKC").toLowerCase();
  const lists = [...document.querySelectorAll("[data-list]")].map((list) => {
    const id = list.dataset.list;
    const count = document.querySelector(`[data-count="${id}"]`);
    return {
      id,
      rows: [...list.querySelectorAll(".row")],
      groups: [...list.querySelectorAll("article")],
      none: document.querySelector(`[data-none="${id}"]`),
      count,
      all: count ? count.textContent : "",
    };
  });

  // The words of a row are gathered when they are first searched.
  const gathered = new WeakMap();
  const wordsOf = (row) => {
    let words = gathered.get(row);
    if (words === undefined) {
      const head = row.closest("article")?.querySelector("header")?.textContent ?? "";
      words = folded(`${head} ${row.textContent}`);
      gathered.set(row, words);
    }
    return words;
  };

  const chosen = (name) =>
    new Set([...form.querySelectorAll(`input[name="${name}"]:checked`)].map((box) => box.value));

  const apply = () => {
    const wanted = folded(search.value).split(/\s+/u).filter(Boolean);
    const severities = chosen("severity");
    const standings = chosen("standing");
    const matches = (row) => {
      const of = row.dataset;
      if (of.severity !== undefined && !severities.has(of.severity)) return false;
      if (of.standing !== undefined && !of.standing.split(" ").some((each) => standings.has(each))) return false;
      if (rule?.value && of.rule !== undefined && of.rule !== rule.value) return false;
      // What is about no component of any kind (a gap, a check) is not filtered by kind.
      if (kind?.value && (of.kind ?? (of.rule === undefined ? kind.value : "")) !== kind.value) return false;
      return wanted.every((word) => wordsOf(row).includes(word));
    };
    const told = [];
    for (const list of lists) {
      let shown = 0;
      for (const row of list.rows) {
        row.hidden = !matches(row);
        if (!row.hidden) shown += 1;
      }
      for (const group of list.groups) group.hidden = !group.querySelector(".row:not([hidden])");
      if (list.none) list.none.hidden = shown > 0 || list.rows.length === 0;
      const part = shown < list.rows.length;
      if (list.count) list.count.textContent = part ? `${shown.toLocaleString("en")} of ${list.all}` : list.all;
      if (list.id === "findings" || list.id === "components") {
        told.push(`${shown.toLocaleString("en")} of ${list.all} ${list.id}`);
      }
    }
    status.textContent = told.length ? `Showing ${told.join(", ")}.` : "";
  };

  let waiting;
  const soon = () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(apply);
  };
  form.addEventListener("input", soon);
  form.addEventListener("reset", soon);
  form.addEventListener("submit", (event) => event.preventDefault());

  // A slash leads to the search, as on other pages of this kind.
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.('input[type="search"], select');
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
    }
  });

  // A link to a row that the filters hide shows everything again.
  document.addEventListener("click", (event) => {
    const target = event.target.closest?.('a[href^="#c"]')?.getAttribute("href");
    if (target && document.getElementById(target.slice(1))?.hidden) {
      form.reset();
      apply();
    }
  });

  form.hidden = false;
  apply();
})();
