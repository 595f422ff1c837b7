import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'

import { needs } from '../../../tests/needs.ts'
import { sha256Hex } from '../crypto/hash.ts'
import { Directory } from '../filesystem/directory.ts'
import { createLocal } from '../backend/local/local.ts'
import type { Repository } from '../repository/repository.ts'
import { FaultyBackend, MemoryBackend, memoryRepository } from '../testing.ts'
import { Handmade } from './handmade.ts'
import { planRestore } from './plan-restore.ts'
import type { RestoreRequest } from './request.ts'
import { performRestore, type RestoreProgress, type RestoreResult } from './restore.ts'

/** A repository in memory, and beside the target a folder that nothing may touch. */
async function stage(): Promise<Stage & AsyncDisposable> {
  const scratch = mkdtempSync(join(tmpdir(), 'bewaar-restore-'))
  const backend = new MemoryBackend()
  const repository = await memoryRepository(backend)
  const outside = join(scratch, 'outside')
  mkdirSync(outside)
  writeFileSync(join(outside, 'canary'), 'alive')
  return {
    scratch,
    outside,
    target: join(scratch, 'target'),
    backend,
    repository,
    make: new Handmade(repository),
    [Symbol.asyncDispose]: async () => {
      await repository[Symbol.asyncDispose]()
      execFileSync('rm', ['-rf', scratch])
    },
  }
}

interface Stage {
  readonly scratch: string
  readonly outside: string
  readonly target: string
  readonly backend: MemoryBackend
  readonly repository: Repository
  readonly make: Handmade
}

async function restore(
  { repository, target }: Stage,
  tree: string,
  more: Partial<RestoreRequest> = {},
  progress?: (progress: RestoreProgress) => void,
): Promise<RestoreResult> {
  const plan = await planRestore(repository, { tree, target, ...more })
  return await performRestore(repository, plan, progress ? { progress } : {})
}

/** Restores to `out` in the folder of a repository, in a process of its own that prints the result as JSON. */
function restoreElsewhere(
  store: string,
  tree: string,
  flags: readonly string[],
  before = '',
): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const from = (path: string): string => `from '${new URL(path, import.meta.url).href}'`
  const script = `
    import { openLocal } ${from('../backend/local/local.ts')}
    import { openRepository } ${from('../repository/repository.ts')}
    import { planRestore } ${from('plan-restore.ts')}
    import { performRestore } ${from('restore.ts')}
    import { memoryPassword as password } ${from('../testing.ts')}
    ${before}
    const repository = await openRepository(await openLocal('${store}'), { password })
    await repository.loadIndex()
    const plan = await planRestore(repository, { tree: '${tree}', target: '${store}/out' })
    console.log(JSON.stringify(await performRestore(repository, plan)))
  `
  const options = ['--disable-warning=ExperimentalWarning', '--input-type=module-typescript', '--eval', script]
  return spawnSync(process.execPath, [...flags, ...options], { encoding: 'utf8' })
}

/** Paths below the target with their contents; folders end in a slash, links show where they lead. */
function contents(path: string, prefix = ''): Record<string, string> {
  const found: Record<string, string> = {}
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const name = `${prefix}${entry.name}`
    const full = join(path, entry.name)
    if (entry.isDirectory()) Object.assign(found, { [`${name}/`]: '' }, contents(full, `${name}/`))
    else if (entry.isSymbolicLink()) found[name] = `-> ${readlinkSync(full)}`
    else found[name] = entry.isFile() ? readFileSync(full, 'latin1') : 'special'
  }
  return found
}

function assertNothingOutside({ scratch, outside }: Stage): void {
  assert.deepEqual(contents(outside), { canary: 'alive' })
  assert.deepEqual(
    readdirSync(scratch).filter((name) => name !== 'target'),
    ['outside'],
  )
}

