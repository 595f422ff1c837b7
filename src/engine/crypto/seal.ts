/**
 * Sealing: AES-256-CTR, then Poly1305-AES over the ciphertext.
 *
 *     sealed = nonce (16) · ciphertext · tag (16)
 *
 * Source: restic-format §2; Bernstein, "The Poly1305-AES message-authentication code".
 */
import { createCipheriv, timingSafeEqual, type Cipheriv } from 'node:crypto'

import { randomBytes } from '#base'
import { createCtrCipher, type CtrCipher } from '../native/aes.ts'
import { createPoly1305, type Poly1305 } from '../native/poly1305.ts'
import { cryptoError } from './errors.ts'

/** What seals and unseals; 64 bytes in three parts. */
export interface MasterKey {
  /** AES-256 key, 32 bytes. */
  readonly encrypt: Uint8Array
  /** AES-128 key that makes the one-time part of a MAC key from a nonce, 16 bytes. */
  readonly macK: Uint8Array
  /** The lasting part of the MAC key, 16 bytes, clamped or not: never compare two of them. */
  readonly macR: Uint8Array
}

/** A fresh random key. */
export function newMasterKey(): MasterKey {
  return keyFromBytes(randomBytes(64))
}

/** The key whose 64 bytes are, in this order, `encrypt`, `macK` and `macR`. */
export function keyFromBytes(bytes: Uint8Array): MasterKey {
  return { encrypt: bytes.subarray(0, 32), macK: bytes.subarray(32, 48), macR: bytes.subarray(48, 64) }
}

const nonceSize = 16
const tagSize = 16

/** Bytes by which sealed bytes are longer than plain ones. */
export const sealOverhead: number = nonceSize + tagSize

const noncesAtOnce = 256

/**
 * Seals and unseals with one master key, each time under a fresh random nonce.
 *
 * Keeps ciphers and buffers between calls, so it belongs to one thread.
 */
export class Sealer {
  readonly #cipher: CtrCipher
  readonly #mac: Poly1305 = createPoly1305()
  readonly #tag = new Uint8Array(tagSize)
  readonly #random: (count: number) => Uint8Array
  readonly #nonceCipher: Cipheriv
  /** r, then the encrypted nonce. */
  readonly #macKey = new Uint8Array(32)
  #nonces = new Uint8Array(0)
  /** Each nonce encrypted for its MAC, made with them. */
  #encryptedNonces = new Uint8Array(0)
  #nextNonce = 0

  /** @param random - gives as many random bytes as asked; they become nonces, 16 bytes each. */
  constructor(key: MasterKey, random: (count: number) => Uint8Array = randomBytes) {
    this.#cipher = createCtrCipher(key.encrypt)
    this.#random = random
    this.#nonceCipher = createCipheriv('aes-128-ecb', key.macK, null).setAutoPadding(false)
    this.#macKey.set(key.macR)
  }

