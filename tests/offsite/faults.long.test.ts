import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import type { Backend } from '#engine'
import { SshConnection } from '#remote'
import { seedOf } from '../crash/chance.ts'
import { needs } from '../needs.ts'
import { casesOf } from './fault-cases.ts'
import { startPlace, startSftpPlace, type FaultPlace, type PlaceKind } from './fault-places.ts'
import { sweep } from './fault-sweep.ts'
import { skip as withoutS3 } from './s3-scene.ts'
import { ownSshProcesses, socketFolder, targetBehind } from './sftp-place.ts'

interface Row {
  readonly kind: PlaceKind
  readonly name: string
  /** Of each direction. */
  readonly offsets: number
  readonly skip: string | false
}

const rows: readonly Row[] = [
  { kind: 'sftp', name: 'SFTP', offsets: 200, skip: needs('sshd', 'ssh', 'restic') },
  { kind: 'sftp-bare', name: 'SFTP without extensions', offsets: 40, skip: needs('sshd', 'ssh', 'restic') },
  { kind: 'rest', name: 'REST over HTTP', offsets: 100, skip: needs('rclone', 'restic') },
  { kind: 'rest-ssh', name: 'REST over SSH', offsets: 60, skip: needs('rclone', 'sshd', 'ssh', 'restic') },
  { kind: 's3', name: 'S3', offsets: 100, skip: withoutS3 || needs('restic') },
]

const seed = seedOf(1)

// BEWAAR_SEED repeats a run of the sweeps, and BEWAAR_CASES (`17,33`) some of its cases alone
suite('a network that fails at any byte, either way', () => {
  for (const { kind, name, offsets, skip } of rows) {
    test(`harms no run over ${name}: ${offsets * 2} cases, seed ${seed}`, { skip }, async (context) => {
      await using place = await startPlace(kind)
      const cases = casesOf(offsets, seed)
      const { failures, struck, gaveUp, parts, seconds } = await sweep(place, cases, { seed, restic: true })
      context.diagnostic(
        `${cases.length} cases, ${struck} struck, ${gaveUp} ended runs, ${parts} parts were left, ${seconds} s`,
      )
      assert.deepEqual(failures, [])
      assert.ok(struck >= 0.95 * cases.length, `${struck} faults struck`)
      assert.deepEqual(ownSshProcesses(), [], 'no ssh is left behind')
    })
  }
})

suite('the judge of these runs', { skip: needs('sshd', 'ssh') }, () => {
  const someCases = casesOf(120, seed).filter(({ direction, among }) => direction === 'up' && among === 'bytes')

  test('objects when nothing is tried again', async () => {
    await using place = await startSftpPlace()
    const cases = someCases.filter(({ action }) => action === 'reset')
    const wrap = (first: Backend): Backend => first
    const { failures } = await sweep(place, cases, { seed, wrap, restic: false })
    assert.match(failures.join('\n'), /backend\.unavailable/)
  })

  test('objects when a file is written under its final name', async () => {
    await using sftp = await startSftpPlace()
    using sockets = socketFolder()
    const place: FaultPlace = {
      ...sftp,
      connect: async (verb, port, repository) => {
        const backend = await sftp.connect(verb, port, repository)
        const target = targetBehind(sftp.sshd, port)
        const connection = await SshConnection.open(target, { folder: sockets.path, stallMs: sftp.stallMs })
        return writingStraight(backend, connection, sftp.pathOf(repository))
      },
    }
    const cases = someCases.filter(({ action }) => action === 'cut')
    const { failures } = await sweep(place, cases, { seed, restic: false })
    assert.match(failures.join('\n'), /is not whole/)
  })
})

/** The same backend, but that a pack lies under its name from its first byte on. */
function writingStraight(backend: Backend, connection: SshConnection, path: string): Backend {
  const { sftp } = connection
  return {
    place: backend.place,
    connections: backend.connections,
    load: (ref, range, signal) => backend.load(ref, range, signal),
    list: (type, signal) => backend.list(type, signal),
    remove: (ref, signal) => backend.remove(ref, signal),
    async save(ref, body, signal) {
      if (ref.type !== 'pack') return await backend.save(ref, body, signal)
      const handle = await sftp.create(`${path}/data/${ref.name.slice(0, 2)}/${ref.name}`, 0o400)
      await sftp.write(handle, 0, body, signal)
      await sftp.close(handle)
    },
    async [Symbol.asyncDispose]() {
      await backend[Symbol.asyncDispose]()
      await connection[Symbol.asyncDispose]()
    },
  }
}
