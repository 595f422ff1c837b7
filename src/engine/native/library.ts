/**
 * Calls of the C libraries that Node itself is made of, OpenSSL and zstd, through its foreign function interface. Node's own
 * words for them make a fresh object and a fresh buffer for each blob; these write into memory that is there.
 *
 * Loaded at the first use and once per thread. Where the interface is missing, or Node does not show these functions, there
 * is no library, and callers do with `node:crypto` and `node:zlib`, which give the same bytes.
 *
 * Lengths are given beside each buffer and are what the buffer has: nothing else keeps a call from writing beyond it. What
 * OpenSSL allocates is freed within the same turn of ours; the memory of zstd is a buffer, so that it goes with the thread.
 *
 * Source: openssl.org, EVP_EncryptInit(3); facebook.github.io/zstd, "zstd.h".
 */
import { openForeign, type ForeignDefinitions, type ForeignLibrary } from '#base'

/**
 * Arguments that a function does not look at, so that it is given seven; in the calling conventions of x64 and arm64 that
 * changes nothing. Node's interface takes seven numbers through memory, in a third of the time that four or five
 * arguments with buffers among them take.
 */
const padding = ['u64', 'u64'] as const

const definitions = {
  EVP_CIPHER_CTX_new: { return: 'pointer', arguments: [] },
  EVP_CIPHER_CTX_free: { return: 'void', arguments: ['pointer'] },
  EVP_aes_256_ctr: { return: 'pointer', arguments: [] },
  EVP_EncryptInit_ex: { return: 'i32', arguments: ['pointer', 'pointer', 'pointer', 'pointer', 'pointer', ...padding] },
  EVP_EncryptUpdate: { return: 'i32', arguments: ['pointer', 'pointer', 'pointer', 'pointer', 'i32', ...padding] },
  EVP_MAC_fetch: { return: 'pointer', arguments: ['pointer', 'buffer', 'pointer'] },
  EVP_MAC_CTX_new: { return: 'pointer', arguments: ['pointer'] },
  EVP_MAC_CTX_free: { return: 'void', arguments: ['pointer'] },
  EVP_MAC_init: { return: 'i32', arguments: ['pointer', 'pointer', 'u64', 'pointer', 'u64', ...padding] },
  EVP_MAC_update: { return: 'i32', arguments: ['pointer', 'pointer', 'u64', ...padding, ...padding] },
  EVP_MAC_final: { return: 'i32', arguments: ['pointer', 'pointer', 'pointer', 'u64', 'u64', ...padding] },
  ZSTD_estimateCCtxSize: { return: 'u64', arguments: ['i32'] },
  ZSTD_initStaticCCtx: { return: 'pointer', arguments: ['buffer', 'u64'] },
  ZSTD_CCtx_setParameter: { return: 'u64', arguments: ['pointer', 'i32', 'i32'] },
  ZSTD_compress2: { return: 'u64', arguments: ['pointer', 'pointer', 'u64', 'pointer', 'u64', ...padding] },
  ZSTD_estimateDCtxSize: { return: 'u64', arguments: [] },
  ZSTD_initStaticDCtx: { return: 'pointer', arguments: ['buffer', 'u64'] },
  ZSTD_decompressDCtx: { return: 'u64', arguments: ['pointer', 'pointer', 'u64', 'pointer', 'u64', ...padding] },
} as const satisfies ForeignDefinitions

/** What is given by address is kept by its caller until the call is done, by {@link Kept}. */
export type Library = ForeignLibrary<typeof definitions>

/** Holds what a call is given by address, because an address alone keeps nothing from being collected. */
export interface Kept {
  input: Uint8Array | undefined
  output: Uint8Array | undefined
}

export const keptNothing: Readonly<Kept> = { input: undefined, output: undefined }

let loaded: { readonly library: Library | undefined } | undefined

/** Undefined when this process cannot call them. */
export function findLibrary(): Library | undefined {
  loaded ??= { library: openForeign(null, definitions) }
  return loaded.library
}
