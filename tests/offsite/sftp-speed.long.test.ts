import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import type { Backend } from '#engine'
import { loadAll } from '#engine/testing'
import { createSftp } from '#engine'
import { needs } from '../needs.ts'
import { temporaryFolder } from '../remote/place.ts'
import { startSshd, type TestSshd } from '../remote/sshd.ts'
import { refOf, openLane } from './sftp-faults.ts'
import { freshPath, makeHomeFolder, socketFolder } from './sftp-place.ts'

const packs = Array.from({ length: 64 }, () => randomFillSync(new Uint8Array(16 * 1024 * 1024)))
const totalMegabytes = (packs.length * 16 * 1024 * 1024) / 1e6

/** Seconds to save all packs, as many at once as the backend bears. */
async function saveAll(backend: Backend, bodies: readonly Uint8Array[]): Promise<number> {
  const refs = bodies.map(refOf)
  const began = performance.now()
  let next = 0
  const work = async (): Promise<void> => {
    for (let nth = next++; nth < bodies.length; nth = next++) await backend.save(refs[nth]!, bodies[nth]!)
  }
  await Promise.all(Array.from({ length: backend.connections }, work))
  return (performance.now() - began) / 1000
}

/** Seconds of OpenSSH's own client for the same. @param put - `put`, or `put -f` to fsync as we do. */
async function putAll(sshd: TestSshd, put: string, from: string, to: string): Promise<number> {
  const { target } = sshd
  const batch = join(sshd.folder, 'batch')
  writeFileSync(batch, `${put} ${from}/* ${to}/\n`)
  const hosts = ['-o', `UserKnownHostsFile=${target.knownHosts}`, '-o', 'GlobalKnownHostsFile=none']
  const login = ['-F', sshd.settings, '-i', target.identity, '-P', String(sshd.port), ...hosts]
  const began = performance.now()
  const client = spawn('sftp', ['-q', '-b', batch, ...login, `${sshd.user.name}@127.0.0.1`], { stdio: 'ignore' })
  const [code] = await once(client, 'close')
  assert.equal(code, 0)
  return (performance.now() - began) / 1000
}

function tell(t: TestContext, what: string, seconds: number): void {
  t.diagnostic(`${what}: ${seconds.toFixed(2)} s, ${(totalMegabytes / seconds).toFixed(0)} MB/s`)
}

test('packs are saved over SFTP about as fast as OpenSSH puts them', { skip: needs('sshd', 'ssh') }, async (t) => {
  await using sshd = await startSshd()
  using source = temporaryFolder('packs')
  using sockets = socketFolder()
  for (const [nth, pack] of packs.entries()) writeFileSync(join(source.path, String(nth)), pack)
  const ratios: number[] = []
  for (let round = 0; round < 3; round++) {
    const to = makeHomeFolder(sshd, `put-${round}`)
    const put = await putAll(sshd, 'put', source.path, to)
    rmSync(to, { recursive: true })
    const synced = makeHomeFolder(sshd, `put-f-${round}`)
    const putSynced = await putAll(sshd, 'put -f', source.path, synced)
    rmSync(synced, { recursive: true })
    const path = freshPath(sshd)
    await using backend = await createSftp({ target: sshd.target, path, folder: sockets.path })
    const saved = await saveAll(backend, packs)
    const began = performance.now()
    for (const pack of packs) await loadAll(backend, refOf(pack))
    tell(t, 'sftp put', put)
    tell(t, 'sftp put -f', putSynced)
    tell(t, 'saved', saved)
    tell(t, 'loaded, one after the other', (performance.now() - began) / 1000)
    rmSync(path, { recursive: true })
    ratios.push(saved / put)
  }
  assert.ok(Math.min(...ratios) <= 1.2, `${ratios.map((ratio) => ratio.toFixed(2)).join(', ')} of the time of sftp put`)
})

test('50 ms of latency leave at least 60% of the speed', { skip: needs('sshd', 'ssh') }, async (t) => {
  await using sshd = await startSshd()
  const seconds: number[] = []
  for (const delayMs of [0, 25]) {
    await using lane = await openLane(sshd)
    lane.proxy.delayMs = delayMs
    const saved = await saveAll(lane.backend, packs)
    tell(t, `saved with ${2 * delayMs} ms a round trip`, saved)
    seconds.push(saved)
    rmSync(lane.path, { recursive: true })
  }
  assert.ok(seconds[0]! / seconds[1]! >= 0.6, `${((100 * seconds[0]!) / seconds[1]!).toFixed(0)}% of the speed`)
})
