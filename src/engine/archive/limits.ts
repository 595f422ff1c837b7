import { maximumChunk } from '../chunker/chunker.ts'

/** Bytes: a sealing thread reads a file up to this size whole; larger ones go from thread to thread in stretches. */
export const largestOwnFile = maximumChunk
/** Bytes: a thread cuts so much of a large file, and lets another go on while it stores that. */
export const bytesOfStretch = 4 * 1024 * 1024
/** Bytes of a large file that are read at once: they are still in the processor's cache when they are cut. */
export const pieceOfStretch = 512 * 1024
/** Jobs of chunks of a stream that may be under way at once for each thread, each in shared memory of its own. */
export const slotsPerThread = 2
/** A job of chunks is closed at this many bytes. */
export const bytesOfChunksJob = 1024 * 1024
/** Jobs of files that a sealing thread may have before it, so that it never waits for the walk. */
export const jobsAhead = 3
/** A job of files is closed at this many files … */
export const filesOfJob = 96
/** … or bytes. */
export const bytesOfJob = 2 * 1024 * 1024
/** Full packs that may wait to become durable, over all threads. */
export const packsAhead = 2
/** Tree blobs are handed over when they take this many bytes together. */
export const bytesOfTreesJob = 128 * 1024

/** Files, and bytes, up to which a backup is not worth the start of threads: a second day that changed little. */
export const filesWithoutThreads = 64
export const bytesWithoutThreads = 2 * 1024 * 1024
/** Megabytes of young objects in a sealing thread: the less, the sooner buffers of ciphers are used again. */
export const youngMegabytes = 8