  /** Makes sealing and unsealing many small things cheaper until the result is disposed, in the same turn. */
  hold(): Disposable {
    const held = new DisposableStack()
    held.use(this.#cipher.hold())
    held.use(this.#mac.hold())
    return held
  }

  seal(plain: Uint8Array): Uint8Array {
    const out = Buffer.allocUnsafe(plain.length + sealOverhead)
    this.sealInto(plain, out, 0)
    return out
  }

  /**
   * Seals `plain` into `out` from `offset` on. `plain` may be any bytes but those of `out` that are written, and `out` may
   * be shared.
   *
   * @returns the number of bytes written: `plain.length + sealOverhead`.
   */
  sealInto(plain: Uint8Array, out: Uint8Array, offset: number): number {
    const size = plain.length + sealOverhead
    if (offset + size > out.length)
      throw new RangeError(`${size} sealed bytes do not fit in at ${offset} of ${out.length}`)
    const { nonce, encrypted } = this.#takeNonce()
    out.set(nonce, offset)
    const ciphertext = out.subarray(offset + nonceSize, offset + size - tagSize)
    this.#cipher.apply(nonce, plain, ciphertext)
    this.#macKey.set(encrypted, 16)
    this.#mac.apply(this.#macKey, ciphertext, this.#tag)
    out.set(this.#tag, offset + size - tagSize)
    return size
  }

  /** The plain bytes, in a buffer of their own. @throws `crypto.damaged` when they were not sealed with this key, or changed. */
  unseal(sealed: Uint8Array): Uint8Array {
    const plain = Buffer.allocUnsafe(Math.max(0, sealed.length - sealOverhead))
    this.unsealInto(sealed, plain)
    return plain
  }

  /**
   * Unseals into the beginning of `out`, which is no part of `sealed`.
   *
   * @returns the number of bytes written: `sealed.length - sealOverhead`. @throws as `unseal`; `out` is as it was then.
   */
  unsealInto(sealed: Uint8Array, out: Uint8Array): number {
    if (sealed.length < sealOverhead) throw cryptoError('crypto.damaged', { reason: 'they are too short' })
    const nonce = sealed.subarray(0, nonceSize)
    return this.#unseal(sealed, nonce, this.#nonceCipher.update(nonce), out)
  }

  /**
   * Unseals one after the other into the beginning of `out`, which is no part of them: for many small ones, at less cost.
   *
   * @returns the number of bytes written. @throws as `unseal`; what `out` holds is of no use then.
   */
  unsealAllInto(sealed: readonly Uint8Array[], out: Uint8Array): number {
    const nonces = new Uint8Array(sealed.length * nonceSize)
    for (const [nth, one] of sealed.entries()) {
      if (one.length < sealOverhead) throw cryptoError('crypto.damaged', { reason: 'they are too short' })
      nonces.set(one.subarray(0, nonceSize), nth * nonceSize)
    }
    const encrypted = this.#nonceCipher.update(nonces)
    using _ = this.hold()
    let at = 0
    for (const [nth, one] of sealed.entries()) {
      const [start, end] = [nth * nonceSize, (nth + 1) * nonceSize]
      at += this.#unseal(one, nonces.subarray(start, end), encrypted.subarray(start, end), out.subarray(at))
    }
    return at
  }

  /** @param encrypted - the nonce, for its MAC. */
  #unseal(sealed: Uint8Array, nonce: Uint8Array, encrypted: Uint8Array, out: Uint8Array): number {
    if (isZero(nonce)) throw cryptoError('crypto.damaged', { reason: 'their nonce is zero' })
    const ciphertext = sealed.subarray(nonceSize, -tagSize)
    this.#macKey.set(encrypted, 16)
    this.#mac.apply(this.#macKey, ciphertext, this.#tag)
    if (!timingSafeEqual(this.#tag, sealed.subarray(-tagSize))) {
      throw cryptoError('crypto.damaged', { reason: 'their tag is wrong' })
    }
    this.#cipher.apply(nonce, ciphertext, out)
    return ciphertext.length
  }

  /** A nonce that was never given out; from many made at once, because asking for chance costs more than encrypting little. */
  #takeNonce(): { nonce: Uint8Array; encrypted: Uint8Array } {
    if (this.#nextNonce >= this.#nonces.length) {
      this.#nonces = new Uint8Array(this.#random(noncesAtOnce * nonceSize))
      this.#encryptedNonces = this.#nonceCipher.update(this.#nonces)
      this.#nextNonce = 0
    }
    const [start, end] = [this.#nextNonce, (this.#nextNonce += nonceSize)]
    const nonce = this.#nonces.subarray(start, end)
    if (isZero(nonce)) throw cryptoError('crypto.damaged', { reason: 'the random generator gave a nonce of zeros' })
    return { nonce, encrypted: this.#encryptedNonces.subarray(start, end) }
  }
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}
