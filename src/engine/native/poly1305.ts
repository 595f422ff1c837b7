import { createMac } from 'node:crypto'

import { findLibrary, keptNothing, type Kept, type Library } from './library.ts'

declare module 'node:crypto' {
  interface Mac {
    update(bytes: Uint8Array): this
    final(): Buffer
  }
  function createMac(algorithm: 'poly1305', key: Uint8Array): Mac
}

/** Poly1305, each time under another key, into memory that is there. */
export interface Poly1305 {
  /** @param key - 32 bytes, to be used once. @param output - gets 16 bytes, and is no part of `input`. */
  apply(key: Uint8Array, input: Uint8Array, output: Uint8Array): void
  /** Makes each call cheaper until the result is disposed, in the same turn. */
  hold(): Disposable
}

const keySize = 32
const tagSize = 16

export function createPoly1305(): Poly1305 {
  const library = findLibrary()
  if (library) algorithm ??= library.EVP_MAC_fetch(0n, Buffer.from('POLY1305\0'), 0n)
  return library && algorithm ? libraryPoly1305(library, algorithm) : nodePoly1305
}

/** The same by Node's own words. */
export const nodePoly1305: Poly1305 = {
  apply: (key, input, output) => output.set(createMac('poly1305', key).update(input).final()),
  hold: () => ({ [Symbol.dispose]: () => {} }),
}

/** OpenSSL's, asked for once in a thread; 0 when it has none. */
let algorithm: bigint | undefined

function libraryPoly1305(library: Library, mac: bigint): Poly1305 {
  const ownKey = Buffer.from(new ArrayBuffer(keySize))
  const written = Buffer.from(new ArrayBuffer(8))
  const keyAt = library.addressOf(ownKey)
  const writtenAt = library.addressOf(written)
  const kept: Kept & { readonly own: readonly Buffer[] } = { own: [ownKey, written], ...keptNothing }
  let held: bigint | undefined
  return {
    apply: (key, input, output) => {
      if (key.length !== keySize || output.length < tagSize) throw new RangeError('a buffer is too short')
      const context = held ?? library.EVP_MAC_CTX_new(mac)
      try {
        kept.input = input
        kept.output = output
        ownKey.set(key)
        const [from, length] = [library.addressOf(input), BigInt(input.length)]
        const isDone =
          library.EVP_MAC_init(context, keyAt, BigInt(keySize), 0n, 0n, 0n, 0n) === 1 &&
          library.EVP_MAC_update(context, from, length, 0n, 0n, 0n, 0n) === 1 &&
          library.EVP_MAC_final(context, library.addressOf(output), writtenAt, BigInt(tagSize), 0n, 0n, 0n) === 1
        if (!isDone) throw new Error('OpenSSL made no code')
      } finally {
        kept.input = kept.output = undefined
        if (held === undefined) library.EVP_MAC_CTX_free(context)
      }
    },
    hold: () => {
      const own = held === undefined ? library.EVP_MAC_CTX_new(mac) : undefined
      if (own !== undefined) held = own
      return {
        [Symbol.dispose]: () => {
          if (own === undefined || held !== own) return
          library.EVP_MAC_CTX_free(own)
          held = undefined
        },
      }
    },
  }
}
