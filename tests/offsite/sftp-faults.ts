import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

import { createSftp, openSftp, type SftpPlace } from '#engine'
import type { Backend, FileRef } from '#engine'
import { retrying, type RetryOptions } from '#engine'
import type { TestSshd } from '../remote/sshd.ts'
import { FaultProxy } from './proxy.ts'
import { freshPath, socketFolder, targetBehind } from './sftp-place.ts'

/** Bytes of a file, unless a test says otherwise. */
const fileBytes = 300_000

export function refOf(bytes: Uint8Array): FileRef {
  return { type: 'pack', name: createHash('sha256').update(bytes).digest('hex') }
}

export function bytesOf(seed: number, size = fileBytes): Buffer {
  const bytes = Buffer.alloc(size)
  for (let at = 0; at + 4 <= size; at += 4) bytes.writeUInt32LE(Math.imul(at + seed, 2_654_435_761) >>> 0, at)
  return bytes
}

/** A repository behind a proxy, in a backend that tries again. */
export interface Lane extends AsyncDisposable {
  readonly proxy: FaultProxy
  readonly backend: Backend
  /** Absolute, of the repository. */
  readonly path: string
  readonly place: SftpPlace
}

export async function openLane(sshd: TestSshd, options: RetryOptions = {}): Promise<Lane> {
  await using undo = new AsyncDisposableStack()
  const sockets = undo.use(socketFolder())
  const proxy = undo.use(await FaultProxy.start(sshd.port))
  const path = freshPath(sshd)
  const target = targetBehind(sshd, proxy.port)
  const place = { target, path, folder: sockets.path, stallMs: 1500 }
  const reconnect = (): Promise<Backend> => openSftp(place)
  const quick = { firstDelayMs: 20, longestDelayMs: 300, ...options }
  const backend = undo.use(retrying(await createSftp(place), { reconnect, ...quick }))
  const stack = undo.move()
  return { proxy, backend, path, place, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

/** All that has the name of a pack. */
export function packsIn(path: string): string[] {
  return globSync(join(path, 'data/*/*')).filter((file) => /^[0-9a-f]{64}$/.test(basename(file)))
}

/** Nothing lies under a final name that is not what the name says. */
export function assertWhole(path: string): void {
  for (const file of packsIn(path)) {
    assert.equal(createHash('sha256').update(readFileSync(file)).digest('hex'), basename(file))
  }
}
