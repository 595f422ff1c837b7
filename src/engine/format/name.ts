/**
 * File names in trees: any bytes on one side, text on the other, as Go's `strconv.Quote` without its outer quotes.
 * Valid UTF-8 that is printable stands for itself; everything else is escaped.
 *
 * Source: restic-format §9.3; Go 1.19 strconv.
 */
import { damaged } from './errors.ts'
import { isPrintable } from './printable.ts'
import { asciiText, codePointAt, invalidByte, widthOf } from './utf8.ts'

const letterEscapes: Readonly<Record<number, string>> = {
  0x07: '\\a',
  0x08: '\\b',
  0x09: '\\t',
  0x0a: '\\n',
  0x0b: '\\v',
  0x0c: '\\f',
  0x0d: '\\r',
  0x22: '\\"',
  0x5c: '\\\\',
}

/**
 * The text that restic stores for a name. What is printable follows Unicode 13, as in restic 0.14: later builds of restic
 * leave newer characters unescaped, and only readers see no difference.
 */
export function quoteName(bytes: Uint8Array): string {
  return isPlain(bytes) ? asciiText(bytes) : quoteSlowly(bytes)
}

/** Whether all bytes are printable ASCII other than the quote and the backslash. */
function isPlain(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c) return false
  }
  return true
}

function quoteSlowly(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length;) {
    const codePoint = codePointAt(bytes, at)
    at += widthOf(codePoint)
    text += letterEscapes[codePoint] ?? (isPrintable(codePoint) ? String.fromCodePoint(codePoint) : escape(codePoint))
  }
  return text
}

function escape(codePoint: number): string {
  if (codePoint >= invalidByte) return `\\x${hex(codePoint - invalidByte, 2)}`
  if (codePoint < 0x20 || codePoint === 0x7f) return `\\x${hex(codePoint, 2)}`
  return codePoint < 0x1_0000 ? `\\u${hex(codePoint, 4)}` : `\\U${hex(codePoint, 8)}`
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}

const part =
  /([^\\"\n]+)|\\(?:([abfnrtv"'\\])|x([0-9a-fA-F]{2})|([0-3][0-7]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))|([^])/g

const escapedLetters: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

/**
 * The name that a stored text stands for; the reverse of {@link quoteName}, and of every other way to escape a character
 * that Go reads. Whether the name can be that of a file is for the caller to judge.
 *
 * @throws `format.damaged` when it has a quote, a line feed or a backslash that begins no escape.
 */
export function unquoteName(text: string): Uint8Array {
  if (!/["\\\n]/.test(text)) return Buffer.from(text)
  const pieces: Uint8Array[] = []
  for (const [, plain, letter, hexByte, octalByte, short, long, wrong] of text.matchAll(part)) {
    if (plain !== undefined) pieces.push(Buffer.from(plain))
    else if (letter !== undefined) pieces.push(Buffer.from(escapedLetters[letter] ?? letter))
    else if (hexByte !== undefined) pieces.push(Uint8Array.of(parseInt(hexByte, 16)))
    else if (octalByte !== undefined) pieces.push(Uint8Array.of(parseInt(octalByte, 8)))
    else pieces.push(encodeCodePoint(wrong ?? parseInt((short ?? long)!, 16), text))
  }
  return Buffer.concat(pieces)
}

function encodeCodePoint(codePoint: number | string, text: string): Uint8Array {
  if (typeof codePoint === 'string' || codePoint > 0x10_ffff || (codePoint >= 0xd800 && codePoint < 0xe000)) {
    throw damaged('file name', `${JSON.stringify(text)} is not quoted as Go does it`)
  }
  return Buffer.from(String.fromCodePoint(codePoint))
}
