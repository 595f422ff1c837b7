import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  closeSync,
  fstatSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'

import { Accounts } from './accounts.ts'
import {
  extendedAttributeNamesOf,
  extendedAttributesOf,
  removeExtendedAttributeOf,
  setExtendedAttributeOf,
  setModeOf,
  setOwnerOf,
  setTimesOf,
  statusOf,
  syncFilesystem,
} from './descriptor.ts'
import { Directory, splitPath } from './directory.ts'
import { listFolder } from './list-names.ts'
import { deviceNumber } from './status.ts'

const root = process.getuid?.() === 0
const asRoot = { skip: root ? false : 'runs as root only' }
const inOrder = (a: Buffer, z: Buffer): number => Buffer.compare(a, z)
const b = (text: string): Buffer => Buffer.from(text)

/** A folder that goes away with the scope. */
function folder(): { readonly path: string; readonly directory: Directory } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'bewaar-filesystem-'))
  const directory = Directory.open(path)
  return {
    path,
    directory,
    [Symbol.dispose]: () => {
      directory[Symbol.dispose]()
      rmSync(path, { recursive: true, force: true })
    },
  }
}

describe('a directory', () => {
  test('tells the same as node:fs about every type of entry', asRoot, () => {
    using at = folder()
    const { directory, path } = at
    writeFileSync(join(path, 'file'), 'twelve bytes')
    directory.makeDirectory(b('dir'), 0o755)
    directory.makeSymlink(b('nowhere'), b('link'))
    directory.makeNode(b('pipe'), 'fifo')
    directory.makeNode(b('tty'), 'chardev', deviceNumber(4, 64))
    directory.makeNode(b('disk'), 'dev', deviceNumber(259, 70_000))
    directory.setMode(b('file'), 0o6751)
    assert.throws(() => directory.makeNode(b('beyond'), 'dev', 1n << 32n), { code: 'EINVAL' })

    const types = new Map<string, string>()
    for (const name of directory.names()) {
      const status = directory.status(name)
      const expected = lstatSync(join(path, name.toString()), { bigint: true })
      types.set(name.toString(), status.type)
      assert.deepEqual(
        { ...status, type: undefined },
        {
          type: undefined,
          mode: Number(expected.mode & 0o7777n),
          uid: Number(expected.uid),
          gid: Number(expected.gid),
          size: Number(expected.size),
          mtimeNs: expected.mtimeNs,
          atimeNs: expected.atimeNs,
          ctimeNs: expected.ctimeNs,
          inode: expected.ino,
          deviceId: expected.dev,
          links: Number(expected.nlink),
          device: expected.rdev,
          allocated: Number(expected.blocks) * 512,
        },
      )
    }
    assert.deepEqual(
      [...types].sort(([a], [z]) => (a < z ? -1 : 1)),
      [
        ['dir', 'dir'],
        ['disk', 'dev'],
        ['file', 'file'],
        ['link', 'symlink'],
        ['pipe', 'fifo'],
        ['tty', 'chardev'],
      ],
    )
    assert.deepEqual(new Map(listFolder(b(path))!.map(({ name, kind }) => [name, kind])), types)
    assert.equal(directory.ownStatus().inode, statSync(path, { bigint: true }).ino)
  })

  test('never follows a link that stands where an entry should be', () => {
    using at = folder()
    using outside = folder()
    writeFileSync(join(outside.path, 'secret'), 'secret', { mode: 0o600 })
    symlinkSync(outside.path, join(at.path, 'dir'))
    symlinkSync(join(outside.path, 'secret'), join(at.path, 'file'))
    const before = lstatSync(join(outside.path, 'secret'), { bigint: true })

    assert.throws(() => at.directory.openChild(b('dir')), { code: 'ENOTDIR' })
    assert.throws(() => at.directory.openFile(b('file')), { code: 'ELOOP' })
    assert.throws(() => at.directory.createFile(b('file')), { code: 'EEXIST' })
    assert.throws(() => at.directory.setMode(b('file'), 0o777), { code: 'ELOOP' })
    assert.equal(at.directory.status(b('dir')).type, 'symlink')
    at.directory.setTimes(b('file'), 1n, 2n)
    at.directory.makeHardLink(at.directory, b('file'), b('same'))
    at.directory.setOwner(b('file'), process.getuid!(), process.getgid!())
    assert.equal(at.directory.status(b('same')).type, 'symlink')
    assert.throws(() => at.directory.removeDirectory(b('dir')), { code: 'ENOTDIR' })
    at.directory.unlink(b('dir'))
    assert.deepEqual({ ...lstatSync(join(outside.path, 'secret'), { bigint: true }) }, { ...before })
  })

  test('refuses names that are not those of one entry', () => {
    using at = folder()
    for (const name of ['', '.', '..', '../x', 'a/b', '/', 'a\0b', '\0']) {
      const refused = { code: 'filesystem.name', kind: 'invalid' }
      assert.throws(() => at.directory.status(b(name)), refused)
      assert.throws(() => at.directory.openChild(b(name)), refused)
      assert.throws(() => at.directory.createFile(b(name)), refused)
      assert.throws(() => at.directory.makeDirectory(b(name)), refused)
      assert.throws(() => at.directory.makeSymlink(b('x'), b(name)), refused)
      assert.throws(() => at.directory.makeNode(b(name), 'fifo'), refused)
      assert.throws(() => at.directory.setTimes(b(name), 0n, 0n), refused)
      assert.throws(() => at.directory.setExtendedAttribute(b(name), 'user.x', b('')), refused)
      assert.throws(() => at.directory.rename(b('x'), at.directory, b(name), { noReplace: true }), refused)
    }
    for (const name of ['...', '.x', '..x', ' ', '\\', 'a\n']) closeSync(at.directory.createFile(b(name)))
    assert.equal(at.directory.names().length, 6)
  })

  test('keeps names that are not text, and those of 255 bytes; longer ones are refused by the system', () => {
    using at = folder()
    const names = [
      Buffer.from([0xff, 0xfe, 0x41]),
      Buffer.from([0xc3]),
      Buffer.alloc(255, 'x'),
      Buffer.alloc(255, 0xe9),
    ]
    for (const name of names) closeSync(at.directory.createFile(name))
    assert.deepEqual(at.directory.names().sort(inOrder), names.sort(inOrder))
    const listed = listFolder(b(at.path))!.map(({ name }) => Buffer.from(name, 'latin1'))
    assert.deepEqual(listed.sort(inOrder), names)
    for (const name of names) {
      at.directory.setExtendedAttribute(name, 'user.a', b('1'))
      assert.deepEqual(at.directory.extendedAttributes(name), [{ name: 'user.a', value: b('1') }])
    }
    for (const length of [256, 511, 512, 5000]) {
      const name = Buffer.alloc(length, 'x')
      assert.throws(() => at.directory.status(name), { code: 'ENAMETOOLONG' })
      assert.throws(() => at.directory.createFile(name), { code: 'ENAMETOOLONG' })
      assert.throws(() => at.directory.extendedAttributes(name), { code: 'ENAMETOOLONG' })
      assert.throws(() => at.directory.setTimes(name, 0n, 0n), { code: 'ENAMETOOLONG' })
    }
  })

  test('reaches paths deeper than 4,096 bytes', () => {
    using at = folder()
    const name = Buffer.alloc(200, 'd')
    using open = new DisposableStack()
    let directory = at.directory
    for (let depth = 0; depth < 30; depth++) {
      directory.makeDirectory(name)
      directory = open.use(directory.openChild(name))
    }
    const fd = directory.createFile(b('file'))
    writeSync(fd, 'deep')
    closeSync(fd)
    directory.setTimes(b('file'), 5n, 6n)
    directory.setExtendedAttribute(b('file'), 'user.deep', b('yes'))
    const reading = directory.openFile(b('file'))
    const bytes = Buffer.alloc(10)
    assert.equal(readSync(reading, bytes), 4)
    closeSync(reading)
    assert.equal(directory.status(b('file')).mtimeNs, 6n)
    assert.deepEqual(directory.extendedAttributes(b('file')), [{ name: 'user.deep', value: b('yes') }])
    execFileSync('rm', ['-rf', join(at.path, name.toString())])
  })

  test('sets times to the nanosecond, also before 1970, and of a link itself', () => {
    using at = folder()
    closeSync(at.directory.createFile(b('file')))
    at.directory.makeSymlink(b('file'), b('link'))
    for (const ns of [0n, 1_700_000_000_987_654_321n, -1n, -315_618_894_876_543_211n, 4_102_444_800_000_000_001n]) {
      for (const name of [b('file'), b('link')]) {
        at.directory.setTimes(name, ns, ns + 1n)
        const status = at.directory.status(name)
        assert.deepEqual([status.atimeNs, status.mtimeNs], [ns, ns + 1n])
      }
    }
    assert.equal(at.directory.readLink(b('link')).toString(), 'file')
  })

  test('reads a link whose target is not text', () => {
    using at = folder()
    const target = Buffer.from([0x2f, 0xff, 0x80, 0x41])
    at.directory.makeSymlink(target, b('link'))
    assert.deepEqual(at.directory.readLink(b('link')), target)
  })

  test('does not wait for a fifo, and leaves the access time of a file alone', () => {
    using at = folder()
    at.directory.makeNode(b('pipe'), 'fifo')
    const pipe = at.directory.openFile(b('pipe'))
    assert.ok(fstatSync(pipe).isFIFO())
    closeSync(pipe)

    writeFileSync(join(at.path, 'file'), 'x')
    at.directory.setTimes(b('file'), 1n, 2n)
    const fd = at.directory.openFile(b('file'))
    readSync(fd, Buffer.alloc(1))
    closeSync(fd)
    assert.equal(at.directory.status(b('file')).atimeNs, 1n)
  })

  test('renames over what is there, or refuses to', () => {
    using at = folder()
    using other = folder()
    writeFileSync(join(at.path, 'a'), 'a')
    writeFileSync(join(other.path, 'b'), 'b')
    assert.throws(() => at.directory.rename(b('a'), other.directory, b('b'), { noReplace: true }), { code: 'EEXIST' })
    at.directory.rename(b('a'), other.directory, b('c'), { noReplace: true })
    other.directory.rename(b('c'), other.directory, b('b'))
    assert.equal(readFileSync(join(other.path, 'b'), 'utf8'), 'a')
    assert.deepEqual(at.directory.names(), [])
  })

  test('says that an entry is missing, or not', () => {
    using at = folder()
    assert.throws(() => at.directory.status(b('x')), { code: 'ENOENT', syscall: 'statx' })
    assert.equal(at.directory.findStatus(b('x')), undefined)
    assert.equal(at.directory.findStatus(b('x')), undefined)
    closeSync(at.directory.createFile(b('x')))
    assert.equal(at.directory.findStatus(b('x'))?.type, 'file')
    assert.throws(() => Directory.open(join(at.path, 'x')), { code: 'ENOTDIR' })
  })

  test('closes once, and its descriptor then is gone', () => {
    using at = folder()
    const child = Directory.open(b(at.path))
    child[Symbol.dispose]()
    child[Symbol.dispose]()
    assert.throws(() => child.names(), { code: 'ENOENT' })
  })
})

