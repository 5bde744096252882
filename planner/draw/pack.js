"use strict";
/* Reads what pack.py wrote: see there. */

const SIGNS_85 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%,()*+-;.=:?@^_`{|}~";

/** What an element holds; rejects in browsers that cannot decompress (before Chromium 80, Safari 16.4, Firefox 113). */
async function readData(node) {
  const stream = new Blob([bytesOf(node.text)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return unpack(new Uint8Array(await new Response(stream).arrayBuffer()));
}

/** Bytes from their signs: four of them are a number of five digits, each below 85. */
function bytesOf(text) {
  const digit = new Uint8Array(128), lacks = (5 - (text.length % 5)) % 5, all = text + "~".repeat(lacks);
  [...SIGNS_85].forEach((sign, i) => (digit[sign.charCodeAt(0)] = i));
  const made = new DataView(new ArrayBuffer((all.length / 5) * 4));
  for (let i = 0, at = 0; i < all.length; at += 4) {
    let number = 0;
    for (const end = i + 5; i < end; i++) number = number * 85 + digit[all.charCodeAt(i)];
    made.setUint32(at, number);
  }
  return new Uint8Array(made.buffer, 0, made.byteLength - lacks);
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
    return withParts({}, Object.entries(node).map(([key, value]) => [key, () => plain(value)]));
  };
  return plain(left);
}

/** An object with parts that are made when they are first asked for. */
function withParts(made, makers) {
  for (const [name, make] of makers) {
    const get = () => {
      const value = make();
      Object.defineProperty(made, name, { value, enumerable: true, writable: true });
      return value;
    };
    Object.defineProperty(made, name, { get, enumerable: true, configurable: true });
  }
  return made;
}

const READERS = {
  numbers: (node, _, columns) => readNumbers(node, columns[node.column], new Array(node.count)),
  words: ({ words, at }, plain) => plain(at).map((i) => words[i]),
  /** Lists of whole numbers are parts of one array of such: there are many of them, and some are long. */
  lists({ lengths, of }, plain, columns) {
    const whole = of["#"] === "numbers" && of.scale === 1 && !of.gaps;
    const inside = whole ? readNumbers(of, columns[of.column], new Int32Array(of.count)) : plain(of);
    let begin = 0;
    return plain(lengths).map((length) => inside[whole ? "subarray" : "slice"](begin, (begin += length)));
  },
  rows({ of }, plain) {
    const columns = of.map(plain);
    return columns[0].map((_, i) => columns.map((column) => column[i]));
  },
  records({ keys, of }, plain) {
    const columns = of.map(plain), last = keys.length;
    return columns[0].map((_, i) => {
      const record = {};
      for (let k = 0; k < last; k++) record[keys[k]] = columns[k][i];
      return record;
    });
  },
};

function readNumbers({ count, scale, gaps, by, steps }, column, found) {
  const rows = count / by, wide = column.length / count;
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

let planData = null;

if (document.getElementById("plan-code")) {
  Promise.all(["plan-data", "plan-code"].map((id) => readData(document.getElementById(id)))).then(
    ([data, code]) => {
      planData = data;
      runCode(code);
    },
    () => {
      document.getElementById("cannot").hidden = false;
    },
  );
}