describe('a restore', () => {
  test('brings back a part of a snapshot, with the folders on the way', async () => {
    await using at = await stage()
    const { make, repository, target } = at
    const tree = make.tree([
      make.dir('etc', [make.file('hosts', 'hosts'), make.file('passwd', 'passwd')]),
      make.dir('srv', [
        make.dir('a', [make.file('one', '1'), make.dir('deep', [make.file('two', '2')])]),
        make.dir('b', [make.file('three', '3')]),
      ]),
    ])
    await make.store()
    await restore(at, tree, { include: ['/srv/a/', 'etc/hosts', Buffer.from('srv/a/deep')] })
    assert.deepEqual(contents(target), {
      'etc/': '',
      'etc/hosts': 'hosts',
      'srv/': '',
      'srv/a/': '',
      'srv/a/one': '1',
      'srv/a/deep/': '',
      'srv/a/deep/two': '2',
    })
    const inside = join(target, 'other')
    await performRestore(
      repository,
      await planRestore(repository, { tree, target: inside, strip: 'srv', include: ['srv/b'] }),
    )
    assert.deepEqual(contents(inside), { 'b/': '', 'b/three': '3' })

    const request = { tree, target: join(target, 'third') }
    for (const include of ['srv/c', 'srv/a/one/x', 'srv/../etc', './srv']) {
      await assert.rejects(planRestore(repository, { ...request, include: [include] }), {
        code: 'restore.path-missing',
      })
    }
    await assert.rejects(planRestore(repository, { ...request, strip: 'srv/a/one' }), { code: 'restore.path-missing' })
    const outside = planRestore(repository, { ...request, strip: 'srv', include: ['etc'] })
    await assert.rejects(outside, { code: 'restore.path-outside' })
    assert.equal(existsSync(request.target), false)
  })

  test('touches nothing when the target holds anything, unless it is told to', async () => {
    await using at = await stage()
    const { make, target } = at
    const tree = make.tree([make.file('a', 'new'), make.file('b', 'new'), make.dir('d', [make.file('c', 'new')])])
    await make.store()
    mkdirSync(join(target, 'd'), { recursive: true })
    writeFileSync(join(target, 'a'), 'old')
    writeFileSync(join(target, 'mine'), 'mine')
    await assert.rejects(restore(at, tree), { code: 'restore.target-taken', kind: 'conflict' })
    assert.deepEqual(contents(target), { a: 'old', mine: 'mine', 'd/': '' })

    await restore(at, tree, { existing: 'keep' })
    assert.deepEqual(contents(target), { a: 'old', b: 'new', mine: 'mine', 'd/': '', 'd/c': 'new' })
    await restore(at, tree, { existing: 'overwrite' })
    assert.deepEqual(contents(target), { a: 'new', b: 'new', mine: 'mine', 'd/': '', 'd/c': 'new' })
    await restore(at, tree, { existing: 'overwrite', delete: true })
    assert.deepEqual(contents(target), { a: 'new', b: 'new', 'd/': '', 'd/c': 'new' })

    rmSync(target, { recursive: true })
    writeFileSync(target, '')
    await assert.rejects(restore(at, tree), { code: 'restore.target-unusable', kind: 'conflict' })
  })

  test('removes only what the snapshot surely does not hold', async () => {
    await using at = await stage()
    const { make, target } = at
    const tree = make.tree([
      make.dir('kept', [make.file('a', 'a')]),
      { name: 'lost', type: 'dir', subtree: 'ab'.repeat(32) },
      { name: 'missing blob', size: 1, content: ['cd'.repeat(32)] },
      { name: 'socket', type: 'socket' },
    ])
    await make.store()
    for (const folder of ['kept/extra/deep', 'lost', 'extra']) mkdirSync(join(target, folder), { recursive: true })
    for (const file of ['kept/extra/deep/x', 'lost/x', 'missing blob', 'socket']) writeFileSync(join(target, file), 'x')
    symlinkSync(at.outside, join(target, 'extra/link'))
    await restore(at, tree, { existing: 'overwrite', delete: true, include: ['kept'] })
    assert.deepEqual(readdirSync(join(target, 'kept')), ['a'])
    assert.ok(existsSync(join(target, 'extra/link')))
    await restore(at, tree, { existing: 'overwrite', delete: true })
    assert.deepEqual(contents(target), {
      'kept/': '',
      'kept/a': 'a',
      'lost/': '',
      'lost/x': 'x',
      'missing blob': 'x',
      socket: 'x',
    })
    assertNothingOutside(at)
  })

  test('is planned before anything is done, and the plan says what would happen', async () => {
    await using at = await stage()
    const { make, repository, target } = at
    const large = randomBytes(700_000)
    const tree = make.tree([
      make.file('changed', 'new'),
      make.dir('d', [make.file('fresh', 'x')]),
      make.file('large', [large.subarray(0, 600_000), large.subarray(600_000)]),
      make.file('same', 'same'),
    ])
    await make.store()
    mkdirSync(target)
    for (const name of ['changed', 'same', 'extra'])
      writeFileSync(join(target, name), name === 'changed' ? 'old' : name)
    const plan = await planRestore(repository, { tree, target, existing: 'overwrite', delete: true })
    assert.deepEqual(plan.counts, { folders: 1, created: 2, overwritten: 1, unchanged: 1, kept: 0, removed: 1 })
    assert.equal(plan.bytes, 700_004)
    assert.equal(plan.packs, 1)
    const [[pack, bytes] = []] = [...plan.bytesByPack()]
    assert.match(pack ?? '', /^[0-9a-f]{64}$/)
    assert.ok(bytes! > 700_000 && bytes! < 701_000)
    const changes = Array.from(plan.changes(), ({ change, path, size }) => `${change} ${path.toString()} ${size}`)
    assert.deepEqual(changes.sort(), [
      'create d 0',
      'create d/fresh 1',
      'create large 700000',
      'overwrite changed 3',
      'remove extra 0',
      'unchanged same 4',
    ])
    assert.deepEqual(Object.keys(contents(target)).sort(), ['changed', 'extra', 'same'])

    writeFileSync(join(target, 'same'), 'touched since')
    const { findings } = await performRestore(repository, plan)
    assert.deepEqual(
      findings.map(({ severity, path }) => [severity, path]),
      [['failed', 'same']],
    )
    assert.equal(readFileSync(join(target, 'large')).equals(large), true)
  })

  test('links names of one file only when their contents are one', async () => {
    await using at = await stage()
    const { make, target } = at
    const linked = { inode: 7n, deviceId: 1n, links: 3 }
    const tree = make.tree([
      make.file('a', 'same', linked),
      make.file('b', 'other', linked),
      make.dir('d', [make.file('c', 'same', linked), make.file('e', 'same', { ...linked, inode: 8n })]),
    ])
    await make.store()
    const { findings } = await restore(at, tree)
    assert.deepEqual(findings, [])
    const inode = (name: string): number => lstatSync(join(target, name)).ino
    assert.equal(inode('a'), inode('d/c'))
    assert.equal(new Set(['a', 'b', 'd/e'].map(inode)).size, 3)
    assert.equal(readFileSync(join(target, 'b'), 'utf8'), 'other')
  })

  test('brings back links as they were, also such as are not text', { skip: needs('root') }, async () => {
    await using at = await stage()
    const { make, target } = at
    const linkTarget = Buffer.from([0xff, 0xfe, 0x2f])
    const extendedAttributes = [{ name: 'trusted.of-a-link', value: Buffer.from('x') }]
    const link = { name: Buffer.from([0xff]), type: 'symlink', linkTarget, mode: 0o777, uid: 7, gid: 8 } as const
    const tree = make.tree([
      { ...link, extendedAttributes, inode: 3n, links: 2 },
      { ...link, name: 'b', inode: 3n, links: 2 },
    ])
    await make.store()
    assert.deepEqual((await restore(at, tree)).findings, [])
    using directory = Directory.open(target)
    const status = directory.status(link.name)
    assert.deepEqual(directory.readLink(link.name), linkTarget)
    assert.deepEqual([status.uid, status.gid, status.mtimeNs, status.links], [7, 8, 1_600_000_000_123_456_789n, 2])
    assert.deepEqual(directory.extendedAttributes(link.name), extendedAttributes)
  })

  test('leaves holes for zeros, wherever blobs begin, and keeps the length', async () => {
    await using at = await stage()
    const { make, target } = at
    const parts = [
      Buffer.concat([Buffer.from('start'), Buffer.alloc(1_000_000)]),
      Buffer.alloc(524_288),
      Buffer.concat([Buffer.alloc(300_000), Buffer.from('middle'), Buffer.alloc(300_001)]),
      Buffer.alloc(524_288),
    ]
    const zeros = Array.from({ length: 400 }, () => Buffer.alloc(524_288))
    const tree = make.tree([
      make.file('holes', parts),
      make.file('one', Buffer.alloc(500_000)),
      make.file('zeros', zeros),
      make.file('short', Buffer.alloc(65_535)),
    ])
    await make.store()
    await restore(at, tree)
    assert.ok(readFileSync(join(target, 'holes')).equals(Buffer.concat(parts)))
    assert.ok(readFileSync(join(target, 'one')).equals(Buffer.alloc(500_000)))
    assert.ok(lstatSync(join(target, 'holes')).blocks * 512 < 400_000)
    assert.equal(lstatSync(join(target, 'one')).blocks < 200, true)
    const { size, blocks } = lstatSync(join(target, 'zeros'))
    assert.deepEqual([size, blocks], [400 * 524_288, 0])
  })

  test('reaches folders deeper than 4,096 bytes', async () => {
    await using at = await stage()
    const { make, target } = at
    const name = Buffer.alloc(250, 'd')
    let nodes = [make.file('file', 'deep')]
    for (let depth = 0; depth < 200; depth++) nodes = [make.dir(name, nodes)]
    const tree = make.tree(nodes)
    await make.store()
    const { findings, files, folders } = await restore(at, tree)
    assert.deepEqual([findings, files, folders], [[], 1, 200])
    using open = new DisposableStack()
    let directory = open.use(Directory.open(target))
    for (let depth = 0; depth < 200; depth++) directory = open.use(directory.openChild(name))
    assert.equal(directory.status(Buffer.from('file')).size, 4)
  })

  test('stops when it is told to, and leaves no file that is half there', async () => {
    await using at = await stage()
    const { make, repository, target } = at
    const files = Array.from({ length: 20 }, (_, file) =>
      make.file(
        `file ${file}`,
        Array.from({ length: 200 }, () => randomBytes(1000)),
      ),
    )
    const tree = make.tree(files)
    await make.store()
    const plan = await planRestore(repository, { tree, target })
    const stop = new AbortController()
    const progress = ({ bytes }: RestoreProgress): void => {
      if (bytes > 1_000_000) stop.abort()
    }
    await assert.rejects(performRestore(repository, plan, { progress }, stop.signal), { name: 'AbortError' })
    const left = readdirSync(target)
    assert.ok(left.length < 20)
    for (const name of left) assert.equal(lstatSync(join(target, name)).size, 200_000)
  })

  test('tells how far it is, up to the end', async () => {
    await using at = await stage()
    const { make } = at
    const tree = make.tree(Array.from({ length: 300 }, (_, file) => make.file(`f${file}`, `content ${file}`)))
    await make.store()
    let last: RestoreProgress | undefined
    await restore(at, tree, {}, (progress) => {
      assert.ok(progress.files >= (last?.files ?? 0) && progress.bytes >= (last?.bytes ?? 0))
      last = progress
    })
    assert.deepEqual([last?.files, last?.bytes], [last?.totalFiles, last?.totalBytes])
    assert.equal(last?.files, 300)
  })

  test('without the rights of root says once what it could not set', { skip: needs('root') }, async () => {
    await using at = await stage()
    const { scratch } = at
    const store = join(scratch, 'target')
    const backend = await createLocal(store)
    await using repository = await memoryRepository(backend)
    const make = new Handmade(repository)
    const tree = make.tree([
      make.dir(
        'd',
        [make.file('a', 'a', { uid: 0, gid: 0, mode: 0o4755 }), make.file('b', 'b', { uid: 12, gid: 12 })],
        {
          mode: 0o500,
          uid: 65534,
          gid: 65534,
        },
      ),
      make.file('mine', 'mine', {
        uid: 65534,
        gid: 65534,
        mode: 0o4711,
        extendedAttributes: [{ name: 'trusted.x', value: Buffer.from('') }],
      }),
      { name: 'tty', type: 'chardev', device: 5n, links: 1 },
    ])
    await make.store()
    execFileSync('chown', ['-R', '65534:65534', scratch])
    const run = restoreElsewhere(store, tree, [], 'process.setgroups([]); process.setgid(65534); process.setuid(65534)')
    assert.equal(run.status, 0, run.stderr)
    const result = JSON.parse(run.stdout) as RestoreResult
    const told = result.findings.map(({ severity, path, text }) => `${severity} ${path} ${text}`).sort()
    assert.equal(told.length, 4, told.join('\n'))
    assert.match(told[0]!, /^failed tty EPERM/)
    assert.match(told[1]!, /^notice d\/a could not set owner \(EPERM\), here and on 1 other entries/)
    assert.match(told[2]!, /^notice d\/a could not set setuid and setgid/)
    assert.match(told[3]!, /^notice mine could not set extended attribute trusted.x/)
    const mode = (name: string): number => lstatSync(join(store, 'out', name)).mode & 0o7777
    assert.deepEqual([mode('d'), mode('d/a'), mode('mine')], [0o500, 0o755, 0o4711])
  })
})

