import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import * as fc from 'fast-check'

import { AppError, Secret } from '#base'
import { evaluate, interpolateAtZero, inverse, multiply } from './gf256.ts'
import { formatShare, isShare, parseShare, printOf, type Share } from './share-text.ts'
import { joinShares, sharesMissing, splitSecret } from './shares.ts'

const password = 'k3nw7vxp-qq2fmz8r-c4hty6ab-dk9spe5u'

function shares(needed = 2, count = 3, secret = password): Secret[] {
  return [...splitSecret(new Secret(secret), needed, count).shares]
}

/** A share made again with something in it changed, and its sum right. */
function forged(share: Secret, change: (parsed: Share) => Partial<Share>): Secret {
  const parsed = parseShare(share.reveal(), '')
  return new Secret(formatShare({ ...parsed, ...change(parsed) }))
}

function refusal(given: readonly Secret[]): string {
  try {
    joinShares(given)
  } catch (thrown) {
    assert.ok(thrown instanceof AppError)
    assert.ok(!thrown.message.includes(password))
    return `${thrown.code}: ${thrown.message}`
  }
  return 'none'
}

suite('shares of a secret', () => {
  test('give it back, any of them that are enough and in any order', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
        fc
          .integer({ min: 2, max: 6 })
          .chain((needed) => fc.tuple(fc.constant(needed), fc.integer({ min: needed, max: 9 }))),
        fc.gen(),
        (secret, [needed, count], gen) => {
          const made = shares(needed, count, secret)
          const chosen = gen(() => fc.shuffledSubarray(made, { minLength: needed }))
          assert.equal(joinShares(chosen).secret.reveal(), secret)
        },
      ),
      { numRuns: 60 },
    )
  })

  test('that are too few give nothing, and say how many it takes', () => {
    const made = shares(3, 5)
    assert.match(refusal(made.slice(0, 2)), /^credential\.shares-few: .* from 3 shares, and 2 were given/)
    assert.match(refusal([made[0]!, made[0]!, made[0]!]), /^credential\.shares-few: .* 1 were given/)
    assert.equal(sharesMissing(made.slice(0, 2)), 1)
    assert.equal(sharesMissing(made), 0)
  })

  test('that are too few fit every secret of the same length', () => {
    const [one] = shares(2, 2, 'aa')
    const { values } = parseShare(one!.reveal(), '')
    for (const secret of [0, 97, 255]) {
      const y = [...values].map((value) => multiply(value ^ secret, inverse(1)))
      assert.ok(y.every((slope, at) => evaluate(Uint8Array.of(secret, slope), 1) === values[at]))
    }
  })

  test('are read whatever their capitals, spaces and line ends', () => {
    const [a, b] = shares()
    const broken = new Secret(
      `  ${a!
        .reveal()
        .toUpperCase()
        .replaceAll('-', ' ')
        .replace(/(.{20})/g, '$1\n')}\n`,
    )
    assert.equal(joinShares([broken, b!]).secret.reveal(), password)
    assert.ok(isShare(a!.reveal()) && !isShare(password))
  })

  test('with a letter that was mistyped are refused and named, whichever letter it is', () => {
    const [a, b] = shares()
    const text = b!.reveal()
    for (let at = 'bewaar-'.length; at < text.length; at++) {
      if (text[at] === '-') continue
      for (const other of at === text.length - 1 ? 'abcdefghijkmnpqrstuvwxyz23456789' : 'ab') {
        if (other === text[at]) continue
        const typed = new Secret(text.slice(0, at) + other + text.slice(at + 1))
        assert.match(refusal([a!, typed]), /^credential\.share-mistyped: The share number 2 that was given/)
      }
    }
    assert.match(refusal([a!, new Secret(text.slice(0, -5))]), /share-mistyped/)
    assert.match(refusal([a!, new Secret(text.replace(/.$/, '1'))]), /"1" is no letter of a share/)
  })

  test('of another kit are refused and named', () => {
    const [a, b] = shares()
    const [, , other] = shares()
    assert.match(refusal([a!, b!, other!]), /^credential\.share-other: Share 3 is of the kit/)
  })

  test('that were changed with all sums right are refused and named', () => {
    const [a, b, c] = shares(2, 3)
    const changed = forged(b!, ({ values }) => ({ values: values.map((value, at) => (at === 20 ? value ^ 1 : value)) }))
    assert.match(refusal([a!, changed, c!]), /^credential\.share-wrong: Share 2 of the kit/)
    const whole = forged(changed, ({ prints, number, values }) => ({
      prints: prints.map((print, index) => (index === number - 1 ? printOf(number, values) : print)),
    }))
    assert.match(refusal([a!, whole, c!]), /^credential\.share-wrong: Share 2 of the kit/)
    assert.match(refusal([a!, whole]), /^credential\.share-wrong: Share 1 or 2|^credential\.share-wrong: Share 2/)
    const bound = forged(b!, () => ({ commitment: new Uint8Array(16) }))
    assert.match(refusal([a!, bound, c!]), /^credential\.share-wrong: Share 2/)
  })

  test('that all agree and give another secret than was split are refused', () => {
    const made = shares(2, 2)
    const parsed = made.map((share) => parseShare(share.reveal(), ''))
    const values = parsed.map((share) => share.values.map((value, at) => (at === 18 ? value ^ 7 : value)))
    const prints = values.map((one, index) => printOf(index + 1, one))
    const given = made.map((share, index) => forged(share, () => ({ prints, values: values[index]! })))
    assert.match(refusal(given), /^credential\.share-wrong: Share 1 or 2/)
  })

  test('are made of numbers that make sense only', () => {
    for (const [needed, count] of [
      [1, 3],
      [4, 3],
      [2, 17],
    ] as const) {
      assert.throws(() => shares(needed, count), { code: 'credential.share-numbers' })
    }
  })
})

test('the arithmetic is that of a field', () => {
  for (let a = 1; a < 256; a++) assert.equal(multiply(a, inverse(a)), 1)
  assert.equal(multiply(0x57, 0x83), 0xc1)
  const byte = fc.integer({ min: 0, max: 255 })
  fc.assert(
    fc.property(byte, byte, byte, (a, b, c) => {
      assert.equal(multiply(a, b), multiply(b, a))
      assert.equal(multiply(a, b ^ c), multiply(a, b) ^ multiply(a, c))
      assert.equal(multiply(multiply(a, b), c), multiply(a, multiply(b, c)))
      const points = [1, 5, 9].map((x) => ({ x, y: evaluate(Uint8Array.of(a, b, c), x) }))
      assert.equal(interpolateAtZero(points), a)
    }),
  )
})
