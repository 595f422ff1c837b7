import { createCipheriv } from 'node:crypto'

import { findLibrary, type Library } from './library.ts'

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
  const written = Buffer.alloc(8)
  const algorithm = library.EVP_aes_256_ctr()
  let held: bigint | undefined
  let isBegun = false
  return {
    apply: (nonce, input, output) => {
      if (nonce.length !== nonceSize || output.length < input.length) throw new RangeError('a buffer is too short')
      const context = held ?? library.EVP_CIPHER_CTX_new()
      try {
        const chosen = held !== undefined && isBegun ? 0n : algorithm // because one that has its algorithm keeps it
        let isDone = library.EVP_EncryptInit_ex(context, chosen, 0n, ownKey, nonce) === 1
        isBegun = held !== undefined && isDone
        for (let at = 0; isDone && at < input.length; at += longest) {
          const piece = input.subarray(at, at + longest)
          isDone = library.EVP_EncryptUpdate(context, output.subarray(at), written, piece, piece.length) === 1
        }
        if (!isDone) throw new Error('OpenSSL did not encrypt')
      } finally {
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
