"use strict";
// What the page of a release answers to a query: the numbers of an allele in every stratum, or the alleles of a region.
(() => {
  const { facts, h, g, whole, link, label, chunk, named, overlapping, count, take, problem, show, begin } =
    lookup;
  const meanings = new Map(Object.entries(facts.filters));
  const PAGE = 100;
  const FIRST_COLUMNS = 4;
  const PER_STRATUM = 5;
  const everybody = facts.strata.findIndex((stratum) => stratum.name === "Total");

  function frequency(value) {
    if (value === 0 || value === 1) return String(value);
    if (value < 1e-4) return value.toExponential(2).replace(/\.?0+e/, "e");
    return String(Number(value.toPrecision(4)));
  }

  // ---- what a chunk has of an allele (scripts/goe/release/report/lookup.py)

  const filterOf = (part, i) => part.filters[part.cell(2, i)];

  function fafOf(part, i) {
    const view = new DataView(new ArrayBuffer(4));
    view.setUint32(0, part.cell(3, i));
    return view.getFloat32(0);
  }

  const shownOf = (part, stratum, i) => part.cell(FIRST_COLUMNS + PER_STRATUM * stratum, i) === 1;

  // Number `which` (AN, heterozygotes, homozygotes, hemizygotes) of a stratum: its own remainder and its parts.
  function numberOf(part, stratum, which, i) {
    if (!shownOf(part, stratum, i)) return 0;
    let value = part.cell(FIRST_COLUMNS + PER_STRATUM * stratum + 1 + which, i);
    for (const inside of facts.strata[stratum].parts) value += numberOf(part, inside, which, i);
    return value;
  }

  // Numbers of a stratum, or null when they are withheld.
  function numbersOf(part, stratum, i) {
    if (!shownOf(part, stratum, i)) return null;
    const [an, het, hom, hemi] = [0, 1, 2, 3].map((which) => numberOf(part, stratum, which, i));
    const ac = 2 * hom + het + hemi;
    return { ac, an, af: an ? ac / an : null, hom: 2 * hom, het, hemi, nhomalt: hom };
  }

  // ---- what is shown

  const name = (contig, pos, pair) => `${contig.name}-${pos}-${pair.replace(">", "-")}`;
  const shorter = (bases) => `${bases.slice(0, 12)}…(${whole(bases.length)})`;

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
    const filter = filterOf(part, i);
    const faf = fafOf(part, i);
    const all = facts.strata.map((stratum, s) => numbersOf(part, s, i));
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
    const total = all[everybody];
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
      const total = numbersOf(part, everybody, i);
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
        h("td", {}, ...verdict(filterOf(part, i))),
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

  // Which callable AN of Total a place has: [at least, less than], by the step that holds it.
  async function called({ name: track, callable: { edges, chunks } }, pos) {
    const number = chunks.findLastIndex(([first]) => first <= pos);
    const part = await chunk(`${track}.callable`, number, chunks[number]);
    let [low, high] = [0, part.n];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (part.pos[middle] <= pos) low = middle;
      else high = middle;
    }
    const reached = part.cell(1, low);
    return [reached ? edges[reached - 1] : 0, edges[reached]];
  }

  // What it means that an allele is not listed; overlapped: whether one that is covers its first base.
  async function silence(contig, pos, overlapped) {
    const { unheard, not_callable, odd, overlapped: beside, callable } = facts.silence;
    if (unheard) return unheard;
    const [least, below] = await called(contig, pos);
    if (!least) return not_callable;
    const words = contig.odd.some(([start, end]) => start <= pos && pos <= end) ? odd : overlapped ? beside : callable;
    return words.replace("{an}", below ? `${whole(least)} to ${whole(below - 1)}` : `${whole(least)} or more`);
  }

  async function allele({ contig, pos, ref, alt }) {
    const near = [];
    for await (const hit of overlapping(contig, pos, pos)) {
      if (hit.part.pos[hit.i] === pos && hit.part.pair(hit.i) === `${ref}>${alt}`) return detail(hit);
      near.push(hit);
    }
    const words = await silence(contig, pos, near.length > 0);
    const out = [
      h("h3", {}, name(contig, pos, `${ref}>${alt}`)),
      h("p", { class: "lead", id: "nothere" }, `${words[0].toUpperCase()}${words.slice(1)}.`),
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
    if (ref.length !== alt.length) {
      out.push(h("p", { class: "note" }, "An insertion or deletion may stand further left: look around it."));
    }
    const exact = "AN here is that of Total, in steps; callable_an/ and goe lookup have it at each base and by stratum.";
    out.push(h("p", { class: "note" }, "Around it: ", link(region), ". ", facts.silence.unheard ? null : exact));
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

  async function numbered(rs) {
    const hits = await named(rs);
    if (hits.length === 1) return detail(hits[0]);
    const few = facts.contigs.some((contig) => contig.rs_numbers.chunks.length)
      ? "This rs number names no allele of this release: ask by position and alleles to hear what that means."
      : "This release was made without rs numbers: ask by position and alleles, such as chr1-12345-A-G.";
    const words = hits.length ? `${whole(hits.length)} alleles. Numbers are those of Total.` : few;
    const line = h("p", { class: hits.length ? "answerline" : "lead", id: hits.length ? "hits" : "nothere" }, words);
    return [h("h3", {}, `rs${rs}`), line, hits.length ? list(hits)[1] : h("p")];
  }

  begin((asked) => (asked.rs ? numbered(asked.rs) : asked.ref ? allele(asked) : area(asked)));
})();