describe('a place that does not play along', () => {
  test('a full disk ends the restore at once, and no file is half there', { skip: needs('root') }, async () => {
    await using at = await stage()
    const { make, target } = at
    const tree = make.tree([
      ...Array.from({ length: 300 }, (_, file) => make.file(`f${file}`, randomBytes(10_000))),
      make.file(
        'large',
        Array.from({ length: 10 }, () => randomBytes(100_000)),
      ),
    ])
    await make.store()
    mkdirSync(target)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', target])
    try {
      await assert.rejects(restore(at, tree), { code: 'restore.target-full', kind: 'denied' })
      assert.ok(readdirSync(target).length < 100)
      for (const name of readdirSync(target)) assert.equal(lstatSync(join(target, name)).size, 10_000)
    } finally {
      execFileSync('umount', [target])
    }
  })

  test('a vault that stops answering ends the restore, and no file is half there', async () => {
    await using at = await stage()
    const { make, repository, target } = at
    const tree = make.tree(
      Array.from({ length: 5 }, (_, file) =>
        make.file(
          `f${file}`,
          Array.from({ length: 200 }, () => randomBytes(900)),
        ),
      ),
    )
    await make.store()
    const plan = await planRestore(repository, { tree, target })
    const backend = new FaultyBackend(at.backend, { faults: [{ at: 4, action: 'stop' }] })
    const { key, index } = repository
    const loadBlob: Repository['loadBlob'] = (...asked) => repository.loadBlob(...asked)
    await assert.rejects(performRestore({ backend, key, index, loadBlob }, plan), { kind: 'unavailable' })
    for (const name of readdirSync(target)) assert.equal(lstatSync(join(target, name)).size, 180_000)
  })

  test('where the C library cannot be called, the rest is restored and the findings say what is not', async () => {
    await using at = await stage()
    const { scratch } = at
    const store = join(scratch, 'target')
    await using repository = await memoryRepository(await createLocal(store))
    const make = new Handmade(repository)
    const tree = make.tree([
      make.dir('d', [make.file('a', 'a', { extendedAttributes: [{ name: 'user.a', value: Buffer.from('1') }] })]),
      make.file('large', [randomBytes(600_000), Buffer.alloc(600_000)]),
      { name: 'pipe', type: 'fifo' },
    ])
    await make.store()
    const { status, stdout, stderr } = restoreElsewhere(store, tree, ['--no-experimental-ffi'])
    assert.equal(status, 0, stderr)
    const { findings } = JSON.parse(stdout) as RestoreResult
    const told = findings.map(({ severity, path, text }) => `${severity} ${path}: ${text}`).sort()
    assert.equal(told.length, 4, told.join('\n'))
    assert.match(told[0]!, /^failed pipe: this machine gives no way to create fifos/)
    assert.match(told[1]!, /^notice d\/a: could not set extended attributes \(filesystem.unsupported\)/)
    assert.match(told[2]!, /^notice d\/a: could not set times \(filesystem.unsupported\), here and on 1 other/)
    assert.match(told[3]!, /^notice d: could not set times \(filesystem.unsupported\)/)
    assert.deepEqual(Object.keys(contents(join(store, 'out'))).sort(), ['d/', 'd/a', 'large'])
    assert.equal(lstatSync(join(store, 'out', 'large')).size, 1_200_000)
  })
})

