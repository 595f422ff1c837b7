import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { FaultyBackend, MemoryBackend, memoryPassword, memoryRepository } from '#engine/testing'
import { sha256 } from '../crypto/hash.ts'
import { Accounts } from '../filesystem/accounts.ts'
import { Directory } from '../filesystem/directory.ts'
import { openRepository } from '../repository/repository.ts'
import type { FolderPart } from './entry.ts'
import { FolderMemory, FolderMemoryWriter } from './folder-memory.ts'
import { HeldMemory, nodeAt, textAt, tickMs, Trial, trialFolder } from './trial.ts'

const polynomial = 0x3da3358b4dc173n

function random(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

interface Listed {
  readonly folders: string[]
  readonly files: string[]
}

function list(root: string): Listed {
  const listed: Listed = { folders: [root], files: [] }
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isDirectory()) listed.folders.push(path)
    else listed.files.push(path)
  }
  listed.folders.sort()
  listed.files.sort()
  return listed
}

/** Sets one extended attribute, where the file system has them. */
function setAttribute(path: string, value: string): void {
  using directory = Directory.open(join(path, '..'))
  try {
    directory.setExtendedAttribute(Buffer.from(path.slice(path.lastIndexOf('/') + 1)), 'user.trial', Buffer.from(value))
  } catch {
    // because not every place for temporary files keeps attributes
  }
}

/** Changes something of the tree; what it does follows from the numbers alone. */
function change(root: string, pick: (below: number) => number, round: number): void {
  const { folders, files } = list(root)
  const one = (paths: readonly string[]): string => paths[pick(paths.length)] ?? root
  const file = one(files)
  const folder = one(folders)
  const fresh = join(folder, `n${round}-${pick(1e9)}`)
  const isFile = files.length > 0 && lstatSync(file).isFile()
  switch (pick(13)) {
    case 0: {
      if (!isFile) return
      // the same size and the same times: only the change time tells
      const { atime, mtime, size } = lstatSync(file)
      writeFileSync(file, String(pick(10)).repeat(size))
      return utimesSync(file, atime, mtime)
    }
    case 1:
      return files.length > 0 ? renameSync(file, fresh) : undefined
    case 2:
      return isFile ? chmodSync(file, 0o600 + pick(8) * 8) : undefined
    case 3:
      if (process.getuid?.() === 0 && files.length > 0) lchownSync(file, pick(3), pick(3))
      return
    case 4:
      return isFile ? setAttribute(file, String(pick(1000))) : undefined
    case 5:
      return writeFileSync(fresh, 'x'.repeat(pick(5000)))
    case 6:
      return files.length > 0 ? rmSync(file) : undefined
    case 7:
      if (files.length === 0) return
      rmSync(file)
      return symlinkSync(`target${pick(100)}`, file)
    case 8:
      return utimesSync(folder, new Date(), new Date(1e12 + pick(1e9)))
    case 9:
      mkdirSync(join(fresh, 'deep'), { recursive: true })
      return writeFileSync(join(fresh, 'deep', 'file'), String(round))
    case 10:
      return folder === root ? undefined : rmSync(folder, { recursive: true })
    case 11:
      return folder === root ? undefined : setAttribute(folder, String(pick(1000)))
    default: {
      const to = join(root, `moved${round}-${pick(1e9)}`)
      if (isFile && !existsSync(to)) linkSync(file, to)
    }
  }
}

const rounds = 20
for (const seed of [1, 2]) {
  test(`with a memory and without one the trees are the same, whatever changes (seed ${seed})`, async () => {
    await using source = await trialFolder()
    const pick = random(seed)
    for (let nth = 0; nth < 40; nth++) {
      const folder = join(source.path, `a${nth % 4}`, `b${nth % 8}`, `c${nth % 3}`)
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, `file${nth}`), `content ${nth}`)
    }
    const memory = new HeldMemory()
    const remembering = new Trial(await memoryRepository(undefined, { polynomial }), memory)
    const forgetful = new Trial(await memoryRepository(undefined, { polynomial }))
    for (let round = 0; round < rounds; round++) {
      const part: FolderPart = {
        kind: 'folder',
        at: 'files',
        path: source.path,
        ...(pick(4) === 0 && { leaveOut: (path: string) => path.endsWith('3') }),
      }
      const one = await remembering.backUp([part])
      const other = await forgetful.backUp([part])
      assert.equal(one.tree, other.tree, `round ${round}`)
      assert.deepEqual([one.files, one.folders, one.bytes], [other.files, other.folders, other.bytes], `round ${round}`)
      for (let changes = pick(4); changes > 0; changes--) change(source.path, pick, round)
    }
    assert.equal(memory.saves, rounds)
  })
}

