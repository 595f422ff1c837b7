import type * as Zlib from 'node:zlib'

import { findLibrary, keptNothing, type Kept, type Library } from './library.ts'

/** Source: zstd.h, `ZSTD_cParameter`. */
const parameterNumbers = { level: 100, minMatch: 105 } as const

export interface ZstdParameters {
  readonly level: number
  /** Bytes that a match has at the least. Default: what the level says. */
  readonly minMatch?: number
}

/** Compresses into memory that is there: whole frames with their content size and without a checksum. */
export interface ZstdCompressor {
  /**
   * @param output - no part of `plain`. @returns bytes written, or undefined when the frame is longer than `output`.
   *
   * Source: RFC 8878, section 3.1.
   */
  compress(plain: Uint8Array, output: Uint8Array): number | undefined
}

/** Keeps its tables between calls, so it belongs to one thread. */
export function createCompressor(parameters: ZstdParameters): ZstdCompressor {
  const library = findLibrary()
  return library ? libraryCompressor(library, parameters) : nodeCompressor(parameters)
}

/** The same by Node's own words. */
export function nodeCompressor({ level, minMatch }: ZstdParameters): ZstdCompressor {
  const params = {
    [parameterNumbers.level]: level,
    ...(minMatch !== undefined && { [parameterNumbers.minMatch]: minMatch }),
  }
  return {
    compress: (plain, output) => {
      const frame = zlib().zstdCompressSync(plain, { chunkSize: Math.max(1024, longestFrame(plain.length)), params })
      if (frame.length > output.length) return undefined
      frame.copy(output)
      return frame.length
    },
  }
}

/** The longest frame of so many bytes. Source: zstd.h, `ZSTD_COMPRESSBOUND`. */
export function longestFrame(length: number): number {
  return length + (length >>> 7) + 128
}

function libraryCompressor(library: Library, { level, minMatch }: ZstdParameters): ZstdCompressor {
  const memory = Buffer.from(new ArrayBuffer(Number(library.ZSTD_estimateCCtxSize(level))))
  const context = library.ZSTD_initStaticCCtx(memory, BigInt(memory.length))
  set(library, context, parameterNumbers.level, level)
  if (minMatch !== undefined) set(library, context, parameterNumbers.minMatch, minMatch)
  // the memory as well, because it has to live as long as the context, which lies in it
  const kept: Kept & { readonly memory: Buffer } = { memory, ...keptNothing }
  return {
    compress: (plain, output) => {
      const [room, length] = [BigInt(output.length), BigInt(plain.length)]
      kept.input = plain
      kept.output = output
      const [from, to] = [library.addressOf(plain), library.addressOf(output)]
      const written = library.ZSTD_compress2(context, to, room, from, length, 0n, 0n)
      kept.input = kept.output = undefined
      if (!isError(written)) return Number(written)
      if (written === tooShort) return undefined
      throw new Error(`zstd did not compress: error ${codeOf(written)}`)
    },
  }
}

function set(library: Library, context: bigint, parameter: number, value: number): void {
  const result = library.ZSTD_CCtx_setParameter(context, parameter, value)
  if (isError(result)) throw new Error(`zstd does not take ${value} for its parameter ${parameter}`)
}

const keptFrames: Kept = { ...keptNothing }
let decompression: { readonly memory: Buffer; readonly context: bigint } | undefined

/**
 * Decompresses frames that follow each other into memory that is there.
 *
 * @returns bytes written. @throws when they are damaged, or longer than `output`.
 */
export function decompressInto(frames: Uint8Array, output: Uint8Array): number {
  const library = findLibrary()
  if (!library) {
    const plain = zlib().zstdDecompressSync(frames, { maxOutputLength: output.length, chunkSize: output.length + 64 })
    plain.copy(output)
    return plain.length
  }
  decompression ??= createDecompression(library)
  const { context } = decompression
  const [room, length] = [BigInt(output.length), BigInt(frames.length)]
  keptFrames.input = frames
  keptFrames.output = output
  const [from, to] = [library.addressOf(frames), library.addressOf(output)]
  const written = library.ZSTD_decompressDCtx(context, to, room, from, length, 0n, 0n)
  keptFrames.input = keptFrames.output = undefined
  if (isError(written)) throw new Error(`zstd cannot read it: error ${codeOf(written)}`)
  return Number(written)
}

function createDecompression(library: Library): { readonly memory: Buffer; readonly context: bigint } {
  const memory = Buffer.from(new ArrayBuffer(Number(library.ZSTD_estimateDCtxSize())))
  return { memory, context: library.ZSTD_initStaticDCtx(memory, BigInt(memory.length)) }
}

/** Loaded where it is needed: it takes as long as `node:crypto`, in each thread. */
function zlib(): typeof Zlib {
  return process.getBuiltinModule('node:zlib')
}

/** Errors are the last numbers that a size can be. Source: zstd_errors.h. */
const largestCode = 120n
const sizes = 2n ** 64n
/** `ZSTD_error_dstSize_tooSmall`. */
const tooShort = sizes - 70n

function isError(size: bigint): boolean {
  return size > sizes - largestCode
}

function codeOf(size: bigint): bigint {
  return sizes - size
}
