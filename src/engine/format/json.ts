/**
 * JSON as restic writes and reads it: reading one field with its type checked, and Go's way to escape strings.
 * A missing field and `null` are the same, as in Go. Unknown fields are ignored.
 */
import { textOf } from '#base'
import { damaged } from './errors.ts'
import { parseTime } from './time.ts'

/** A JSON object of unknown fields; read it by fixed names only. */
export type JsonObject = Readonly<Record<string, unknown>>

/** @throws `format.damaged` when `bytes` are no JSON text or not an object. */
export function parseObject(bytes: Uint8Array, what: string): JsonObject {
  return asObject(parseText(textFrom(bytes, what), what), what)
}

/** UTF-8 bytes as text, with U+FFFD for what is not valid. @throws `format.damaged` when they are too many for a string. */
export function textFrom(bytes: Uint8Array, what: string): string {
  try {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
  } catch (thrown) {
    throw damaged(what, textOf(thrown), thrown)
  }
}

export function parseText(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch (thrown) {
    throw damaged(what, textOf(thrown), thrown)
  }
}

export function asObject(value: unknown, what: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw damaged(what, 'an object is expected')
  return value as JsonObject
}

/** A list; empty when it is missing. */
export function asList(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw damaged(what, 'a list is expected')
  return value
}

/** A text; empty when it is missing. */
export function asText(value: unknown, what: string): string {
  if (value === undefined || value === null) return ''
  if (typeof value !== 'string') throw damaged(what, 'a text is expected')
  return value
}

/** An RFC 3339 time, as it is written. */
export function asTime(value: unknown, what: string): string {
  const text = asText(value, what)
  parseTime(text, what)
  return text
}

export function asTexts(value: unknown, what: string): string[] {
  return asList(value, what).map((item) => asText(item, what))
}

export function asBoolean(value: unknown, what: string): boolean {
  if (value === undefined || value === null) return false
  if (typeof value !== 'boolean') throw damaged(what, 'true or false is expected')
  return value
}

/** A whole number from 0 to `maximum`; 0 when it is missing. */
export function asCount(value: unknown, what: string, maximum: number = Number.MAX_SAFE_INTEGER): number {
  if (value === undefined || value === null) return 0
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > maximum) {
    throw damaged(what, `a whole number from 0 to ${maximum} is expected`)
  }
  return value
}

export const maximumUint32 = 0xffff_ffff

const lowerCaseId = /^[0-9a-f]{64}$/
const anyCaseId = /^[0-9a-f]{64}$/i

/** An id in lower case; restic reads either case. */
export function asId(value: unknown, what: string): string {
  if (typeof value === 'string') {
    if (lowerCaseId.test(value)) return value
    if (anyCaseId.test(value)) return value.toLowerCase()
  }
  throw damaged(what, 'an id of 64 hex digits is expected')
}

/** An id, or undefined when it is missing. */
export function asIdOrNone(value: unknown, what: string): string | undefined {
  return value === undefined || value === null ? undefined : asId(value, what)
}

/** Bytes from padded base64 of the standard alphabet; none when it is missing. */
export function asBytes(value: unknown, what: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(asText(value, what), { lastChunkHandling: 'strict' })
  } catch (thrown) {
    throw damaged(what, 'base64 is expected', thrown)
  }
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}

const plain = /^[ !#-%'-;=?-[\]-~]*$/
const special = /["\\\p{Cc}<>&\u2028\u2029\p{Cs}]/gu

/**
 * A JSON string with its quotes, as Go's encoding/json writes it. Half of a surrogate pair becomes `\ufffd`; U+0008 and
 * U+000C are `\u0008` and `\u000c`, as restic 0.14 writes them (0.16.4 and later have `\b` and `\f`).
 */
export function jsonString(text: string): string {
  return plain.test(text) ? `"${text}"` : `"${text.replace(special, escapeChar)}"`
}

function escapeChar(char: string): string {
  const code = char.charCodeAt(0)
  if (code === 0x22 || code === 0x5c) return `\\${char}`
  if (code === 0x0a) return '\\n'
  if (code === 0x0d) return '\\r'
  if (code === 0x09) return '\\t'
  if (code >= 0x7f && code < 0xa0) return char
  return code >= 0xd800 && code < 0xe000 ? '\\ufffd' : `\\u${code.toString(16).padStart(4, '0')}`
}

/** A whole document as Go writes it, without a newline at its end; fields that are undefined are left out. */
export function encodeJson(document: object): Uint8Array {
  return Buffer.from(JSON.stringify(document).replace(/[<>&\u2028\u2029]/g, escapeChar))
}