describe('a damaged repository', () => {
  test('gives back what it still holds, and names the files that are not there', async () => {
    await using at = await stage()
    const { make, backend, repository, target } = at
    const bad = Buffer.from('bad blob')
    const large = Array.from({ length: 3 }, () => randomBytes(600_000))
    const tree = make.tree([
      make.file('fine', 'fine'),
      make.file('hurt', bad),
      make.file('hurt too', [randomBytes(600_000), bad, randomBytes(500_000)]),
      make.file('large', large),
    ])
    const packs = await make.store()
    const { id, blobs } = packs.find(({ blobs }) => blobs.some(({ id }) => id === sha256Hex(bad)))!
    const place = blobs.find((blob) => blob.id === sha256Hex(bad))!
    const bytes = Buffer.concat(await Array.fromAsync(backend.load({ type: 'pack', name: id })))
    bytes[place.offset + 20]! ^= 1
    backend.overwrite({ type: 'pack', name: id }, bytes)

    const result = await restore(at, tree)
    const told = result.findings.map(({ severity, path }) => `${severity} ${path}`).sort()
    assert.deepEqual(told, ['damage hurt', 'damage hurt too'])
    assert.deepEqual(Object.keys(contents(target)).sort(), ['fine', 'large'])
    assert.equal(result.files, 2)

    // Another copy of the blob, in another pack, is as good.
    make.blob('data', bad)
    await make.store()
    rmSync(target, { recursive: true })
    assert.deepEqual((await restore(at, tree)).findings, [])
    assert.equal(Object.keys(contents(target)).length, 4)
    await repository.loadIndex()
  })

  test('whose pack is gone or cut short gives back what lies in others', async () => {
    await using at = await stage()
    const { make, backend, target } = at
    const first = make.file('first', 'first')
    const [pack] = await make.store()
    const tree = make.tree([first, make.file('second', 'second')])
    await make.store()
    const ref = { type: 'pack', name: pack!.id } as const
    const whole = Buffer.concat(await Array.fromAsync(backend.load(ref)))
    for (const damage of ['cut', 'gone'] as const) {
      if (damage === 'cut') backend.overwrite(ref, whole.subarray(0, 10))
      else await backend.remove(ref)
      const { findings } = await restore(at, tree)
      assert.deepEqual(
        findings.map(({ severity, path }) => [severity, path]),
        [['damage', 'first']],
      )
      assert.deepEqual(contents(target), { second: 'second' })
      rmSync(target, { recursive: true })
    }
  })

  test('without the tree of a folder restores the others; without its top, nothing', async () => {
    await using at = await stage()
    const { make, repository, target } = at
    const lost = make.dir('lost', [make.file('x', 'x')])
    const tree = make.tree([
      make.dir('d', [make.file('y', 'y')]),
      lost,
      { ...lost, name: 'never', subtree: 'ab'.repeat(32) },
    ])
    await make.store((blob) => (blob.id === lost.subtree ? { ...blob, length: blob.length - 1 } : blob))
    const { findings } = await restore(at, tree)
    assert.deepEqual(findings.map(({ severity, path }) => `${severity} ${path}`).sort(), [
      'damage lost',
      'damage never',
    ])
    assert.deepEqual(contents(target), { 'd/': '', 'd/y': 'y', 'lost/': '', 'never/': '' })
    await assert.rejects(planRestore(repository, { tree: 'cd'.repeat(32), target: join(target, 'x') }), {
      kind: 'damaged',
    })
  })
})

