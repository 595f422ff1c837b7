import { createHash } from 'node:crypto'

import { credentialError } from './errors.ts'

/**
 * One share of a secret. Its bytes, in this order: version 1, kit (4), needed, count, number, prints (4 for each share),
 * commitment (16), values (16 more than the secret), and the first 4 bytes of the SHA-256 of all before.
 */
export interface Share {
  /** The same for all shares that were made together; 4 bytes as lower-case hex. */
  readonly kit: string
  /** So many shares give the secret. */
  readonly needed: number
  readonly count: number
  /** From 1. */
  readonly number: number
  /** The beginning of the SHA-256 of the values of each share, so that shares tell on one that is wrong. */
  readonly prints: readonly string[]
  /** Tells whether a secret is the one that was split, and nothing about it. */
  readonly commitment: Uint8Array
  readonly values: Uint8Array
}

/** Letters and digits that nobody takes for another when they are on paper. */
const letters = 'abcdefghijkmnpqrstuvwxyz23456789'
const beginning = 'bewaar'
const version = 1
const sizes = { kit: 4, print: 4, commitment: 16, sum: 4 }
/** Letters; a real one has at least twice as many. */
const shortest = 40
const head = 1 + sizes.kit + 3

/** Text to be printed and typed again: `bewaar-3f7k-…`, in groups of four. */
export function formatShare(share: Share): string {
  const { kit, needed, count, number, prints, commitment, values } = share
  const bytes = Buffer.concat([
    Buffer.from([version]),
    Buffer.from(kit, 'hex'),
    Buffer.from([needed, count, number]),
    ...prints.map((print) => Buffer.from(print, 'hex')),
    commitment,
    values,
  ])
  const text = toLetters(Buffer.concat([bytes, sha256(bytes).subarray(0, sizes.sum)]))
  return [beginning, ...text.match(/.{1,4}/g)!].join('-')
}

/** Whether a text is meant to be a share: no password that begins like one is as long. */
export function isShare(text: string): boolean {
  return new RegExp(`^\\s*${beginning}[\\s-]`, 'i').test(text) && text.length > shortest
}

/**
 * Reads a share; capitals, spaces, line ends and dashes do not count.
 *
 * @param label - how a message names it.
 * @throws `credential.share-mistyped`.
 */
export function parseShare(text: string, label: string): Share {
  const refuse = (reason: string): Error => credentialError('credential.share-mistyped', { share: label, reason })
  const plain = text.toLowerCase().replace(/[\s-]/g, '')
  if (!plain.startsWith(beginning)) throw refuse(`it does not begin with ${beginning}-`)
  const written = plain.slice(beginning.length)
  const wrong = written.split('').find((letter) => !letters.includes(letter))
  if (wrong !== undefined) throw refuse(`${JSON.stringify(wrong)} is no letter of a share`)
  const bytes = toBytes(written)
  const body = bytes.subarray(0, -sizes.sum)
  const isRight = sha256(body).subarray(0, sizes.sum).equals(bytes.subarray(-sizes.sum))
  // because some bits of the last letter only fill it up
  const isWhole = bytes.length >= head + sizes.sum && toLetters(bytes) === written
  if (!isRight || !isWhole) throw refuse('its letters do not add up')
  if (body[0] !== version) throw refuse(`it has the form ${body[0]}, which this version does not know`)
  const [needed = 0, count = 0, number = 0] = body.subarray(1 + sizes.kit, head)
  const afterPrints = head + count * sizes.print
  const afterCommitment = afterPrints + sizes.commitment
  if (needed < 2 || needed > count || number < 1 || number > count || body.length <= afterCommitment) {
    throw refuse('its numbers cannot be right')
  }
  return {
    kit: body.subarray(1, 1 + sizes.kit).toString('hex'),
    needed,
    count,
    number,
    prints: Array.from({ length: count }, (_, index) =>
      body.subarray(head + index * sizes.print, head + (index + 1) * sizes.print).toString('hex'),
    ),
    commitment: body.subarray(afterPrints, afterCommitment),
    values: body.subarray(afterCommitment),
  }
}

/** The beginning of the SHA-256 of a share's values, as hex. */
export function printOf(number: number, values: Uint8Array): string {
  return sha256(Buffer.concat([Buffer.from([number]), values])).toString('hex', 0, sizes.print)
}

/** What {@link Share.commitment} is of: 16 bytes of chance, then the secret. */
export function commitmentTo(padded: Uint8Array): Buffer {
  return sha256(Buffer.concat([Buffer.from('bewaar kit 1'), padded])).subarray(0, sizes.commitment)
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}

/** Five bits a letter, from the highest; the last letter is filled up with zeros. */
function toLetters(bytes: Uint8Array): string {
  let text = ''
  let held = 0
  let bits = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    bits += 8
    for (; bits >= 5; bits -= 5) text += letters[(held >> (bits - 5)) & 31]!
    held &= (1 << bits) - 1
  }
  return bits === 0 ? text : text + letters[(held << (5 - bits)) & 31]!
}

function toBytes(text: string): Buffer {
  const bytes: number[] = []
  let held = 0
  let bits = 0
  for (const letter of text) {
    held = (held << 5) | letters.indexOf(letter)
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push(held >> bits)
    held &= (1 << bits) - 1
  }
  return Buffer.from(bytes)
}