/** A folder with some folders in it, the repository it is backed up to, and what was asked of the repository. */
async function scene(): Promise<{
  source: Awaited<ReturnType<typeof trialFolder>>
  part: FolderPart
  backend: FaultyBackend
  memory: HeldMemory
  trial: Trial
  /** Whether the next backup finds all unchanged, and if so without a look at the trees of the parent. */
  isKept: () => Promise<boolean>
}> {
  const source = await trialFolder()
  for (const folder of ['one/two', 'three']) {
    mkdirSync(join(source.path, folder), { recursive: true })
    writeFileSync(join(source.path, folder, 'file'), folder)
  }
  const backend = new FaultyBackend(new MemoryBackend())
  const memory = new HeldMemory()
  const trial = new Trial(await memoryRepository(backend), memory)
  const part: FolderPart = { kind: 'folder', at: '', path: source.path }
  await trial.backUp([part])
  const isKept = async (): Promise<boolean> => {
    // opened anew, because a repository keeps packs of trees that it has read
    trial.repository = await openRepository(backend, { password: memoryPassword, lockTimings: { settleMs: 0 } })
    const before = packsLoaded(backend)
    const { tree } = trial.parent!
    const result = await trial.backUp([part])
    assert.equal(result.tree, tree)
    assert.deepEqual(result.files, { new: 0, changed: 0, unmodified: 2 })
    assert.deepEqual(result.folders, { new: 0, changed: 0, unmodified: 3 })
    return packsLoaded(backend) === before
  }
  return { source, part, backend, memory, trial, isKept }
}

function packsLoaded(backend: FaultyBackend): number {
  return backend.operations.filter(({ operation, type }) => operation === 'load' && type === 'pack').length
}

test('a backup that finds nothing changed asks the repository for no tree', async () => {
  const { source, isKept } = await scene()
  await using _ = source
  assert.equal(await isKept(), true)
  assert.equal(await isKept(), true, 'the memory of a backup that kept everything serves as well')
})

test('after a change the folders beside it keep their trees', async () => {
  const { source, part, backend, trial } = await scene()
  await using _ = source
  writeFileSync(join(source.path, 'one/two/file'), 'changed')
  const before = packsLoaded(backend)
  const result = await trial.backUp([part])
  assert.equal(packsLoaded(backend) - before, 3, 'the root, one and one/two')
  assert.deepEqual(result.files, { new: 0, changed: 1, unmodified: 1 })
  assert.deepEqual(result.folders, { new: 0, changed: 2, unmodified: 1 })
})

test('a folder that was moved keeps the trees below it, and its files are not read again', async () => {
  const { source, part, trial } = await scene()
  await using _ = source
  renameSync(join(source.path, 'one'), join(source.path, 'moved'))
  const result = await trial.backUp([part])
  assert.equal(result.bytesRead, 0)
  assert.equal(await textAt(trial.repository, result.tree, 'moved/two/file'), 'one/two')
})

test('a memory of another snapshot is not believed', async () => {
  const { source, part, memory, trial, isKept } = await scene()
  await using _ = source
  const { bytes } = memory
  writeFileSync(join(source.path, 'three/file'), '3')
  await trial.backUp([part])
  memory.bytes = bytes
  assert.equal(await isKept(), false)
})

test('a memory of another repository is not believed', async () => {
  const { source, memory, trial, isKept } = await scene()
  await using _ = source
  const writer = new FolderMemoryWriter()
  memory.bytes = writer.encode({ repository: 'ab'.repeat(32), snapshot: trial.parent!.id, indexes: [] })
  assert.equal(await isKept(), false)
})

test('a memory is not believed when an index file it rests on is gone', async () => {
  const { source, backend, trial, isKept } = await scene()
  await using _ = source
  const [index] = await Array.fromAsync(backend.list('index'))
  const copy = await trial.repository.loadUnpacked('index', index!.name)
  await trial.repository.saveUnpacked('index', copy)
  await backend.remove({ type: 'index', name: index!.name })
  assert.equal(await isKept(), false)
  assert.equal(await isKept(), true)
})

test('what was removed from the repository is stored again', async () => {
  const { source, part, backend, trial } = await scene()
  await using _ = source
  for (const type of ['index', 'pack'] as const) {
    for (const { name } of await Array.fromAsync(backend.list(type))) await backend.remove({ type, name })
  }
  const result = await trial.backUp([part])
  assert.equal(await textAt(trial.repository, result.tree, 'one/two/file'), 'one/two')
})

test('a memory that is damaged anywhere, or cut short, or cannot be read, is as good as none', async () => {
  const { source, memory, isKept } = await scene()
  await using _ = source
  const { bytes } = memory
  for (let bit = 0; bit < bytes!.length * 8; bit += 77) {
    const damaged = Buffer.from(bytes!)
    damaged[bit >> 3]! ^= 1 << (bit & 7)
    assert.equal(FolderMemory.decode(damaged), undefined)
  }
  for (let length = 0; length < bytes!.length; length++) {
    assert.equal(FolderMemory.decode(bytes!.subarray(0, length)), undefined)
  }
  memory.bytes = bytes!.subarray(1)
  assert.equal(await isKept(), false)
  memory.load = () => Promise.reject(new Error('no'))
  assert.equal(await isKept(), false)
})

