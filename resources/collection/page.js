"use strict";
// Look-up of an allele in a collection, and the map of its frequencies. The numbers are packed as
// scripts/goe/collect/comparison/lookup.py says, in files beside the page that script tags load. Nothing is asked of a
// network, nothing is sent, and text from outside only ever becomes a text node.
(() => {
  const facts = JSON.parse(document.getElementById("facts").textContent);
  const answer = document.getElementById("answer");
  const input = document.getElementById("query");
  const FIRST_COLUMNS = 4;
  const PER_STRATUM = 4;
  const LISTED = 60;
  const STEPS = [0.001, 0.01, 0.05, 0.2, 0.5];
  const LEGEND = ["absent", "below 0.1 %", "0.1 to 1 %", "1 to 5 %", "5 to 20 %", "20 to 50 %", "50 % and more"];

  // ---- elements

  function element(space, name, attributes, children) {
    const node = document.createElementNS(space, name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (value !== null && value !== undefined) node.setAttribute(key, value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  }
  const h = (name, attributes, ...children) => element("http://www.w3.org/1999/xhtml", name, attributes, children);
  const g = (name, attributes, ...children) => element("http://www.w3.org/2000/svg", name, attributes, children);
  const whole = (n) => n.toLocaleString("en-GB");

  function percent(value) {
    if (value === 0) return "0";
    const share = 100 * value;
    if (share < 0.001) return `${share.toExponential(0)}\u202f%`;
    return `${Number(share.toPrecision(share < 10 ? 2 : 3))}\u202f%`;
  }

  let regions = null;
  try {
    regions = new Intl.DisplayNames(["en"], { type: "region" });
  } catch {
    regions = null;
  }
  function country(code) {
    if (code === "Total") return "everybody";
    try {
      return regions ? regions.of(code) : code;
    } catch {
      return code;
    }
  }
  for (const node of document.querySelectorAll("[data-stratum]")) node.textContent = country(node.dataset.stratum);
  for (const node of document.querySelectorAll("[data-words]")) node.append(g("title", {}, node.dataset.words));

  // ---- the numbers

  class Trouble extends Error {}

  class Chunk {
    constructor(bytes, first) {
      const length = new DataView(bytes.buffer).getUint32(0, true);
      Object.assign(this, JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))));
      this.data = bytes.subarray(4 + length);
      this.pos = new Int32Array(this.n);
      for (let i = 0, pos = first; i < this.n; i++) this.pos[i] = pos += this.cell(0, i);
    }

    cell(column, i) {
      const [base, width, at] = this.columns[column];
      let value = 0;
      for (let plane = width - 1; plane >= 0; plane--) value = value * 256 + this.data[at + plane * this.n + i];
      return base + value;
    }

    allele(i) {
      const [pair, filter, status] = [this.pairs, this.filters, this.status].map((words, k) => words[this.cell(k + 1, i)]);
      const numbers = facts.strata.map((stratum, s) => {
        const [lo, more, an, anMore] = [0, 1, 2, 3].map((k) => this.cell(FIRST_COLUMNS + PER_STRATUM * s + k, i));
        return { name: stratum.name, lo, hi: lo + more, an, anHi: an + anMore };
      });
      return { pos: this.pos[i], pair, filter, status, numbers };
    }
  }

  const files = new Map();
  window.goeCollection = (collection, contig, number, chunks) => files.set(`${contig} ${number}`, { collection, chunks });

  function load(contig, number) {
    const key = `${contig} ${number}`;
    if (files.has(key)) return Promise.resolve(files.get(key));
    const path = `${facts.folder}/${contig}.${String(number).padStart(3, "0")}.js`;
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      const missing = `The numbers are in the folder ${facts.folder}, and ${path} could not be read. Open this page from the whole collection.`;
      script.src = path;
      script.onload = () => {
        script.remove();
        const file = files.get(key);
        files.clear();
        if (!file) return reject(new Trouble(missing));
        if (file.collection !== facts.collection) {
          return reject(new Trouble(`${path} belongs to ${file.collection}, this page to ${facts.collection}.`));
        }
        files.set(key, file);
        resolve(file);
      };
      script.onerror = () => {
        script.remove();
        reject(new Trouble(missing));
      };
      document.head.append(script);
    });
  }

  async function chunk(contig, number) {
    if (!("DecompressionStream" in window)) {
      throw new Trouble("This browser is too old to unpack the numbers. Use one from 2023 or later.");
    }
    const per = facts.chunks_per_file;
    const packed = atob((await load(contig.name, Math.floor(number / per))).chunks[number % per]);
    const bytes = Uint8Array.from(packed, (letter) => letter.charCodeAt(0));
    const [first, , , , check] = contig.chunks[number];
    if (new DataView(bytes.buffer).getUint32(bytes.length - 4) !== check) {
      throw new Trouble("A part of the numbers is not the one this page was made with. Check the folder.");
    }
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Chunk(new Uint8Array(await new Response(stream).arrayBuffer()), first);
  }

  async function overlapping(contig, start, end, most) {
    const found = [];
    for (const [number, [first, , last]] of contig.chunks.entries()) {
      if (first > end || last < start) continue;
      const part = await chunk(contig, number);
      for (let i = 0; i < part.n && part.pos[i] <= end; i++) {
        const reach = part.pos[i] + part.pairs[part.cell(1, i)].indexOf(">") - 1;
        if (reach < start) continue;
        if (found.length >= most) return { found, more: true };
        found.push(part.allele(i));
      }
    }
    return { found, more: false };
  }

  // ---- what was asked

  const plain = (name) => name.replace(/^chr/i, "").toUpperCase().replace(/^MT$/, "M");

  function contigOf(name) {
    const found = facts.contigs.find((contig) => plain(contig.name) === plain(name));
    if (found) return found;
    throw new Trouble(`${name} is no contig here; there are ${facts.contigs.map((contig) => contig.name).join(", ")}.`);
  }

  function understand(asked) {
    const words = asked.trim().replace(/[\u2010-\u2015\u2212]/g, "-");
    if (!words) return null;
    const allele = words.match(/^([A-Za-z0-9.]+)[ :_-]+(\d[\d,]*)[ :_-]*([ACGTacgt]+)[ >:_/-]+([ACGTacgt]+)$/);
    if (allele) {
      const pos = Number(allele[2].replaceAll(",", ""));
      return { contig: contigOf(allele[1]), start: pos, end: pos, pair: `${allele[3]}>${allele[4]}`.toUpperCase() };
    }
    const region = words.match(/^([A-Za-z0-9.]+)[ :_-]+(\d[\d,]*)(?:[ .-]+(\d[\d,]*))?$/);
    if (region) {
      const [start, end] = [region[2], region[3] || region[2]].map((digits) => Number(digits.replaceAll(",", "")));
      if (end < start) throw new Trouble("The region ends before it starts.");
      return { contig: contigOf(region[1]), start, end, pair: null };
    }
    throw new Trouble("Ask for an allele as chr1-12345-A-G, or for a region as chr1:12,000-13,000.");
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
      const link = h("a", { href: `#q=${encodeURIComponent(id)}` }, shown);
      return h("tr", {}, h("th", { scope: "row" }, link), h("td", {}, allele.filter), h("td", { class: "n" }, figure(total)));
    });
    const heads = ["Allele", "FILTER", "AF of everybody"].map((words, i) => h("th", { scope: "col", class: i > 1 ? "n" : null }, words));
    const body = h("table", { class: "list" }, h("thead", {}, h("tr", {}, ...heads)), h("tbody", {}, ...rows));
    return [body, more ? h("p", { class: "note" }, `The first ${whole(found.length)}: ask for a smaller region.`) : null];
  }

  async function tell({ contig, start, end, pair }) {
    const { found, more } = await overlapping(contig, start, end, pair ? 1000 : LISTED);
    const allele = pair && found.find((one) => one.pos === start && one.pair === pair);
    if (allele) return detail(contig, allele);
    const words = pair
      ? "No dataset lists this allele. That is not the same as absent: where nobody lists it, nothing is added up."
      : "No allele of this region is in the collection.";
    const head = pair ? `${contig.name}-${start}-${pair.replace(">", "-")}` : `${contig.name}:${whole(start)}-${whole(end)}`;
    const out = [h("h3", {}, head)];
    if (pair || !found.length) out.push(h("p", { id: "nothere" }, words));
    return found.length ? [...out, ...list(contig, found, more)] : out;
  }

  let turn = 0;
  async function ask(query) {
    const mine = ++turn;
    answer.setAttribute("aria-busy", "true");
    let nodes;
    try {
      const asked = understand(query);
      nodes = asked ? await tell(asked) : [];
    } catch (error) {
      if (!(error instanceof Trouble)) console.error(error);
      const words = error instanceof Trouble ? error.message : `The numbers could not be read: ${error.message}`;
      nodes = [h("p", { id: "trouble" }, words)];
    }
    if (mine !== turn) return;
    document.getElementById("lookup").classList.add("asked");
    answer.replaceChildren(...nodes.filter((node) => node !== null));
    answer.removeAttribute("aria-busy");
  }

  function fromAddress() {
    const match = location.hash.match(/^#q=(.*)$/);
    if (!match) return false;
    let query = match[1];
    try {
      query = decodeURIComponent(query);
    } catch {
      // Left as it is: not written by this page.
    }
    input.value = query;
    ask(query);
    document.getElementById("lookup").scrollIntoView();
    return true;
  }

  document.getElementById("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    const wanted = `#q=${encodeURIComponent(input.value)}`;
    if (location.hash === wanted) ask(input.value);
    else location.hash = wanted;
  });
  window.addEventListener("hashchange", fromAddress);
  // The map is never empty: it opens on the allele that differs most between countries.
  if (!fromAddress() && input.dataset.example) {
    input.value = input.dataset.example;
    ask(input.dataset.example);
  }

  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const one of opened) one.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const one of opened) one.open = false;
  });
})();