describe('a hostile snapshot', () => {
  test('cannot write outside the target by names', async () => {
    await using at = await stage()
    const { make, target } = at
    const names = [
      '../outside/evil',
      '..',
      '.',
      '',
      'a/b',
      '/etc/evil',
      'x\0y',
      '../../../../../../tmp/bewaar-evil',
      '..\0',
      '/',
    ]
    const nodes = names.flatMap((name) => [
      make.file(name, 'evil'),
      make.dir(name, [make.file('evil', 'evil')]),
      { name, type: 'symlink', linkTarget: Buffer.from('/') } as const,
      { name, type: 'fifo' } as const,
    ])
    const tree = make.tree([
      ...nodes,
      make.file('good', 'good'),
      make.dir('sub', [...nodes, make.file('good', 'good')]),
    ])
    await make.store()
    const { findings } = await restore(at, tree)
    assert.equal(findings.length, nodes.length * 2)
    assert.ok(findings.every(({ severity }) => severity === 'damage'))
    assert.deepEqual(contents(target), { good: 'good', 'sub/': '', 'sub/good': 'good' })
    assertNothingOutside(at)
    assert.equal(existsSync('/tmp/bewaar-evil'), false)
  })

  test('cannot use one name twice, as a link and as a folder below which to write', async () => {
    await using at = await stage()
    const { make, target, outside } = at
    const link = { name: 'd', type: 'symlink', linkTarget: Buffer.from(outside) } as const
    const dir = make.dir('d', [make.file('canary', 'dead'), make.file('evil', 'evil')])
    for (const [nodes, expected] of [
      [[link, dir], { d: `-> ${outside}` }],
      [[dir, link], { 'd/': '', 'd/canary': 'dead', 'd/evil': 'evil' }],
      [[dir, make.file('z', 'z'), link, dir], { 'd/': '', 'd/canary': 'dead', 'd/evil': 'evil', z: 'z' }],
    ] as const) {
      const tree = make.tree(nodes)
      await make.store()
      const { findings } = await restore(at, tree)
      assert.ok(findings.length > 0 && findings.every(({ severity }) => severity === 'damage'))
      assert.deepEqual(contents(target), expected)
      assertNothingOutside(at)
      rmSync(target, { recursive: true })
    }
  })

  test('cannot follow links that are there before', async () => {
    await using at = await stage()
    const { make, target, outside } = at
    const tree = make.tree([
      make.dir('dir', [make.file('canary', 'dead'), make.dir('deep', [make.file('evil', 'evil')])]),
      make.file('file', 'new'),
      make.file('large', [randomBytes(600_000), randomBytes(600_000)]),
    ])
    await make.store()
    const prepare = (): void => {
      rmSync(target, { recursive: true, force: true })
      mkdirSync(target)
      symlinkSync(outside, join(target, 'dir'))
      symlinkSync(join(outside, 'canary'), join(target, 'file'))
      symlinkSync(join(outside, 'new'), join(target, 'large'))
    }
    prepare()
    await restore(at, tree, { existing: 'keep' })
    assert.deepEqual(Object.values(contents(target)), [`-> ${outside}`, `-> ${outside}/canary`, `-> ${outside}/new`])
    assertNothingOutside(at)
    prepare()
    const { findings } = await restore(at, tree, { existing: 'overwrite' })
    assert.deepEqual(findings, [])
    assert.equal(contents(target)['dir/deep/evil'], 'evil')
    assert.equal(contents(target)['file'], 'new')
    assertNothingOutside(at)
  })

  test('cannot follow links that are swapped in while it runs', async () => {
    await using at = await stage()
    const { make, target, outside, scratch } = at
    const folders = Array.from({ length: 600 }, (_, folder) =>
      make.dir(`d${folder}`, [
        make.dir('sub', [make.file('canary', 'dead'), make.file(`f${folder}`, `evil ${folder}`)]),
      ]),
    )
    const tree = make.tree(folders)
    await make.store()
    let swapped = 0
    const { findings } = await restore(at, tree, {}, () => {
      for (const name of existsSync(target) ? readdirSync(target) : []) {
        const path = join(target, name)
        if (Number(name.slice(1)) % 3 !== 0 || !lstatSync(path).isDirectory()) continue
        renameSync(path, join(target, `moved ${name}`))
        symlinkSync(outside, path)
        swapped++
      }
    })
    assert.ok(swapped > 0)
    assert.ok(findings.length > 0 && findings.every(({ severity }) => severity === 'failed'))
    assert.deepEqual(contents(outside), { canary: 'alive' })
    assert.deepEqual(readdirSync(scratch).sort(), ['outside', 'target'])
  })

  test('notices a folder or file that is exchanged for another while it runs', async () => {
    await using at = await stage()
    const { make, target, outside } = at
    const tree = make.tree([
      make.file(
        'large',
        Array.from({ length: 2000 }, () => randomBytes(1000)),
      ),
      ...Array.from({ length: 300 }, (_, folder) => make.dir(`d${folder}`, [make.file('f', `${folder}`)])),
    ])
    await make.store()
    let done = false
    const { findings } = await restore(at, tree, {}, ({ bytes }) => {
      if (done || bytes === 0) return
      done = true
      for (const name of readdirSync(target).filter((name) => name.startsWith('.bewaar-'))) {
        rmSync(join(target, name))
        symlinkSync(join(outside, 'canary'), join(target, name))
      }
    })
    assert.deepEqual(
      findings.map(({ severity, path }) => [severity, path]),
      [['failed', 'large']],
    )
    assert.equal(existsSync(join(target, 'large')), false)
    assertNothingOutside(at)
  })

  test('cannot fill the memory: blobs that claim or hold too much are damage', async () => {
    await using at = await stage()
    const { make, target } = at
    const bomb = Buffer.alloc(64 * 2 ** 20)
    const lies = { id: sha256Hex(bomb.subarray(0, 100)), claims: make.blob('data', Buffer.from('claims')) }
    make.blob('data', bomb, lies.id)
    const content = [lies.id]
    const tree = make.tree([
      { name: 'bomb', size: 1000, content },
      { name: 'claims', size: 2 ** 32 - 1, content: [lies.claims] },
      { name: 'size', size: 5, content: [make.blob('data', Buffer.from('six'))] },
      { name: 'huge', size: Number.MAX_SAFE_INTEGER, content: [] },
      { name: 'missing', size: 3, content: ['ef'.repeat(32)] },
      { name: 'no content', size: 0 },
      make.file('good', 'good'),
    ])
    await make.store((blob) => {
      if (blob.id === lies.id) return { ...blob, uncompressedLength: 1000 }
      return blob.id === lies.claims ? { ...blob, uncompressedLength: 2 ** 32 - 1 } : blob
    })
    const { findings } = await restore(at, tree)
    const told = findings.map(({ severity, path }) => `${severity} ${path}`).sort()
    assert.deepEqual(
      told,
      ['bomb', 'claims', 'huge', 'missing', 'no content', 'size'].map((path) => `damage ${path}`),
    )
    assert.deepEqual(contents(target), { good: 'good' })
  })

  test('cannot fill the memory with folders that stand for one another', async () => {
    await using at = await stage()
    const { make, repository, target } = at
    let nodes = [make.file('x', 'x')]
    for (let depth = 0; depth < 40; depth++) nodes = [make.dir('a', nodes), make.dir('b', nodes)]
    const tree = make.tree(nodes)
    await make.store()
    const planning = planRestore(repository, { tree, target, maximumEntries: 50_000 })
    await assert.rejects(planning, { code: 'restore.too-large', kind: 'invalid' })
    assert.equal(existsSync(target), false)
  })

  test('is refused where its trees are none, and its odd nodes are told', async () => {
    await using at = await stage()
    const { make, target } = at
    const garbage = make.blob('tree', Buffer.from('{"nodes":[{"name":"x","type":"file","content":7}]}'))
    const bytes = make.blob('tree', randomBytes(1000))
    const tree = make.tree([
      { name: 'a', type: 'dir', subtree: garbage },
      { name: 'b', type: 'dir', subtree: bytes },
      { name: 'c', type: 'dir' },
      { name: 'd', type: 'symlink' },
      { name: 'e', type: 'symlink', linkTarget: Buffer.from('a\0b') },
      { name: 'f', type: 'socket' },
      {
        ...make.file('g', 'g'),
        extendedAttributes: [
          { name: 'user.a\0b', value: Buffer.from('') },
          { name: 'nonsense', value: Buffer.alloc(90_000) },
        ],
      },
      make.file(Buffer.alloc(256, 'n'), 'long'),
      make.file('h', 'h', { mtimeNs: 10n ** 19n, uid: 2 ** 32 - 1 }),
      { name: 'i', type: 'dev', device: 2n ** 63n + 5n },
    ])
    await make.store()
    const { findings } = await restore(at, tree)
    const told = new Map(findings.map(({ severity, path }) => [path.slice(0, 3), severity]))
    const expected: Record<string, string> = {
      a: 'damage',
      b: 'damage',
      c: 'damage',
      d: 'damage',
      e: 'failed',
      f: 'notice',
      g: 'notice',
      nnn: 'failed',
      i: 'failed',
    }
    assert.deepEqual(Object.fromEntries(told), expected)
    assert.deepEqual(contents(target), { 'a/': '', 'b/': '', g: 'g', h: 'h' })
    assertNothingOutside(at)
  })
})
