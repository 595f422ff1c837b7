import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

import { createSftp, openSftp, type SftpPlace } from '#engine'
import type { Backend, FileRef } from '#engine'
import { loadAll } from '#engine/testing'
import { retrying, type RetryOptions } from '#engine'
import type { TestSshd } from '../remote/sshd.ts'
import { FaultProxy, type Direction, type ProxyAction, type Strike } from './proxy.ts'
import { freshPath, socketFolder } from './sftp-place.ts'

export type Operation = 'save' | 'load' | 'list'

export interface FaultCase extends Strike {
  readonly operation: Operation
}

/** Bytes of the file that is saved or loaded. */
const fileBytes = 300_000
/** Bytes that an operation sends and receives, about: strikes fall within these. */
const traffic: Record<Operation, Record<Direction, number>> = {
  save: { up: fileBytes + 4000, down: 1000 },
  load: { up: 1000, down: fileBytes + 4000 },
  list: { up: 30_000, down: 60_000 },
}
const actions: readonly ProxyAction[] = ['cut', 'reset', 'refuse', 'stall', 'half-open']

/** The same seed, the same cases; each action, direction and operation as often as any other. */
export function faultCases(count: number, seed: number): FaultCase[] {
  return Array.from({ length: count }, (_, nth) => {
    const operation = (['save', 'load', 'list'] as const)[nth % 3]!
    const direction = (['up', 'down'] as const)[Math.floor(nth / 3) % 2]!
    const action = actions[Math.floor(nth / 6) % actions.length]!
    const share = createHash('sha256').update(`${seed}/${nth}`).digest().readUInt32BE() / 2 ** 32
    return {
      operation,
      direction,
      action,
      at: Math.floor(share * traffic[operation][direction]),
      refusals: 1 + (nth % 3),
    }
  })
}

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
  const knownHosts = join(sshd.folder, `known_hosts_${proxy.port}`)
  writeFileSync(knownHosts, `[127.0.0.1]:${proxy.port} ${readFileSync(join(sshd.folder, 'host.pub'), 'utf8')}`)
  const path = freshPath(sshd)
  const target = { ...sshd.target, port: proxy.port, knownHosts }
  const place = { target, path, folder: sockets.path, stallMs: 1500 }
  const reconnect = (): Promise<Backend> => openSftp(place)
  const quick = { firstDelayMs: 20, longestDelayMs: 300, ...options }
  const backend = undo.use(retrying(await createSftp(place), { reconnect, ...quick }))
  const stack = undo.move()
  return { proxy, backend, path, place, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

/** Performs one operation while the proxy strikes, and sees that it was whole. @returns whether it has struck. */
export async function suffer(lane: Lane, fault: FaultCase, seed: number): Promise<boolean> {
  const { backend, proxy } = lane
  const body = bytesOf(seed)
  const ref = refOf(body)
  const before = proxy.connections
  if (fault.operation === 'load') await backend.save(ref, body)
  proxy.arm(fault)
  switch (fault.operation) {
    case 'save':
      await backend.save(ref, body)
      break
    case 'load':
      assert.equal(Buffer.compare(await loadAll(backend, ref), body), 0)
      break
    case 'list': {
      const names = (await Array.fromAsync(backend.list('pack'))).map(({ name }) => name)
      assert.deepEqual(
        names.sort(),
        packsIn(lane.path)
          .map((path) => basename(path))
          .sort(),
      )
      break
    }
    default:
      fault.operation satisfies never
  }
  const { hasStruck } = proxy
  proxy.heal()
  assert.ok(proxy.connections - before <= 8, `${proxy.connections - before} connections for one fault`)
  assertWhole(lane.path)
  if (fault.operation !== 'list')
    assert.ok(packsIn(lane.path).includes(join(lane.path, 'data', ref.name.slice(0, 2), ref.name)))
  return hasStruck
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

/** Performs all cases, some lanes at once. @returns those of them that struck. */
export async function sufferAll(sshd: TestSshd, cases: readonly FaultCase[], lanes: number): Promise<FaultCase[]> {
  let next = 0
  const struck: FaultCase[] = []
  const ended = await Promise.allSettled(
    Array.from({ length: lanes }, async () => {
      await using lane = await openLane(sshd)
      for (let nth = next++; nth < cases.length; nth = next++) {
        const fault = cases[nth]!
        try {
          if (await suffer(lane, fault, nth + 1)) struck.push(fault)
        } catch (thrown) {
          throw new Error(`case ${nth}: ${JSON.stringify(fault)}`, { cause: thrown })
        }
      }
    }),
  )
  for (const lane of ended) if (lane.status === 'rejected') throw lane.reason
  return struck
}
