/**
 * Cuts the JSON of a tree between its nodes without making it a string, for trees that are longer than a string may be.
 */
import { damaged } from './errors.ts'
import { parseObject } from './json.ts'

const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const backslash = 0x5c
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

/**
 * The nodes of a tree as pieces of JSON: some nodes with commas between them, `pieceSize` bytes or at most a node more.
 * Whether a piece is valid JSON is for its parser to find out.
 *
 * @throws `format.damaged` when what stands around the nodes is no tree.
 */
export function splitTree(bytes: Uint8Array, pieceSize: number): Uint8Array[] {
  const start = startOfNodes(bytes)
  const pieces: Uint8Array[] = []
  let pieceStart = start
  let depth = 0
  let at = start
  for (; depth >= 0; at++) {
    if (at >= bytes.length) throw damaged('tree', 'its list of nodes has no end')
    const byte = bytes[at]!
    if (byte === quote) at = endOfString(bytes, at)
    else if (byte === openBrace || byte === openBracket) depth++
    else if (byte === closeBrace || byte === closeBracket) depth--
    else if (byte === comma && depth === 0 && at - pieceStart >= pieceSize) {
      pieces.push(bytes.subarray(pieceStart, at))
      pieceStart = at + 1
    }
  }
  const end = at - 1
  pieces.push(bytes.subarray(pieceStart, end))
  const { nodes } = parseObject(Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]), 'tree')
  if (!Array.isArray(nodes) || nodes.length > 0) throw damaged('tree', 'it has more than one list of nodes')
  return pieces
}

/** Where the first node begins. */
function startOfNodes(bytes: Uint8Array): number {
  let depth = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte === openBrace || byte === openBracket) depth++
    else if (byte === closeBrace || byte === closeBracket) depth--
    else if (byte === quote) {
      const end = endOfString(bytes, at)
      const isNodes = depth === 1 && end === at + 6 && Buffer.from(bytes.subarray(at + 1, end)).toString() === 'nodes'
      const next = afterSpace(bytes, end + 1)
      const list = afterSpace(bytes, next + 1)
      if (isNodes && bytes[next] === colon && bytes[list] === openBracket) return list + 1
      at = end
    }
  }
  throw damaged('tree', 'it has no list of nodes')
}

function afterSpace(bytes: Uint8Array, from: number): number {
  let at = from
  while (bytes[at] === 0x20 || (bytes[at]! >= 0x09 && bytes[at]! <= 0x0d)) at++
  return at
}

/** The place of the quote that ends the string which begins at `start`. */
function endOfString(bytes: Uint8Array, start: number): number {
  for (let end = bytes.indexOf(quote, start + 1); end !== -1; end = bytes.indexOf(quote, end + 1)) {
    let before = end
    while (bytes[before - 1] === backslash) before--
    if ((end - before) % 2 === 0) return end
  }
  throw damaged('tree', 'a text in it has no end')
}
