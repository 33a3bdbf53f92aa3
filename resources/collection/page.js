"use strict";
// What the page of a collection answers to a query: the map of an allele's frequencies, or the alleles of a region.
(() => {
  const { facts, h, g, whole, link, country: named, Trouble, overlapping, take, begin } = lookup;
  const FIRST_COLUMNS = 4;
  const PER_STRATUM = 4;
  const LISTED = 60;
  const STEPS = [0.001, 0.01, 0.05, 0.2, 0.5];
  const LEGEND = ["absent", "below 0.1 %", "0.1 to 1 %", "1 to 5 %", "5 to 20 %", "20 to 50 %", "50 % and more"];
  for (const node of document.querySelectorAll("[data-words]")) node.append(g("title", {}, node.dataset.words));

  const country = (code) => (code === "Total" ? "everybody" : named(code));

  function percent(value) {
    if (value === 0) return "0";
    const share = 100 * value;
    if (share < 0.001) return `${share.toExponential(0)}\u202f%`;
    return `${Number(share.toPrecision(share < 10 ? 2 : 3))}\u202f%`;
  }

  // What a chunk has of an allele (scripts/goe/collect/comparison/lookup.py).
  function alleleOf({ part, i }) {
    const numbers = facts.strata.map((stratum, s) => {
      const [lo, more, an, anMore] = [0, 1, 2, 3].map((k) => part.cell(FIRST_COLUMNS + PER_STRATUM * s + k, i));
      return { name: stratum.name, lo, hi: lo + more, an, anHi: an + anMore };
    });
    const [filter, status] = [part.filters[part.cell(2, i)], part.status[part.cell(3, i)]];
    return { pos: part.pos[i], pair: part.pair(i), filter, status, numbers };
  }

  // ---- what is shown

  const exact = (n) => n.lo === n.hi && n.an === n.anHi && n.an > 0;
  const low = (n) => (n.anHi ? n.lo / n.anHi : 0);
  const high = (n) => (n.an ? Math.min(1, n.hi / n.an) : 1);

  function shade(af) {
    if (af === 0) return 0;
    const step = STEPS.findIndex((edge) => af < edge);
    return step < 0 ? STEPS.length + 1 : step + 1;
  }

  function figure(n) {
    if (!n || !n.anHi) return "–";
    return exact(n) ? percent(n.lo / n.an) : `${percent(low(n))} to ${percent(high(n))}`;
  }

  function tile(code, column, row, n) {
    const [x, y, size] = [column * 74, row * 66, 62];
    const box = { x, y, width: 70, height: size, rx: 6 };
    if (!n) return g("g", {}, g("rect", { class: "none", ...box }), label(x, y, code, "faint"));
    if (!n.anHi) {
      const words = `${country(code)}: not counted at this allele`;
      return g("g", {}, g("title", {}, words), g("rect", { class: "silent", ...box }), label(x, y, code, "ink"), note(x, y, "?", "ink"));
    }
    const step = shade(low(n));
    const ink = step > 3 ? "pale" : "ink";
    const sure = exact(n);
    const words = `${country(code)}: ${figure(n)}, AC ${sure ? whole(n.lo) : `${whole(n.lo)} to ${whole(n.hi)}`} of ${whole(n.an)}`;
    const text = sure ? percent(n.lo / n.an) : `≤ ${percent(high(n))}`;
    return g(
      "g",
      {},
      g("title", {}, words),
      g("rect", { class: `tile t${step}`, ...box }),
      sure ? null : g("rect", { class: "bounds", x: x + 1.5, y: y + 1.5, width: 67, height: size - 3, rx: 5 }),
      label(x, y, code, ink),
      note(x, y, n.lo > 0 && !sure ? figure(n).replace(" to ", "–") : text, ink),
    );
  }
  const label = (x, y, words, cls) => g("text", { class: `code ${cls}`, x: x + 35, y: y + 28, "text-anchor": "middle" }, words);
  const note = (x, y, words, cls) => g("text", { class: `af ${cls}`, x: x + 35, y: y + 47, "text-anchor": "middle" }, words);

  function map(numbers) {
    const by = new Map(numbers.map((n) => [n.name, n]));
    const placed = new Set(facts.tiles.map(([code]) => code));
    const rows = Math.max(...facts.tiles.map(([, , row]) => row)) + 1;
    const others = numbers.filter((n) => n.name !== "Total" && !placed.has(n.name));
    const extra = others.map((n, i) => tile(n.name, i % 9, rows + Math.floor(i / 9), n));
    const width = (Math.max(...facts.tiles.map(([, column]) => column)) + 1) * 74;
    const height = (rows + Math.ceil(others.length / 9)) * 66;
    const tiles = facts.tiles.map(([code, column, row]) => tile(code, column, row, by.get(code)));
    const words = numbers.filter((n) => n.name !== "Total").map((n) => `${country(n.name)} ${figure(n)}`);
    return g("svg", { class: "map", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": words.join(", ") }, ...tiles, ...extra);
  }

  function legend() {
    const entries = LEGEND.map((words, i) => [`t${i}`, words]);
    entries.push(["bounds", "in bounds: a dataset withholds"], ["silent", "not counted here"], ["none", "not in the collection"]);
    const items = entries.map(([cls, words]) =>
      h("li", {}, g("svg", { "aria-hidden": "true" }, g("rect", { class: cls, width: 12, height: 12, rx: 2 })), words),
    );
    return h("ul", { class: "key" }, ...items);
  }

  function table(numbers) {
    const cell = (words) => h("td", { class: "n" }, words);
    const span = (from, to) => (from === to ? whole(from) : `${whole(from)} to ${whole(to)}`);
    const rows = numbers.map((n) => {
      const head = h("th", { scope: "row" }, n.name, " ", h("span", { class: "mute" }, country(n.name)));
      const cells = n.anHi ? [span(n.lo, n.hi), span(n.an, n.anHi), figure(n)] : ["–", "–", "not counted"];
      return h("tr", { class: n.name === "Total" ? "first" : null }, head, ...cells.map(cell));
    });
    const heads = ["People from", "AC", "AN", "AF"].map((words, i) => h("th", { scope: "col", class: i ? "n" : null }, words));
    return h("table", { id: "numbers" }, h("thead", {}, h("tr", {}, ...heads)), h("tbody", {}, ...rows));
  }

  const name = (contig, allele) => `${contig.name}-${allele.pos}-${allele.pair.replace(">", "-")}`;

  function detail(contig, allele) {
    const verdict = h("span", { class: allele.filter === "PASS" ? "ok" : "chip" }, allele.filter);
    const said = facts.datasets.map((dataset, i) =>
      h("li", {}, h("b", {}, dataset.name), `: ${facts.status[allele.status[i]] || allele.status[i]}`),
    );
    return [
      h("h3", {}, name(contig, allele)),
      h("p", { class: "answerline" }, verdict),
      map(allele.numbers),
      legend(),
      h("div", { class: "scroll" }, table(allele.numbers)),
      h("details", { class: "said" }, h("summary", {}, "What each dataset says"), h("ul", {}, ...said)),
    ];
  }

  function list(contig, found, more) {
    const rows = found.map((allele) => {
      const id = name(contig, allele);
      const shown = id.length > 44 ? `${id.slice(0, 42)}…` : id;
      const total = allele.numbers.find((n) => n.name === "Total");
      return h("tr", {}, h("th", { scope: "row" }, link(id, shown)), h("td", {}, allele.filter), h("td", { class: "n" }, figure(total)));
    });
    const heads = ["Allele", "FILTER", "AF of everybody"].map((words, i) => h("th", { scope: "col", class: i > 1 ? "n" : null }, words));
    const body = h("table", { class: "list" }, h("thead", {}, h("tr", {}, ...heads)), h("tbody", {}, ...rows));
    return [body, more ? h("p", { class: "note" }, `The first ${whole(found.length)}: ask for a smaller region.`) : null];
  }

  async function tell({ contig, pos, ref, alt, start, end, rs }) {
    if (rs) throw new Trouble("A collection has no rs numbers: ask by position and alleles, such as chr1-12345-A-G.");
    const pair = ref && `${ref}>${alt}`;
    if (pair) [start, end] = [pos, pos];
    const [hits, all] = await take(overlapping(contig, start, end), pair ? 1000 : LISTED);
    const found = hits.map(alleleOf);
    const allele = pair && found.find((one) => one.pos === start && one.pair === pair);
    if (allele) return detail(contig, allele);
    const words = pair
      ? "No dataset lists this allele. That is not the same as absent: where nobody lists it, nothing is added up."
      : "No allele of this region is in the collection.";
    const head = pair ? `${contig.name}-${start}-${pair.replace(">", "-")}` : `${contig.name}:${whole(start)}-${whole(end)}`;
    const out = [h("h3", {}, head)];
    if (pair || !found.length) out.push(h("p", { id: "nothere" }, words));
    return found.length ? [...out, ...list(contig, found, !all)] : out;
  }

  begin(tell);
})();
