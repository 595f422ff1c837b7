import { randomBytes, randomHex, Secret } from '#base'
import { credentialError } from './errors.ts'
import { evaluate, interpolateAtZero } from './gf256.ts'
import { commitmentTo, formatShare, parseShare, printOf, type Share } from './share-text.ts'

/** Bytes of chance before the secret, so that its commitment says nothing about a short one. */
const padding = 16

export const mostShares = 16

/**
 * Splits a secret so that any `needed` of `count` shares give it back, and fewer say nothing about it but its length.
 *
 * @param needed - from 2. @param count - from `needed` to 16.
 * @returns the shares as text, in the order of their numbers, and what they are called together.
 * @throws `credential.share-numbers`.
 *
 * Source: A. Shamir, "How to share a secret", Communications of the ACM 22 (1979).
 */
export function splitSecret(
  secret: Secret,
  needed: number,
  count: number,
): { readonly kit: string; readonly shares: readonly Secret[] } {
  if (needed < 2 || needed > count || count > mostShares) {
    throw credentialError('credential.share-numbers', { needed, count, most: mostShares })
  }
  const padded = Buffer.concat([randomBytes(padding), Buffer.from(secret.reveal())])
  const numbers = Array.from({ length: count }, (_, index) => index + 1)
  const values = numbers.map(() => new Uint8Array(padded.length))
  for (const [at, byte] of padded.entries()) {
    const coefficients = randomBytes(needed)
    coefficients[0] = byte
    for (const number of numbers) values[number - 1]![at] = evaluate(coefficients, number)
  }
  const kit = randomHex(4)
  const prints = numbers.map((number) => printOf(number, values[number - 1]!))
  const common = { kit, needed, count, prints, commitment: commitmentTo(padded) }
  const shares = numbers.map((number) => formatShare({ ...common, number, values: values[number - 1]! }))
  return { kit, shares: shares.map((share) => new Secret(share)) }
}

/** How many more shares than these are needed. @throws `credential.share-mistyped`. */
export function sharesMissing(shares: readonly Secret[]): number {
  const parsed = shares.map((share, index) => parseShare(share.reveal(), `number ${index + 1} that was given`))
  const numbers = new Set(parsed.map(({ number }) => number))
  return Math.max(0, (parsed[0]?.needed ?? 2) - numbers.size)
}

/**
 * The secret that was split. A share that was mistyped, is of another kit or is not what it was, is refused by its name;
 * the secret itself is compared with what the shares were bound to.
 *
 * @throws `credential.share-mistyped`, `credential.share-other`, `credential.share-wrong`, `credential.shares-few`.
 */
export function joinShares(texts: readonly Secret[]): { readonly kit: string; readonly secret: Secret } {
  const given = texts.map((text, index) => parseShare(text.reveal(), `number ${index + 1} that was given`))
  const [first] = given
  if (!first) throw credentialError('credential.shares-few', { needed: 2, given: 0 })
  const kit = mostFrequent(given.map((share) => share.kit))
  const other = given.find((share) => share.kit !== kit)
  if (other) throw credentialError('credential.share-other', { share: other.number, kit, other: other.kit })
  const wrong = given.filter((share) => isToldOn(share, given))
  if (wrong.length > 0) throw credentialError('credential.share-wrong', { shares: inWords(wrong), kit })
  const shares = new Map(given.map((share) => [share.number, share]))
  const { needed, commitment } = first
  if (shares.size < needed) throw credentialError('credential.shares-few', { needed, given: shares.size })
  const used = [...shares.values()].slice(0, needed)
  const padded = first.values.map((_, at) =>
    interpolateAtZero(used.map(({ number: x, values }) => ({ x, y: values[at]! }))),
  )
  if (!commitmentTo(padded).equals(commitment)) {
    throw credentialError('credential.share-wrong', { shares: inWords(used), kit })
  }
  return { kit, secret: new Secret(Buffer.from(padded.subarray(padding)).toString()) }
}

/** Whether it is not what most of the shares say that it should be. */
function isToldOn(share: Share, all: readonly Share[]): boolean {
  const print = printOf(share.number, share.values)
  const against = all.filter((other) => !agrees(other, share, print)).length
  return against * 2 >= all.length
}

function agrees(one: Share, other: Share, print: string): boolean {
  return (
    one.prints[other.number - 1] === print &&
    one.needed === other.needed &&
    one.values.length === other.values.length &&
    Buffer.compare(one.commitment, other.commitment) === 0
  )
}

function mostFrequent(values: readonly string[]): string {
  const times = (value: string): number => values.filter((other) => other === value).length
  return values.toSorted((a, b) => times(b) - times(a))[0]!
}

function inWords(shares: readonly Share[]): string {
  return [...new Set(shares.map(({ number }) => number))].toSorted((a, b) => a - b).join(' or ')
}
