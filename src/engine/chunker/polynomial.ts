import { randomBytes } from '#base'

/** Degree of the polynomials that repositories use. */
export const degree = 53

/**
 * Polynomials over GF(2) as integers: bit i is the coefficient of xⁱ, a sum is an exclusive or.
 *
 * @returns whether `polynomial` may serve a repository: it has degree 53 and no divisor but 1 and itself (Ben-Or).
 */
export function isIrreducible(polynomial: bigint): boolean {
  if (polynomial < 0n || degreeOf(polynomial) !== degree) return false
  let power = 2n
  for (let step = 1; step <= Math.floor(degree / 2); step++) {
    power = multiply(power, power, polynomial)
    // x^(2^step) + x is the product of all irreducible polynomials whose degree divides `step`.
    if (greatestCommonDivisor(polynomial, power ^ 2n) !== 1n) return false
  }
  return true
}

/** A random irreducible polynomial of degree 53, for a repository to be created. */
export function newPolynomial(random: (count: number) => Uint8Array = randomBytes): bigint {
  for (;;) {
    const bytes = random(8)
    const drawn = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true)
    const polynomial = BigInt.asUintN(degree, drawn) | (1n << BigInt(degree)) | 1n
    if (isIrreducible(polynomial)) return polynomial
  }
}

/** x^`exponent` mod `polynomial`, and the `count` − 1 powers that follow. */
export function powersOfX(polynomial: bigint, exponent: number, count: number): bigint[] {
  const powers: bigint[] = []
  let power = 1n
  for (let current = 0; current < exponent + count; current++) {
    if (current >= exponent) powers.push(power)
    power = timesX(power, polynomial)
  }
  return powers
}

/** The sum of the `powers` that the bits of `value` choose: bit 0 the first one. */
export function sumOfChosen(powers: readonly bigint[], value: number): bigint {
  return powers.reduce((sum, power, bit) => ((value >>> bit) & 1 ? sum ^ power : sum), 0n)
}

function timesX(value: bigint, polynomial: bigint): bigint {
  const shifted = value << 1n
  return (shifted >> BigInt(degree)) & 1n ? shifted ^ polynomial : shifted
}

function multiply(left: bigint, right: bigint, polynomial: bigint): bigint {
  let product = 0n
  for (let rest = right, term = left; rest > 0n; rest >>= 1n, term = timesX(term, polynomial)) {
    if (rest & 1n) product ^= term
  }
  return product
}

function greatestCommonDivisor(left: bigint, right: bigint): bigint {
  let [greater, lesser] = [left, right]
  while (lesser !== 0n) [greater, lesser] = [lesser, remainder(greater, lesser)]
  return greater
}

function remainder(dividend: bigint, divisor: bigint): bigint {
  const divisorDegree = degreeOf(divisor)
  let rest = dividend
  for (let excess = degreeOf(rest) - divisorDegree; excess >= 0; excess = degreeOf(rest) - divisorDegree) {
    rest ^= divisor << BigInt(excess)
  }
  return rest
}

/** −1 for the zero polynomial. */
function degreeOf(polynomial: bigint): number {
  return polynomial === 0n ? -1 : polynomial.toString(2).length - 1
}
