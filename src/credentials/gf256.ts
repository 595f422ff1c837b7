/**
 * Arithmetic with bytes as elements of GF(2^8), reduced by x^8 + x^4 + x^3 + x + 1: no table is read, so that the time it
 * takes says nothing about the bytes. Addition is exclusive or.
 *
 * Source: FIPS 197, "Multiplication in GF(2^8)".
 */
export function multiply(a: number, b: number): number {
  let product = 0
  for (let bit = 0; bit < 8; bit++) {
    product ^= -((b >> bit) & 1) & a
    a = (a << 1) ^ (-(a >> 7) & 0x11b)
  }
  return product & 0xff
}

/** Of 0 it is 0. */
export function inverse(a: number): number {
  // a to the power of 254, because a to the power of 255 is 1
  let power = a
  let result = 1
  for (let bit = 1; bit < 8; bit++) {
    power = multiply(power, power)
    result = multiply(result, power)
  }
  return result
}

/** The value at `x` of the polynomial with these coefficients, the constant one first. */
export function evaluate(coefficients: Uint8Array, x: number): number {
  return coefficients.reduceRight((sum, coefficient) => multiply(sum, x) ^ coefficient, 0)
}

/** The value at 0 of the polynomial of least degree through these points; no two have the same `x`, and none has 0. */
export function interpolateAtZero(points: readonly { readonly x: number; readonly y: number }[]): number {
  let sum = 0
  for (const { x, y } of points) {
    let weight = 1
    for (const other of points) if (other.x !== x) weight = multiply(weight, multiply(other.x, inverse(other.x ^ x)))
    sum ^= multiply(weight, y)
  }
  return sum
}
