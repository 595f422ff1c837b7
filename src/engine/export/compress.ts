import { constants, createZstdCompress } from 'node:zlib'

import { untilDrained } from '#base'

/** Compresses a stream into one zstd frame with a checksum. @throws what `input` throws. */
export async function* compressStream(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  // One thread: with workers of zstd (nbWorkers) Node 26.10 ends the output before all of the input was read.
  const compressor = createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } })
  const feed = async (): Promise<void> => {
    try {
      for await (const piece of input) {
        if (compressor.destroyed) return
        if (!compressor.write(piece)) await untilDrained(compressor)
      }
      compressor.end()
    } catch (thrown) {
      compressor.destroy(thrown as Error)
    }
  }
  const feeding = feed()
  try {
    for await (const piece of compressor) yield piece as Buffer
    await feeding
  } finally {
    compressor.destroy()
    await feeding
  }
}
