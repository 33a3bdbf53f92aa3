"use strict";
// What the pages that are asked for an allele share: elements, names of countries, the packed numbers
// (scripts/goe/pages/packed.py), what can be asked, and the way from a query to its answer. Nothing is asked of a
// network, nothing is sent, and text from outside only ever becomes a text node.
const lookup = (() => {
  const facts = JSON.parse(document.getElementById("facts").textContent);
  const answer = document.getElementById("answer");
  const input = document.getElementById("query");
  const KEPT = 8;

  class Trouble extends Error {}

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
  const link = (query, shown) => h("a", { href: `#q=${encodeURIComponent(query)}` }, shown || query);

  // ---- names of strata; those of countries the browser knows

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

  // ---- the packed numbers

  class Chunk {
    // first: what the steps of the first column start from; pos: what they come to.
    constructor(bytes, first) {
      const length = new DataView(bytes.buffer).getUint32(0, true);
      Object.assign(this, JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))));
      this.data = bytes.subarray(4 + length);
      this.pos = new Float64Array(this.n);
      for (let i = 0, pos = first; i < this.n; i++) this.pos[i] = pos += this.cell(0, i);
    }

    cell(column, i) {
      const [base, width, at] = this.columns[column];
      let value = 0;
      for (let plane = width - 1; plane >= 0; plane--) value = value * 256 + this.data[at + plane * this.n + i];
      return base + value;
    }

    pair(i) {
      return this.pairs[this.cell(1, i)];
    }

    // The last base of an allele's REF.
    reach(i) {
      return this.pos[i] + this.pair(i).indexOf(">") - 1;
    }
  }

  const files = new Map();
  window.goeLookup = (owner, track, number, chunks) => files.set(`${track} ${number}`, { owner, chunks });

  function load(track, number) {
    const key = `${track} ${number}`;
    if (files.has(key)) return Promise.resolve(files.get(key));
    const path = `${facts.folder}/${track}.${String(number).padStart(3, "0")}.js`;
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      const missing =
        `The table is in the folder ${facts.folder} beside this page, and ${path} could not be read. ` +
        `Open this page from the whole ${facts.kind} folder.`;
      script.src = path;
      script.onload = () => {
        script.remove();
        const file = files.get(key);
        files.clear();
        if (!file) return reject(new Trouble(missing));
        if (file.owner !== facts.owner) {
          return reject(new Trouble(`${path} belongs to ${file.owner}, this page to ${facts.owner}.`));
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

  async function text(track, number) {
    if (!facts.folder) return document.getElementById(`chunk-${track}-${number}`).textContent;
    const per = facts.chunks_per_file;
    return (await load(track, Math.floor(number / per))).chunks[number % per];
  }

  // Chunk `number` of a track, of which the page says: [first pos, ..., Adler-32].
  const cache = new Map();
  async function chunk(track, number, said) {
    const key = `${track} ${number}`;
    let found = cache.get(key);
    if (found) {
      cache.delete(key);
    } else {
      if (!("DecompressionStream" in window)) {
        throw new Trouble("This browser is too old to unpack the table. Use one from 2023 or later.");
      }
      const packed = atob((await text(track, number)).trim());
      const bytes = Uint8Array.from(packed, (letter) => letter.charCodeAt(0));
      if (new DataView(bytes.buffer).getUint32(bytes.length - 4) !== said.at(-1)) {
        throw new Trouble(
          "A part of the table is not the one this page was made with. Check the folder with its manifest.",
        );
      }
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
      found = new Chunk(new Uint8Array(await new Response(stream).arrayBuffer()), said[0]);
    }
    cache.set(key, found);
    if (cache.size > KEPT) cache.delete(cache.keys().next().value);
    return found;
  }

  const alleles = (contig, number) => chunk(contig.name, number, contig.chunks[number]);

  // Numbers of the chunks that may hold alleles whose REF overlaps start to end.
  function candidates(contig, start, end) {
    return contig.chunks.flatMap(([first, , last], number) => (first <= end && last >= start ? [number] : []));
  }

  // The allele of a contig that stands at this place of its table, from 0.
  async function nth(contig, place) {
    let number = 0;
    for (; place >= contig.chunks[number][3]; number++) place -= contig.chunks[number][3];
    return { contig, part: await alleles(contig, number), i: place };
  }

  // Alleles that an rs number names.
  async function named(rs) {
    const hits = [];
    for (const contig of facts.contigs) {
      const { chunks } = contig.rs_numbers;
      for (const [number, said] of chunks.entries()) {
        if (rs < said[0] || said[1] < rs) continue;
        const part = await chunk(`${contig.name}.rs`, number, said);
        for (let i = 0; i < part.n; i++) if (part.pos[i] === rs) hits.push(await nth(contig, part.cell(1, i)));
      }
    }
    return hits;
  }

  async function* overlapping(contig, start, end) {
    for (const number of candidates(contig, start, end)) {
      const part = await alleles(contig, number);
      for (let i = 0; i < part.n && part.pos[i] <= end; i++) {
        if (part.pos[i] >= start || part.reach(i) >= start) yield { contig, part, i };
      }
    }
  }

  async function count(contig, start, end) {
    let n = 0;
    for (const number of candidates(contig, start, end)) {
      const [first, last, , many] = contig.chunks[number];
      if (first >= start && last <= end) {
        n += many;
      } else {
        const part = await alleles(contig, number);
        for (let i = 0; i < part.n && part.pos[i] <= end; i++) n += part.pos[i] >= start || part.reach(i) >= start;
      }
    }
    return n;
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

  // ---- what was asked

  const plain = (name) => name.replace(/^chr/i, "").toUpperCase().replace(/^MT$/, "M");

  function contigOf(name) {
    const found = facts.contigs.find((one) => plain(one.name) === plain(name) || one.accession === name.toUpperCase());
    if (found) return found;
    const all = facts.contigs.map((contig) => contig.name).join(", ");
    throw new Trouble(`${name} is no contig of this ${facts.kind}, which has ${all}.`);
  }

  function within(contig, pos) {
    if (pos < 1 || pos > contig.length) {
      throw new Trouble(`${contig.name} has positions 1 to ${whole(contig.length)}: ${whole(pos)} is not one of them.`);
    }
    return pos;
  }

  const integer = (digits) => Number(digits.replaceAll(",", ""));
  const elsewhere = facts.kind === "release" ? "goe lookup may, or ask" : "Ask";
  const UNREAD = [
    [/^ga4gh:/i, "is an identifier of GA4GH, and this page knows none"],
    [/^[\w.]+:[cnpr]\./i, "is named on a transcript or protein, and this page knows none"],
    [/^[\w.]+:[gm]\.\d+(?:_\d+)?(?:del|dup|ins|inv)/i, "leaves out bases of the reference, which this page has not"],
    [/^NC_\d+\.\d+:\d+:(?:\d*|[ACGT]+:|:[ACGT]*)$/i, "leaves out bases of the reference, which this page has not"],
  ];

  // {contig, pos, ref, alt} of an allele, {contig, start, end} of a region, {rs} of an rs number, null of nothing.
  function understand(asked) {
    let words = asked
      .trim()
      .replace(/[\u2010-\u2015\u2212]/g, "-")
      .replace(/\s+/g, " ");
    if (!words) return null;
    if (/^rs\d+$/i.test(words)) return { rs: Number(words.slice(2)) };
    for (const [pattern, what] of UNREAD) {
      if (pattern.test(words)) {
        throw new Trouble(`${words} ${what}. ${elsewhere} by position and alleles, such as chr1-12345-A-G.`);
      }
    }
    // SPDI counts from 0; the names of HGVS and SPDI begin with an accession.
    const named = words.match(/^(NC_\d+\.\d+):(?:[gm]\.)?(.+)$/i);
    if (named) {
      const spdi = named[2].match(/^(\d+):([ACGT]+:[ACGT]+)$/i);
      words = `${contigOf(named[1]).name}:${spdi ? `${integer(spdi[1]) + 1}:${spdi[2]}` : named[2]}`;
    }
    const allele = words.match(
      /^([A-Za-z0-9.]+) ?[ :_-] ?(?:[gm]\.)?(\d[\d,]*)(?: (?:\.|rs\d+))? ?[ :_-]? ?([A-Za-z*]+) ?[ >:_/-] ?([A-Za-z*]+)$/,
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

  // ---- from the query to the answer

  function problem(error) {
    if (!(error instanceof Trouble)) console.error(error);
    const words = error instanceof Trouble ? error.message : `The table could not be read: ${error.message}`;
    return [h("p", { id: "trouble" }, words)];
  }

  function show(nodes) {
    answer.replaceChildren(...nodes);
    answer.removeAttribute("aria-busy");
  }

  // tell: from what was asked to nodes. Returns whether the address of the page had a query.
  function begin(tell) {
    let turn = 0;
    async function ask(query) {
      const mine = ++turn;
      answer.setAttribute("aria-busy", "true");
      let nodes = [];
      try {
        const asked = understand(query);
        if (asked) nodes = await tell(asked);
      } catch (error) {
        nodes = problem(error);
      }
      if (mine !== turn) return;
      document.getElementById("lookup").classList.toggle("asked", nodes.length > 0);
      show(nodes);
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
      const place = document.getElementById("lookup");
      const { top } = place.getBoundingClientRect();
      if (top < 0 || top > window.innerHeight / 2) place.scrollIntoView();
      return true;
    }

    document.getElementById("ask").addEventListener("submit", (event) => {
      event.preventDefault();
      const wanted = `#q=${encodeURIComponent(input.value)}`;
      if (location.hash === wanted) ask(input.value);
      else location.hash = wanted;
    });
    window.addEventListener("hashchange", fromAddress);
    // One to begin with, where the page has one.
    if (!fromAddress() && input.dataset.example) {
      input.value = input.dataset.example;
      ask(input.dataset.example);
    }
  }

  // On paper everything is open.
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const one of opened) one.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const one of opened) one.open = false;
  });

  return { facts, h, g, whole, link, country, label, Trouble, chunk, named, overlapping, count, take, problem, show, begin };
})();