describe('extended attributes', () => {
  test('are read in the order of the kernel, empty ones and large ones too', () => {
    using at = folder()
    closeSync(at.directory.createFile(b('file')))
    const values: [string, Buffer][] = [
      ['user.zero', b('')],
      ['user.bytes', Buffer.from([0, 255, 10])],
      ['user.größe', b('ü')],
      ['user.large', Buffer.alloc(3000, 'v')],
    ]
    for (const [name, value] of values) at.directory.setExtendedAttribute(b('file'), name, value)
    const listed = execFileSync('getfattr', ['-m', '-', join(at.path, 'file')], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const found = at.directory.extendedAttributes(b('file'))
    assert.deepEqual(new Map(found.map(({ name, value }) => [name, value])), new Map(values))
    assert.equal(listed.trim().split('\n').length, values.length + 1)
    assert.deepEqual(extendedAttributesOf(at.directory.fd), [])
    assert.throws(() => at.directory.extendedAttributes(b('nothing-here')), { code: 'ENOENT' })
    setExtendedAttributeOf(at.directory.fd, 'user.of-the-folder', b('x'))
    assert.deepEqual(extendedAttributeNamesOf(at.directory.fd), ['user.of-the-folder'])
    assert.deepEqual(extendedAttributesOf(at.directory.fd), [{ name: 'user.of-the-folder', value: b('x') }])
  })

  test('change by name and by descriptor alike; removing what is not there is no error', () => {
    using at = folder()
    const fd = at.directory.createFile(b('file'))
    setExtendedAttributeOf(fd, 'user.a', b('1'))
    setExtendedAttributeOf(fd, 'user.a', b('2'))
    assert.deepEqual(at.directory.extendedAttributes(b('file')), extendedAttributesOf(fd))
    removeExtendedAttributeOf(fd, 'user.a')
    removeExtendedAttributeOf(fd, 'user.a')
    at.directory.removeExtendedAttribute(b('file'), 'user.a')
    assert.deepEqual(extendedAttributesOf(fd), [])
    assert.throws(() => setExtendedAttributeOf(fd, 'user.a\0b', b('')), { code: 'filesystem.name' })
    assert.throws(() => setExtendedAttributeOf(fd, 'bogus', b('')), { code: 'ENOTSUP' })
    assert.throws(() => setExtendedAttributeOf(fd, 'user.big', Buffer.alloc(70_000)), { code: 'ERANGE' })
    closeSync(fd)
  })

  test('of a link are its own', asRoot, () => {
    using at = folder()
    closeSync(at.directory.createFile(b('file')))
    at.directory.makeSymlink(b('file'), b('link'))
    at.directory.setExtendedAttribute(b('link'), 'trusted.of-link', b('x'))
    assert.deepEqual(at.directory.extendedAttributes(b('file')), [])
    assert.equal(at.directory.extendedAttributes(b('link')).length, 1)
  })

  test('carry access control lists and capabilities', asRoot, () => {
    using at = folder()
    closeSync(at.directory.createFile(b('from')))
    closeSync(at.directory.createFile(b('to')))
    execFileSync('setfacl', ['-m', 'u:1234:rw,g:77:r', join(at.path, 'from')])
    const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex')
    at.directory.setExtendedAttribute(b('from'), 'security.capability', capability)

    for (const { name, value } of at.directory.extendedAttributes(b('from'))) {
      at.directory.setExtendedAttribute(b('to'), name, value)
    }
    const lists = ['from', 'to'].map((name) =>
      execFileSync('getfacl', ['-cnp', join(at.path, name)], { encoding: 'utf8' }),
    )
    assert.match(lists[0]!, /user:1234:rw-/)
    assert.equal(lists[1], lists[0])
    assert.deepEqual(
      at.directory.extendedAttributes(b('to')).find(({ name }) => name === 'security.capability')?.value,
      capability,
    )
    at.directory.setOwner(b('to'), 1, 1)
    assert.ok(!at.directory.extendedAttributes(b('to')).some(({ name }) => name === 'security.capability'))
  })
})

describe('an open descriptor', () => {
  test('takes owner, mode and times, and is made durable', asRoot, () => {
    using at = folder()
    const fd = at.directory.createFile(b('file'))
    setOwnerOf(fd, 4_000_000_000, 12)
    setModeOf(fd, 0o4711)
    setTimesOf(fd, -1n, 1_600_000_000_123_456_789n)
    assert.equal(syncFilesystem(fd), true)
    const { uid, gid, mode, atimeNs, mtimeNs } = statusOf(fd)
    assert.deepEqual([uid, gid, mode, atimeNs, mtimeNs], [4_000_000_000, 12, 0o4711, -1n, 1_600_000_000_123_456_789n])
    assert.deepEqual(Directory.borrow(at.directory.fd).names(), [b('file')])
    closeSync(fd)
    assert.throws(() => statusOf(fd), { code: 'EBADF' })
  })
})

describe('names of accounts', () => {
  test('are those of the machine, and empty for numbers without one', () => {
    const accounts = new Accounts()
    assert.equal(accounts.nameOfUser(0), 'root')
    assert.equal(accounts.nameOfGroup(0), 'root')
    for (const line of readFileSync('/etc/group', 'utf8').trim().split('\n')) {
      const [name, , gid] = line.split(':')
      assert.equal(accounts.nameOfGroup(Number(gid)), name)
    }
    assert.equal(accounts.nameOfUser(3_999_999_999), '')
    assert.equal(accounts.nameOfGroup(3_999_999_999), '')
  })
})

describe('where the C library cannot be called', () => {
  test('the rest works, and what cannot be done says so', () => {
    using at = folder()
    const script = `
      import assert from 'node:assert/strict'
      import { closeSync, statSync } from 'node:fs'
      import { Directory } from '${new URL('directory.ts', import.meta.url).href}'
      import { extendedAttributesOf, statusOf, syncFilesystem } from '${new URL('descriptor.ts', import.meta.url).href}'
      import { Accounts } from '${new URL('accounts.ts', import.meta.url).href}'
      const inOrder = (a: Buffer, z: Buffer): number => Buffer.compare(a, z)
const b = (text) => Buffer.from(text)
      using directory = Directory.open(process.argv[1])
      const fd = directory.createFile(b('file'))
      assert.deepEqual(statusOf(fd), directory.status(b('file')))
      assert.equal(syncFilesystem(fd), false)
      const unsupported = { code: 'filesystem.unsupported' }
      assert.throws(() => extendedAttributesOf(fd), unsupported)
      assert.throws(() => directory.setExtendedAttribute(b('file'), 'user.a', b('')), unsupported)
      assert.throws(() => directory.makeNode(b('pipe'), 'fifo'), unsupported)
      assert.throws(() => directory.rename(b('file'), directory, b('other'), { noReplace: true }), unsupported)
      assert.throws(() => directory.setTimes(b('file'), 1_000_000_000n, 1_700_000_000_123_456_789n), unsupported)
      assert.equal(directory.status(b('file')).atimeNs, 1_000_000_000n)
      assert.equal(directory.status(b('file')).mtimeNs / 1_000_000n, 1_700_000_000_123n)
      directory.rename(b('file'), directory, b('other'))
      directory.setMode(b('other'), 0o640)
      assert.equal(directory.status(b('other')).mode, 0o640)
      assert.equal(new Accounts().nameOfUser(0), 'root')
      assert.equal(new Accounts().nameOfGroup(3999999999), '')
      closeSync(fd)
    `
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--no-experimental-ffi', '--input-type=module-typescript', '--eval', script, at.path],
      { encoding: 'utf8' },
    )
    assert.equal(status, 0, stderr)
  })
})

test('a path is split at its slashes', () => {
  const parts = splitPath(b('//a/b c//\n/')).map((part) => Buffer.from(part).toString())
  assert.deepEqual(parts, ['a', 'b c', '\n'])
  assert.deepEqual(splitPath(b('/')), [])
})
