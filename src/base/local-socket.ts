import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'

import { pause } from './clock.ts'
import { randomHex } from './random.ts'

/** Bytes that are read at once, at most. */
const bufferLength = 1024 * 1024
/**
 * After a piece with fewer bytes the next is read a moment later: a program that writes 4 KB at a time, as most do, would
 * else cost a turn of the event loop for each of them. The system keeps some 200 KB meanwhile.
 */
const fewBytes = 64 * 1024
const momentMs = 1
/** Of a path to a socket, on Linux. */
const longestPath = 107

/** What somebody writes to `theirs`, read through one buffer. */
export interface ReusedOutput extends Disposable {
  /** To be handed to another process, then closed here. */
  readonly theirs: Socket
  /** Yields until everybody has closed `theirs`. A piece holds only until the next is asked for. */
  pieces(): AsyncGenerator<Uint8Array, void, void>
}

/**
 * A pair of sockets of which ours reads into the same memory again and again. Node's own pipes take fresh memory for every
 * 64 KB, whose collection takes more time than reading it.
 *
 * @param folder - absolute; nobody else may enter it.
 * @returns undefined when its path is too long for a socket.
 */
export async function openReusedOutput(folder: string): Promise<ReusedOutput | undefined> {
  const path = join(folder, `${randomHex(4)}.socket`)
  if (Buffer.byteLength(path) > longestPath) return undefined
  const server = createServer({ pauseOnConnect: true })
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
    return await connectPair(server, path)
  } finally {
    server.close() // which removes its name, too
  }
}

async function connectPair(server: Server, path: string): Promise<ReusedOutput> {
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
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve))
  const ours = connect({ path, onread })
  for (const event of ['end', 'close', 'error']) {
    ours.on(event, () => {
      isOver = true
      wake()
    })
  }
  const theirs = await accepted
  return {
    theirs,
    async *pieces() {
      try {
        for (;;) {
          if (piece) {
            const taken = piece
            piece = undefined
            yield taken
            if (taken.length < fewBytes) await pause(momentMs)
            ours.resume()
          } else if (isOver) {
            return
          } else {
            await new Promise<void>((resolve) => (wake = resolve))
          }
        }
      } finally {
        ours.destroy() // because whoever still writes would wait for ever for somebody to read
      }
    },
    [Symbol.dispose]: () => {
      ours.destroy()
      theirs.destroy()
    },
  }
}