test('a memory that cannot be saved is no trouble for the backup', async () => {
  const { source, part, memory, trial } = await scene()
  await using _ = source
  memory.save = () => Promise.reject(new Error('no'))
  assert.deepEqual((await trial.backUp([part])).findings, [])
})

test('a memory is not believed when a user has another name', async () => {
  const { source, memory, trial, isKept } = await scene()
  await using _ = source
  const remembered = FolderMemory.decode(memory.bytes!)!
  const accounts = new Accounts()
  const [uid] = remembered.users
  assert.equal(uid, process.getuid!())
  assert.ok(
    remembered.hasSameNames(
      (id) => accounts.nameOfUser(id),
      (id) => accounts.nameOfGroup(id),
    ),
  )
  assert.ok(
    !remembered.hasSameNames(
      () => 'somebody',
      (id) => accounts.nameOfGroup(id),
    ),
  )
  assert.ok(
    !remembered.hasSameNames(
      (id) => accounts.nameOfUser(id),
      () => 'some people',
    ),
  )
  const { repository, snapshot, indexes } = remembered
  const renamed = new FolderMemoryWriter()
  renamed.addUser(uid, 'the name before')
  memory.bytes = renamed.encode({ repository, snapshot, indexes })
  assert.equal(snapshot, trial.parent!.id)
  assert.equal(await isKept(), false)
})

test('the memory holds no name in the clear', async () => {
  const { source, memory } = await scene()
  await using _ = source
  for (const name of ['three', 'file', new Accounts().nameOfUser(process.getuid!())]) {
    assert.ok(!Buffer.from(memory.bytes!).includes(name), name)
  }
})

test('a file that changed within a tick of the last backup is read again, and its attributes too', async () => {
  const { source, part, trial } = await scene()
  await using _ = source
  const file = join(source.path, 'three/file')
  setAttribute(file, 'before')
  await trial.backUp([part], { timeNs: lstatSync(file, { bigint: true }).ctimeNs + 20_000_000n })
  // as if it had happened within the same tick, so that no time tells
  const { bytesRead, files } = await trial.backUp([part])
  assert.equal(bytesRead, 5)
  assert.deepEqual(files, { new: 0, changed: 1, unmodified: 1 })
  assert.equal((await trial.backUp([part])).bytesRead, 0)
})

test('what another part puts into a folder is not left out because the folder did not change', async () => {
  const { source, memory } = await scene()
  await using _ = source
  const trial = new Trial(await memoryRepository(), memory)
  const note = (
    text: string,
    at: string,
  ): { kind: 'content'; at: string; content: { kind: 'bytes'; bytes: Buffer } } => ({
    kind: 'content',
    at,
    content: { kind: 'bytes', bytes: Buffer.from(text) },
  })
  const folder: FolderPart = { kind: 'folder', at: '', path: source.path }
  for (const text of ['first', 'second']) {
    const within = await trial.backUp([folder, note(text, 'one/note')])
    assert.equal(await textAt(trial.repository, within.tree, 'one/note'), text)
    const last = await trial.backUp([folder], { lastParts: () => [note(text, 'last')] })
    assert.equal(await textAt(trial.repository, last.tree, 'last'), text)
    assert.equal(await nodeAt(trial.repository, last.tree, 'one/note'), undefined)
    const replace = new Map([['one/two/file', { kind: 'bytes', bytes: Buffer.from(text) } as const]])
    const replaced = await trial.backUp([{ ...folder, replace }])
    assert.equal(await textAt(trial.repository, replaced.tree, 'one/two/file'), text)
  }
})

test('a writer and a reader agree on many folders, also where digests begin the same', () => {
  const writer = new FolderMemoryWriter()
  const digests = Array.from({ length: 3000 }, (_, nth) => {
    const digest = sha256(Buffer.from(String(nth))).subarray(0, 16)
    if (nth % 3 === 0) digest.writeUInt32BE(nth % 2 === 0 ? 0 : 0xffff_ffff)
    return digest
  })
  for (const [nth, digest] of digests.entries()) writer.add(digest, sha256(Buffer.from(`tree ${nth}`)))
  const head = { repository: '01'.repeat(32), snapshot: '02'.repeat(32), indexes: ['03'.repeat(32)] }
  const memory = FolderMemory.decode(writer.encode(head))!
  for (const [nth, digest] of digests.entries()) {
    assert.deepEqual(Buffer.from(memory.treeOf(digest)!), sha256(Buffer.from(`tree ${nth}`)))
  }
  assert.equal(memory.treeOf(Buffer.alloc(16, 1)), undefined)
  assert.equal(memory.treeOf(Buffer.alloc(16, 0xff)), undefined)
  const { repository, snapshot, indexes } = memory
  assert.deepEqual({ repository, snapshot, indexes }, head)
  assert.ok(tickMs > 10)
})
