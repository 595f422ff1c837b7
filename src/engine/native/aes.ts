import { createCipheriv } from 'node:crypto'

import { findLibrary, keptNothing, type Kept, type Library } from './library.ts'

/** AES-256-CTR under one key, into memory that is there. The same call encrypts and decrypts. */
export interface CtrCipher {
  /** @param nonce - 16 bytes, the first counter block. @param output - at least as long as `input`, and no part of it. */
  apply(nonce: Uint8Array, input: Uint8Array, output: Uint8Array): void
  /** Makes each call cheaper until the result is disposed, in the same turn: half of a small one is making its context. */
  hold(): Disposable
}

/** @param key - 32 bytes. */
export function createCtrCipher(key: Uint8Array): CtrCipher {
  const library = findLibrary()
  return library ? libraryCipher(library, key) : nodeCipher(key)
}

/** Bytes encrypted at once: a fresh buffer of this size stays in the processor's cache, and one of a megabyte does not. */
const pieceSize = 64 * 1024

/** The same by Node's own words. */
export function nodeCipher(key: Uint8Array): CtrCipher {
  return {
    apply: (nonce, input, output) => {
      const cipher = createCipheriv('aes-256-ctr', key, nonce)
      for (let at = 0; at < input.length; at += pieceSize) {
        cipher.update(input.subarray(at, at + pieceSize)).copy(output, at)
      }
    },
    hold: () => ({ [Symbol.dispose]: () => {} }),
  }
}

const keySize = 32
const nonceSize = 16
/** The longest input of one call of the library: it counts in 32 bits. */
const longest = 2 ** 30

function libraryCipher(library: Library, key: Uint8Array): CtrCipher {
  const ownKey = Buffer.from(key)
  if (ownKey.length !== keySize) throw new RangeError('a key of AES-256 has 32 bytes')
  const ownNonce = Buffer.from(new ArrayBuffer(nonceSize))
  const written = Buffer.from(new ArrayBuffer(8))
  const keyAt = library.addressOf(ownKey)
  const nonceAt = library.addressOf(ownNonce)
  const writtenAt = library.addressOf(written)
  const kept: Kept & { readonly own: readonly Buffer[] } = { own: [ownKey, ownNonce, written], ...keptNothing }
  const algorithm = library.EVP_aes_256_ctr()
  let held: bigint | undefined
  let isBegun = false
  return {
    apply: (nonce, input, output) => {
      if (nonce.length !== nonceSize || output.length < input.length) throw new RangeError('a buffer is too short')
      const context = held ?? library.EVP_CIPHER_CTX_new()
      try {
        kept.input = input
        kept.output = output
        ownNonce.set(nonce)
        const isNew = held === undefined || !isBegun // because one that has its algorithm and its key keeps them
        const [chosen, chosenKey] = isNew ? [algorithm, keyAt] : [0n, 0n]
        let isDone = library.EVP_EncryptInit_ex(context, chosen, 0n, chosenKey, nonceAt, 0n, 0n) === 1
        isBegun = held !== undefined && isDone
        let [from, to] = [library.addressOf(input), library.addressOf(output)]
        for (let left = input.length; isDone && left > 0; left -= longest) {
          const length = Math.min(left, longest)
          isDone = library.EVP_EncryptUpdate(context, to, writtenAt, from, length, 0n, 0n) === 1
          from += BigInt(length)
          to += BigInt(length)
        }
        if (!isDone) throw new Error('OpenSSL did not encrypt')
      } finally {
        kept.input = kept.output = undefined
        if (held === undefined) library.EVP_CIPHER_CTX_free(context)
      }
    },
    hold: () => {
      const own = held === undefined ? library.EVP_CIPHER_CTX_new() : undefined
      if (own !== undefined) held = own
      return {
        [Symbol.dispose]: () => {
          if (own === undefined || held !== own) return
          library.EVP_CIPHER_CTX_free(own)
          held = undefined
          isBegun = false
        },
      }
    },
  }
}
