import { Socket } from 'node:net'
import { closeSync, existsSync } from 'node:fs'

import { pause } from './clock.ts'
import { openForeign, type ForeignDefinitions, type ForeignLibrary } from './foreign-functions.ts'

/**
 * What a pipe holds, in bytes, where the system grants it: so much may be written while what came before is looked at. Its
 * own 64 KB last a fast program for less time than one chunk takes.
 */
const wantedBytes = 1024 * 1024
const leastBytes = 128 * 1024
/** Bytes that are read at once, at most. */
const bufferLength = wantedBytes
/**
 * After a piece with fewer bytes the next is read a moment later: a program that writes 4 KB at a time, as most do, would
 * else cost a turn of the event loop for each of them.
 */
const fewBytes = 256 * 1024
const momentMs = 1

/** What somebody writes to `theirs`, read through one buffer. */
export interface LargePipe extends Disposable {
  /** Descriptor to be handed to another process. */
  readonly theirs: number
  /** To be called when the other process has it: who reads learns of its end only when nobody else could write. */
  closeTheirs(): void
  /** Yields until everybody has closed `theirs`. A piece holds only until the next is asked for. */
  pieces(): AsyncGenerator<Uint8Array, void, void>
}

/**
 * A pipe that holds much, and is read into the same memory again and again. Node's own pipes take fresh memory for every
 * 64 KB, whose collection takes more time than reading it.
 *
 * @returns undefined where this process cannot call the system for it.
 */
export function openLargePipe(): LargePipe | undefined {
  const descriptors = makePipe()
  if (!descriptors) return undefined
  const [own, theirs] = descriptors
  let piece: Uint8Array | undefined
  let isOver = false
  let wake = (): void => {}
  const onread = {
    buffer: Buffer.allocUnsafeSlow(bufferLength),
    callback: (length: number, buffer: Uint8Array): boolean => {
      piece = buffer.subarray(0, length)
      wake()
      return false
    },
  }
  const reader = new Socket({ fd: own, readable: true, writable: false, onread })
  for (const event of ['end', 'close', 'error']) {
    reader.on(event, () => {
      isOver = true
      wake()
    })
  }
  reader.resume()
  let isTheirsOpen = true
  const closeTheirs = (): void => {
    if (isTheirsOpen) closeSync(theirs)
    isTheirsOpen = false
  }
  return {
    theirs,
    closeTheirs,
    async *pieces() {
      try {
        for (;;) {
          if (piece) {
            const taken = piece
            piece = undefined
            yield taken
            if (taken.length < fewBytes) await pause(momentMs)
            reader.resume()
          } else if (isOver) {
            return
          } else {
            await new Promise<void>((resolve) => (wake = resolve))
          }
        }
      } finally {
        reader.destroy() // because whoever still writes would wait for ever for somebody to read
      }
    },
    [Symbol.dispose]: () => {
      reader.destroy()
      closeTheirs()
    },
  }
}

/** Where distributions keep what `stdbuf` loads into the programs that it starts. */
const stdbufLibraries = ['/usr/libexec/coreutils/libstdbuf.so', '/usr/lib/coreutils/libstdbuf.so']
/** The pipe should hold some of them. */
const writtenBytes = 256 * 1024

/**
 * What makes a program write in large pieces, as `stdbuf` does: most programs write 4 KB at a time to a pipe, and a sixth of
 * the time of dumping a database went into these calls, theirs and ours. Nothing where the library is missing, or another
 * is to be loaded already.
 *
 * Source: gnu.org, coreutils manual, "stdbuf invocation".
 */
export function largeWrites(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const library = env['LD_PRELOAD'] === undefined ? stdbufLibraries.find((path) => existsSync(path)) : undefined
  return library === undefined ? env : { ...env, LD_PRELOAD: library, _STDBUF_O: String(writtenBytes) }
}

/** Of Linux. Source: man7.org, pipe(2), fcntl(2) F_SETPIPE_SZ. */
const closeOnExec = 0o200_0000
const setPipeSize = 1031

const definitions = {
  pipe2: { return: 'i32', arguments: ['buffer', 'i32'] },
  fcntl: { return: 'i32', arguments: ['i32', 'i32', 'i32'] },
} as const satisfies ForeignDefinitions

let loaded: { readonly libc: ForeignLibrary<typeof definitions> | undefined } | undefined

/** Descriptors to read from and to write to, which no program inherits by itself. */
function makePipe(): readonly [own: number, theirs: number] | undefined {
  loaded ??= { libc: process.platform === 'linux' ? openForeign(null, definitions) : undefined }
  const { libc } = loaded
  const pair = new Int32Array(2)
  if (!libc || libc.pipe2(new Uint8Array(pair.buffer), closeOnExec) !== 0) return undefined
  const [own, theirs] = pair as Int32Array & [number, number]
  for (let bytes = wantedBytes; bytes >= leastBytes; bytes /= 2) {
    // because the system limits what all pipes of a user take together
    if (libc.fcntl(theirs, setPipeSize, bytes) > 0) break
  }
  return [own, theirs]
}
