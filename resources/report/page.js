"use strict";
// Look-up of an allele or a region in the released table. The table is packed as scripts/goe/report_lookup.py says: in
// the page, or in files beside it that script tags load. Nothing is asked of a network, nothing is sent, and text from
// outside only ever becomes a text node.
(() => {
  const facts = JSON.parse(document.getElementById("facts").textContent);
  const meanings = new Map(Object.entries(facts.filters));
  const answer = document.getElementById("answer");
  const input = document.getElementById("query");
  const PAGE = 100;
  const KEPT = 8;
  const FIRST_COLUMNS = 4;
  const PER_STRATUM = 5;

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

  function frequency(value) {
    if (value === 0 || value === 1) return String(value);
    if (value < 1e-4) return value.toExponential(2).replace(/\.?0+e/, "e");
    return String(Number(value.toPrecision(4)));
  }

  // ---- names of countries, which the browser knows

  let regions = null;
  try {
    regions = new Intl.DisplayNames(["en"], { type: "region" });
  } catch {
    regions = null;
  }
  function country(code) {
    try {
      return regions ? regions.of(code) : code;
    } catch {
      return code;
    }
  }
  const SEXES = { M: "male", F: "female" };
  function label(stratum) {
    if (stratum === "Total") return "everybody";
    if (stratum in SEXES) return SEXES[stratum];
    const [code, sex] = stratum.split("_");
    return sex ? `${country(code)}, ${SEXES[sex]}` : country(code);
  }
  for (const node of document.querySelectorAll("[data-stratum]")) node.textContent = label(node.dataset.stratum);

  // ---- the table

  class Chunk {
    constructor(bytes) {
      const length = new DataView(bytes.buffer).getUint32(0, true);
      const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
      this.n = head.n;
      this.pairs = head.pairs;
      this.filters = head.filters;
      this.columns = head.columns;
      this.data = bytes.subarray(4 + length);
    }

    cell(column, i) {
      const [base, width, at] = this.columns[column];
      let value = 0;
      for (let plane = width - 1; plane >= 0; plane--) value = value * 256 + this.data[at + plane * this.n + i];
      return base + value;
    }

    places(first) {
      this.pos = new Int32Array(this.n);
      let pos = first;
      for (let i = 0; i < this.n; i++) this.pos[i] = pos += this.cell(0, i);
    }

    pair(i) {
      return this.pairs[this.cell(1, i)];
    }

    filter(i) {
      return this.filters[this.cell(2, i)];
    }

    faf(i) {
      const view = new DataView(new ArrayBuffer(4));
      view.setUint32(0, this.cell(3, i));
      return view.getFloat32(0);
    }

    shown(stratum, i) {
      return this.cell(FIRST_COLUMNS + PER_STRATUM * stratum, i) === 1;
    }

    // Number `which` (AN, heterozygotes, homozygotes, hemizygotes) of a stratum: its own remainder and its parts.
    number(stratum, which, i) {
      if (!this.shown(stratum, i)) return 0;
      let value = this.cell(FIRST_COLUMNS + PER_STRATUM * stratum + 1 + which, i);
      for (const part of facts.strata[stratum].parts) value += this.number(part, which, i);
      return value;
    }

    // Numbers of a stratum, or null when they are withheld.
    numbers(stratum, i) {
      if (!this.shown(stratum, i)) return null;
      const [an, het, hom, hemi] = [0, 1, 2, 3].map((which) => this.number(stratum, which, i));
      const ac = 2 * hom + het + hemi;
      return { ac, an, af: an ? ac / an : null, hom: 2 * hom, het, hemi, nhomalt: hom };
    }
  }

  class Trouble extends Error {}

  const files = new Map();
  window.goeLookup = (dataset, contig, number, chunks) => files.set(`${contig} ${number}`, { dataset, chunks });

  function load(contig, number) {
    const key = `${contig} ${number}`;
    if (files.has(key)) return Promise.resolve(files.get(key));
    const path = `${facts.folder}/${contig}.${String(number).padStart(3, "0")}.js`;
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      const missing =
        `The table is in the folder ${facts.folder} of the release, and ${path} could not be read. ` +
        "Open this page from the whole release folder.";
      script.src = path;
      script.onload = () => {
        script.remove();
        const file = files.get(key);
        files.clear();
        if (!file) return reject(new Trouble(missing));
        if (file.dataset !== facts.dataset) {
          return reject(new Trouble(`${path} belongs to ${file.dataset}, this page to ${facts.dataset}.`));
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

  async function text(contig, number) {
    if (!facts.folder) return document.getElementById(`chunk-${contig.name}-${number}`).textContent;
    const per = facts.chunks_per_file;
    return (await load(contig.name, Math.floor(number / per))).chunks[number % per];
  }

  const cache = new Map();
  async function chunk(contig, number) {
    const key = `${contig.name} ${number}`;
    let found = cache.get(key);
    if (found) {
      cache.delete(key);
    } else {
      if (!("DecompressionStream" in window)) {
        throw new Trouble("This browser is too old to unpack the table. Use one from 2023 or later.");
      }
      const packed = atob((await text(contig, number)).trim());
      const bytes = new Uint8Array(packed.length);
      for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
      const [first, , , , check] = contig.chunks[number];
      if (new DataView(bytes.buffer).getUint32(bytes.length - 4) !== check) {
        throw new Trouble(
          "A part of the table is not the one this page was made with. Check the folder with its manifest.",
        );
      }
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
      found = new Chunk(new Uint8Array(await new Response(stream).arrayBuffer()));
      found.places(first);
    }
    cache.set(key, found);
    if (cache.size > KEPT) cache.delete(cache.keys().next().value);
    return found;
  }

  const reach = (part, i) => part.pos[i] + part.pair(i).indexOf(">") - 1;

  // Numbers of the chunks that may hold alleles whose REF overlaps start to end.
  function candidates(contig, start, end) {
    return contig.chunks.flatMap(([first, , last], number) => (first <= end && last >= start ? [number] : []));
  }

  async function* overlapping(contig, start, end) {
    for (const number of candidates(contig, start, end)) {
      const part = await chunk(contig, number);
      for (let i = 0; i < part.n && part.pos[i] <= end; i++) {
        if (part.pos[i] >= start || reach(part, i) >= start) yield { contig, part, i };
      }
    }
  }

  async function count(contig, start, end) {
    let n = 0;
    for (const number of candidates(contig, start, end)) {
      const [first, last, , alleles] = contig.chunks[number];
      if (first >= start && last <= end) {
        n += alleles;
      } else {
        const part = await chunk(contig, number);
        for (let i = 0; i < part.n && part.pos[i] <= end; i++) n += part.pos[i] >= start || reach(part, i) >= start;
      }
    }
    return n;
  }

  // ---- what was asked

  const plain = (name) => name.replace(/^chr/i, "").toUpperCase().replace(/^MT$/, "M");

  function contigOf(name) {
    const found = facts.contigs.find((contig) => plain(contig.name) === plain(name));
    if (found) return found;
    const all = facts.contigs.map((contig) => contig.name).join(", ");
    throw new Trouble(`${name} is no contig of this release, which has ${all}.`);
  }

  function within(contig, pos) {
    if (pos < 1 || pos > contig.length) {
      throw new Trouble(`${contig.name} has positions 1 to ${whole(contig.length)}: ${whole(pos)} is not one of them.`);
    }
    return pos;
  }

  const integer = (digits) => Number(digits.replaceAll(",", ""));

  function understand(asked) {
    const words = asked
      .trim()
      .replace(/[\u2010-\u2015\u2212]/g, "-")
      .replace(/\s+/g, " ");
    if (!words) return null;
    if (/^rs\d+$/i.test(words)) {
      throw new Trouble(
        `${words}: the release has no rs numbers. Ask by position and alleles, such as chr1-12345-A-G.`,
      );
    }
    const allele = words.match(
      /^([A-Za-z0-9.]+) ?[ :_-] ?(?:g\.)?(\d[\d,]*)(?: (?:\.|rs\d+))? ?[ :_-]? ?([A-Za-z*]+) ?[ >:_/-] ?([A-Za-z*]+)$/,
    );
    if (allele) {
      const contig = contigOf(allele[1]);
      let pos = within(contig, integer(allele[2]));
      let [ref, alt] = [allele[3].toUpperCase(), allele[4].toUpperCase()];
      if (!/^[ACGT]+$/.test(ref + alt)) throw new Trouble("Alleles are written with A, C, G and T.");
      if (ref === alt) throw new Trouble("REF and ALT are the same.");
      while (ref.length > 1 && alt.length > 1 && ref.at(-1) === alt.at(-1)) {
        ref = ref.slice(0, -1);
        alt = alt.slice(0, -1);
      }
      while (ref.length > 1 && alt.length > 1 && ref[0] === alt[0]) {
        ref = ref.slice(1);
        alt = alt.slice(1);
        pos++;
      }
      return { contig, pos, ref, alt };
    }
    const region = words.match(/^([A-Za-z0-9.]+)(?: ?[ :_-] ?(\d[\d,]*)(?: ?(?:-|_| |\.\.) ?(\d[\d,]*))?)?$/);
    if (region && (region[2] || facts.contigs.some((contig) => plain(contig.name) === plain(region[1])))) {
      const contig = contigOf(region[1]);
      if (!region[2]) return { contig, start: 1, end: contig.length };
      const start = within(contig, integer(region[2]));
      const end = region[3] ? Math.min(integer(region[3]), contig.length) : start;
      if (end < start) throw new Trouble(`The region ends (${whole(end)}) before it starts (${whole(start)}).`);
      return { contig, start, end };
    }
    throw new Trouble("Ask for an allele as chr1-12345-A-G or chr1:12,345 A>G, or for a region as chr1:12,000-13,000.");
  }

  // ---- what is shown

  const name = (contig, pos, pair) => `${contig.name}-${pos}-${pair.replace(">", "-")}`;
  const shorter = (bases) => `${bases.slice(0, 12)}…(${whole(bases.length)})`;
  const link = (query, shown) => h("a", { href: `#q=${encodeURIComponent(query)}` }, shown || query);

  function kind(pair) {
    const [ref, alt] = pair.split(">").map((bases) => bases.length);
    if (ref === 1 && alt === 1) return "SNV";
    if (ref === 1) return `insertion of ${alt - 1}`;
    return alt === 1 ? `deletion of ${ref - 1}` : "complex";
  }

  function verdict(filter) {
    return filter === "PASS"
      ? [h("span", { class: "ok" }, "PASS")]
      : filter.split(";").map((reason) => h("span", { class: "chip" }, reason));
  }

  function bar(value, most) {
    const width = most ? (100 * value) / most : 0;
    return g(
      "svg",
      { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" },
      g("rect", { class: "track", width: 100, height: 8 }),
      g("rect", { class: "f-accent", width, height: 8 }),
    );
  }

  function row(stratum, numbers, most) {
    const cls = stratum.name === "Total" ? "first" : stratum.name.includes("_") ? "second" : null;
    const head = h("th", { scope: "row" }, stratum.name, " ", h("span", { class: "mute" }, label(stratum.name)));
    const people = h("td", { class: "n mute" }, stratum.people === null ? "" : whole(stratum.people));
    if (!numbers) return h("tr", { class: cls }, head, people, h("td", { class: "withheld", colspan: 8 }, "withheld"));
    const n = (value) => h("td", { class: "n" }, whole(value));
    const af =
      numbers.af === null
        ? h("td", { class: "n", title: "AN is 0" }, "–")
        : h("td", { class: "n", title: `AF ${numbers.af}` }, frequency(numbers.af));
    const drawn = h("td", { class: "bar" }, numbers.af === null ? null : bar(numbers.af, most));
    const rest = [numbers.hom, numbers.het, numbers.hemi, numbers.nhomalt].map(n);
    return h("tr", { class: cls }, head, people, n(numbers.ac), n(numbers.an), af, drawn, ...rest);
  }

  function detail({ contig, part, i }) {
    const pair = part.pair(i);
    const filter = part.filter(i);
    const faf = part.faf(i);
    const all = facts.strata.map((stratum, s) => part.numbers(s, i));
    const most = Math.max(...all.map((numbers) => (numbers && numbers.af) || 0));
    const heads = [
      ["Stratum", "", null],
      ["People", "n mute", "people of the stratum"],
      ["AC", "n", "copies of the allele"],
      ["AN", "n", "called alleles"],
      ["AF", "n", "AC / AN"],
      ["", "", "AF, drawn"],
      ["Hom", "n", "AC_Hom: copies in homozygotes, 2 a person"],
      ["Het", "n", "AC_Het: copies in heterozygotes"],
      ["Hemi", "n", "AC_Hemi: copies in haploid calls"],
      ["nhomalt", "n", "homozygous people"],
    ].map(([text_, cls, title]) => h("th", { scope: "col", class: cls || null, title }, text_));
    const total = all[facts.strata.findIndex((stratum) => stratum.name === "Total")];
    const none = total && total.an === 0 ? "–" : "withheld";
    const out = [
      h("h3", {}, name(contig, part.pos[i], pair)),
      h(
        "p",
        { class: "answerline" },
        h("span", {}, kind(pair)),
        h("span", {}, "FILTER ", ...verdict(filter)),
        h(
          "span",
          { title: "lower bound of the 95 % confidence interval of AF, of Total" },
          "faf95 ",
          h("b", { id: "faf95" }, Number.isNaN(faf) ? none : frequency(faf)),
        ),
      ),
    ];
    for (const reason of filter === "PASS" ? [] : filter.split(";")) {
      out.push(h("p", { class: "meaning" }, h("b", {}, reason), `: ${meanings.get(reason) || facts.other_filter}`));
    }
    const body = h("tbody", {}, ...facts.strata.map((stratum, s) => row(stratum, all[s], most)));
    const table = h("table", { id: "numbers" }, h("thead", {}, h("tr", {}, ...heads)), body);
    out.push(
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Numbers of the strata" }, table),
    );
    let foot = "AC, AN, Hom, Het and Hemi count alleles; nhomalt counts people.";
    if (all.includes(null)) foot += " Withheld: not public, which is not 0.";
    out.push(h("p", { class: "note" }, foot));
    return out;
  }

  function lines(rows) {
    return rows.map(({ contig, part, i }) => {
      const pair = part.pair(i);
      const total = part.numbers(
        facts.strata.findIndex((stratum) => stratum.name === "Total"),
        i,
      );
      const id = name(contig, part.pos[i], pair);
      const cells = total
        ? [whole(total.ac), whole(total.an), total.af === null ? "–" : frequency(total.af)].map((x) =>
            h("td", { class: "n" }, x),
          )
        : [h("td", { class: "withheld", colspan: 3 }, "withheld")];
      return h(
        "tr",
        {},
        h("th", { scope: "row" }, link(id, name(contig, part.pos[i], pair.replace(/[ACGT]{24,}/g, shorter)))),
        h("td", {}, kind(pair)),
        h("td", {}, ...verdict(part.filter(i))),
        ...cells,
      );
    });
  }

  function list(rows) {
    const body = h("tbody", {}, ...lines(rows));
    const heads = ["Allele", "Class", "FILTER", "AC", "AN", "AF"].map((x, i) =>
      h("th", { scope: "col", class: i > 2 ? "n" : null }, x),
    );
    const table = h("table", { class: "list" }, h("thead", {}, h("tr", {}, ...heads)), body);
    return [body, h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Alleles" }, table)];
  }

  async function take(source, n) {
    const rows = [];
    while (rows.length < n) {
      const { value, done } = await source.next();
      if (done) return [rows, true];
      rows.push(value);
    }
    return [rows, false];
  }

  function reasons() {
    const some = ["nobody in the cohort had a called copy of it"];
    if (!facts.open) some.push("too few people carry it, or too few do not, and it is withheld");
    some.push("the position could not be called", "it is written in another way in the release: look at the region");
    return h("ul", {}, ...some.map((reason) => h("li", {}, reason)));
  }

  const NOT_HERE = "not in this release (which is not the same as absent)";

  async function allele({ contig, pos, ref, alt }) {
    const near = [];
    for await (const hit of overlapping(contig, pos, pos)) {
      if (hit.part.pos[hit.i] === pos && hit.part.pair(hit.i) === `${ref}>${alt}`) return detail(hit);
      near.push(hit);
    }
    const out = [
      h("h3", {}, name(contig, pos, `${ref}>${alt}`)),
      h("p", { class: "lead", id: "nothere" }, `This allele is ${NOT_HERE}.`),
    ];
    if (ref.length > 1 && ref.length === alt.length) {
      const atoms = [...ref].flatMap((base, i) =>
        base === alt[i] ? [] : [`${contig.name}-${pos + i}-${base}-${alt[i]}`],
      );
      out.push(
        h(
          "p",
          {},
          "Changes of several bases are split to single ones here: ",
          ...atoms.flatMap((atom, i) => (i ? [", ", link(atom)] : [link(atom)])),
          ".",
        ),
      );
    }
    if (near.length) {
      out.push(h("p", {}, `At ${contig.name}:${whole(pos)} the release has:`), list(near)[1]);
    }
    const region = `${contig.name}:${Math.max(1, pos - 100)}-${Math.min(contig.length, pos + 100)}`;
    out.push(h("p", {}, "It has no AN here: do not take it as AC 0. It may be that"), reasons());
    out.push(h("p", { class: "note" }, "Around it: ", link(region), "."));
    return out;
  }

  async function area({ contig, start, end }) {
    const span = start === end ? whole(start) : `${whole(start)}-${whole(end)}`;
    const head = h("h3", {}, `${contig.name}:${span}`);
    const n = await count(contig, start, end);
    if (!n) {
      return [
        head,
        h(
          "p",
          { class: "lead", id: "nothere" },
          `No allele of this region is in this release (which is not the same as absent).`,
        ),
        h("p", { class: "note" }, "Alleles that are not listed have no AN here: do not take them as AC 0."),
      ];
    }
    const source = overlapping(contig, start, end);
    let [rows, done] = await take(source, PAGE);
    let seen = rows.length;
    const [body, table] = list(rows);
    const words = () => {
      const part = seen < n ? `, the first ${whole(seen)} shown` : "";
      return `${whole(n)} ${n === 1 ? "allele" : "alleles"}${part}. Numbers are those of Total.`;
    };
    const line = h("p", { class: "answerline", id: "hits" }, words());
    const out = [head, line, table];
    if (!done && seen < n) {
      const more = h("button", { type: "button", class: "plain" }, `Show ${whole(PAGE)} more`);
      more.addEventListener("click", async () => {
        more.disabled = true;
        try {
          [rows, done] = await take(source, PAGE);
          seen += rows.length;
          body.append(...lines(rows));
          line.textContent = words();
          if (done || seen >= n) more.remove();
        } catch (error) {
          show(problem(error));
        }
        more.disabled = false;
      });
      out.push(more);
    }
    return out;
  }

  function problem(error) {
    if (!(error instanceof Trouble)) console.error(error);
    const words = error instanceof Trouble ? error.message : `The table could not be read: ${error.message}`;
    return [h("p", { id: "trouble" }, words)];
  }

  function show(nodes) {
    answer.replaceChildren(...nodes);
    answer.removeAttribute("aria-busy");
  }

  let turn = 0;
  async function ask(query) {
    const mine = ++turn;
    answer.setAttribute("aria-busy", "true");
    let nodes = [];
    try {
      const asked = understand(query);
      if (asked) nodes = asked.ref ? await allele(asked) : await area(asked);
    } catch (error) {
      nodes = problem(error);
    }
    if (mine !== turn) return;
    document.getElementById("lookup").classList.toggle("asked", nodes.length > 0);
    show(nodes);
  }

  function fromAddress() {
    const match = location.hash.match(/^#q=(.*)$/);
    if (!match) return;
    let query = match[1];
    try {
      query = decodeURIComponent(query);
    } catch {
      // Left as it is: not written by this page.
    }
    input.value = query;
    ask(query);
    const place = document.getElementById("lookup");
    if (place.getBoundingClientRect().top < 0 || place.getBoundingClientRect().top > window.innerHeight / 2)
      place.scrollIntoView();
  }

  document.getElementById("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    const wanted = `#q=${encodeURIComponent(input.value)}`;
    if (location.hash === wanted) ask(input.value);
    else location.hash = wanted;
  });
  window.addEventListener("hashchange", fromAddress);
  fromAddress();

  // On paper everything is open.
  const closed = () => document.querySelectorAll("details:not([open])");
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...closed()];
    for (const one of opened) one.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const one of opened) one.open = false;
  });
})();
