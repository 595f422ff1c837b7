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
import type * as ForeignFunctions from 'node:ffi'

const definitions = {
  EVP_CIPHER_CTX_new: { return: 'pointer', arguments: [] },
  EVP_CIPHER_CTX_free: { return: 'void', arguments: ['pointer'] },
  EVP_aes_256_ctr: { return: 'pointer', arguments: [] },
  EVP_EncryptInit_ex: { return: 'i32', arguments: ['pointer', 'pointer', 'pointer', 'buffer', 'buffer'] },
  EVP_EncryptUpdate: { return: 'i32', arguments: ['pointer', 'buffer', 'buffer', 'buffer', 'i32'] },
  ZSTD_estimateCCtxSize: { return: 'u64', arguments: ['i32'] },
  ZSTD_initStaticCCtx: { return: 'pointer', arguments: ['buffer', 'u64'] },
  ZSTD_CCtx_setParameter: { return: 'u64', arguments: ['pointer', 'i32', 'i32'] },
  ZSTD_compress2: { return: 'u64', arguments: ['pointer', 'buffer', 'u64', 'buffer', 'u64'] },
  ZSTD_estimateDCtxSize: { return: 'u64', arguments: [] },
  ZSTD_initStaticDCtx: { return: 'pointer', arguments: ['buffer', 'u64'] },
  ZSTD_decompressDCtx: { return: 'u64', arguments: ['pointer', 'buffer', 'u64', 'buffer', 'u64'] },
} as const satisfies ForeignFunctions.FunctionDefinitions

export type Library = ForeignFunctions.WrappedFunctionsFromDefinitions<typeof definitions>

let loaded: { readonly library: Library | undefined } | undefined

/** Undefined when this process cannot call them. */
export function findLibrary(): Library | undefined {
  loaded ??= { library: load() }
  return loaded.library
}

function load(): Library | undefined {
  // because sizes are handed over as 64 bits
  if (process.arch !== 'x64' && process.arch !== 'arm64') return undefined
  const ffi = process.getBuiltinModule('node:ffi') as typeof ForeignFunctions | undefined
  try {
    const opened = ffi?.dlopen(null, definitions)
    return (
      opened &&
      Object.assign(Object.create(null) as object, opened.functions, {
        lib: opened.lib, // because its functions end with it
      })
    )
  } catch {
    return undefined // because a Node that shows only some of them is one that shows none
  }
}
