"use strict";
/* Reads what pack.py wrote: see there. */

/** What an element holds; rejects in browsers that cannot decompress (before Chromium 80, Safari 16.4, Firefox 113). */
async function readData(node) {
  const signs = atob(node.text), packed = new Uint8Array(signs.length);
  for (let i = 0; i < signs.length; i++) packed[i] = signs.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return unpack(new Uint8Array(await new Response(stream).arrayBuffer()));
}

function unpack(raw) {
  const size = new DataView(raw.buffer, raw.byteOffset).getUint32(0, true);
  const { left, lengths } = JSON.parse(new TextDecoder().decode(raw.subarray(4, 4 + size)));
  let begin = 4 + size;
  const columns = lengths.map((length) => raw.subarray(begin, (begin += length)));
  const plain = (node) => {
    if (Array.isArray(node)) return node.map(plain);
    if (node === null || typeof node !== "object") return node;
    const read = READERS[node["#"]];
    if (read) return read(node, plain, columns);
    return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, plain(value)]));
  };
  return plain(left);
}

const READERS = {
  numbers: (node, _, columns) => readNumbers(node, columns[node.column]),
  words: ({ words, at }, plain) => plain(at).map((i) => words[i]),
  lists({ lengths, of }, plain) {
    const inside = plain(of);
    let begin = 0;
    return plain(lengths).map((length) => inside.slice(begin, (begin += length)));
  },
  rows({ of }, plain) {
    const columns = of.map(plain);
    return columns[0].map((_, i) => columns.map((column) => column[i]));
  },
  records({ keys, of }, plain) {
    const columns = of.map(plain);
    return columns[0].map((_, i) => Object.fromEntries(keys.map((key, k) => [key, columns[k][i]])));
  },
};

function readNumbers({ count, scale, gaps, by, steps }, column) {
  const found = new Array(count), rows = count / by, wide = column.length / count;
  const beside = new Float64Array(steps === 2 ? rows : 0);
  let sum = 0;
  for (let k = 0, at = 0, row = 0; k < count; k++) {
    let coded = 0;
    for (let b = wide - 1; b >= 0; b--) coded = coded * 256 + column[b * count + k];
    const value = coded - gaps, whole = value % 2 ? -(value + 1) / 2 : value / 2;
    if (steps === 2) beside[row] += whole;
    sum = steps && row ? sum : 0;
    sum += steps === 2 ? beside[row] : whole;
    found[row * by + at] = gaps && coded === 0 ? null : sum / scale;
    row += 1;
    if (row === rows) [row, at] = [0, at + 1];
  }
  return found;
}

/** The page's code is packed as its data are; the page's policy knows the text by its hash, and runs no other. */
function runCode(text) {
  const script = document.createElement("script");
  script.textContent = text;
  document.body.append(script);
}

if (document.getElementById("plan-code")) {
  readData(document.getElementById("plan-code")).then(runCode, () => {
    document.getElementById("cannot").hidden = false;
  });
}
