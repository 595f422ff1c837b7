import { open, type FileHandle } from 'node:fs/promises'

import { collect, pause, systemClock } from '#base'
import type { Host } from '../host/host.ts'
import { bytesOf, type RawPath } from '../raw-path.ts'

/** What reading a file that somebody may be writing to came to. */
export interface StableRead {
  readonly bytes: Uint8Array
  /**
   * `whole`: JSON, and nobody wrote meanwhile. `not json`: no JSON, but nobody has written for a while, so it is what
   * the application left. `unsettled`: no try gave a whole document.
   */
  readonly state: 'whole' | 'not json' | 'unsettled'
  /** The document, when it is one. */
  readonly document?: unknown
}

/** Milliseconds before each further try: some three seconds in all. */
const pauses = [50, 100, 200, 400, 800, 1500]
/** A file that was written to less than this long ago may still be written to. */
const settledAfterMs = 100
/** A file without JSON in it that nobody has written to for so long is meant to be so. */
const quietAfterMs = 2500

/**
 * Reads a JSON file again and again until it holds a whole document and nobody is writing to it.
 *
 * A writer that replaces the file by renaming never disturbs; one that writes in place is waited for. When it never
 * rests, a document that was whole while it was read counts.
 *
 * @throws the system's error when the file cannot be read.
 */
export async function readStable(host: Host, path: RawPath, signal?: AbortSignal): Promise<StableRead> {
  let lastWhole: StableRead | undefined
  let last: Attempt
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted()
    last = await readOnce(host, path, signal)
    if (last.undisturbed && last.document !== undefined) {
      lastWhole = { bytes: last.bytes, state: 'whole', document: last.document }
      if (last.settled) return lastWhole
    }
    if (last.undisturbed && last.quiet) return { bytes: last.bytes, state: 'not json' }
    if (attempt === pauses.length) return lastWhole ?? { bytes: last.bytes, state: 'unsettled' }
    await pause(pauses[attempt]!, signal)
  }
}

interface Attempt {
  readonly bytes: Uint8Array
  readonly document?: unknown
  /** Size and times were the same before and after. */
  readonly undisturbed: boolean
  readonly settled: boolean
  readonly quiet: boolean
}

async function readOnce(host: Host, path: RawPath, signal?: AbortSignal): Promise<Attempt> {
  await using file = host.kind === 'ssh' ? openElsewhere(host, path) : await openHere(path)
  const before = await file.state()
  const bytes = await file.read()
  const read = await file.state()
  const recent = systemClock.now() - read.mtimeMs < settledAfterMs
  if (recent) await pause(settledAfterMs, signal)
  const after = recent ? await file.state() : read
  const undisturbed = same(before, read) && bytes.length === read.size
  const document = parsed(bytes)
  return {
    bytes,
    ...(document === undefined ? {} : { document }),
    undisturbed,
    settled: same(read, after),
    quiet: document === undefined && systemClock.now() - read.mtimeMs > quietAfterMs,
  }
}

interface State {
  readonly size: number
  readonly mtimeNs: bigint
  readonly mtimeMs: number
}

interface OpenFile extends AsyncDisposable {
  state(): Promise<State>
  read(): Promise<Uint8Array>
}

/** The file stays the one that was opened, also when another takes its name. */
async function openHere(path: RawPath): Promise<OpenFile> {
  const file = await open(bytesOf(path))
  return { state: () => stateOf(file), read: () => file.readFile(), [Symbol.asyncDispose]: () => file.close() }
}

/** A file that takes the name in between is seen as a change, and read anew. */
function openElsewhere(host: Host, path: RawPath): OpenFile {
  return {
    state: async () => {
      const status = await host.findStatus(path)
      if (!status) throw new Error('it is not there, or cannot be read')
      return { size: status.size, mtimeNs: status.mtimeNs, mtimeMs: Number(status.mtimeNs / 1_000_000n) }
    },
    read: () => collect(host.read(path)),
    [Symbol.asyncDispose]: async () => {},
  }
}

/** Without ctime: replacing the file by another changes it on this one too, and does no harm to what is read. */
async function stateOf(file: FileHandle): Promise<State> {
  const { size, mtimeNs, mtimeMs } = await file.stat({ bigint: true })
  return { size: Number(size), mtimeNs, mtimeMs: Number(mtimeMs) }
}

function same(a: State, b: State): boolean {
  return a.size === b.size && a.mtimeNs === b.mtimeNs
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return undefined // because a document that is not whole is an answer here, not an error
  }
}
