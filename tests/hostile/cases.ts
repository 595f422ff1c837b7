import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { zstdCompressSync } from 'node:zlib'

import {
  type Craft,
  type CraftedBlob,
  type CraftedNode,
  type CraftedRepository,
  craftedConfig,
  fileNode,
  folderNode,
} from '#engine/testing'
import { isLong } from '../crash/chance.ts'
import type { FileType, Restored, Stage } from './stage.ts'

/** What every snapshot holds besides the deviation of its case. */
const sound: Restored = { 0: 'helloworld' }

export interface HostileCase {
  readonly title: string
  readonly craft?: Craft
  /** Changes the files of the repository when they lie on disk. */
  readonly change?: (stage: Stage) => void
  /** All that an honest restore may bring back. */
  readonly original?: Restored
  /** Bewaar need not mind: everything of the original comes back, and verify finds it sound. */
  readonly harmless?: true
  /** Exit codes of verify and restore, where just one is right. */
  readonly verify?: number
  readonly restore?: number
}

const bytesOf = (path: string): Buffer => readFileSync(path)

function rewrite(path: string, bytes: Uint8Array): void {
  chmodSync(path, 0o600)
  writeFileSync(path, bytes)
}

/** A snapshot whose root holds more nodes, which may need blobs of their own. */
function withNodes(
  make: (crafted: CraftedRepository, add: (blob: CraftedBlob) => string) => readonly CraftedNode[],
): Craft {
  const more: CraftedBlob[] = []
  const ofType = (type: string): CraftedBlob[] => more.filter((blob) => blob.type === type)
  return {
    root: (crafted, file) => {
      more.length = 0
      const nodes = make(crafted, (blob) => {
        if (!more.some(({ id, type }) => id === blob.id && type === blob.type)) more.push(blob)
        return blob.id
      })
      return crafted.tree(file, ...nodes)
    },
    dataPack: (crafted, blobs) => crafted.pack([...blobs, ...ofType('data')]),
    treePack: (crafted, root) => crafted.pack([...ofType('tree'), root]),
  }
}

/** A file of the content `text`. */
function file(
  crafted: CraftedRepository,
  add: (blob: CraftedBlob) => string,
  name: string,
  text = 'evil',
): CraftedNode {
  return fileNode(name, [add(crafted.blob('data', text))], text.length)
}

const link = (name: string, target: string, fields: object = {}): CraftedNode => ({
  ...fileNode(name, [], 0),
  type: 'symlink',
  mode: 134_218_239,
  linktarget: target,
  ...fields,
})

const special = (name: string, type: string, fields: object = {}): CraftedNode => ({
  ...fileNode(name, [], 0),
  type,
  ...fields,
})

/** Each of these as the name of a file, a folder, a link and a fifo. */
function named(title: string, name: string): HostileCase {
  const craft = withNodes((crafted, add) => [
    file(crafted, add, name),
    folderNode(name, add(crafted.tree(file(crafted, add, 'evil')))),
    link(name, '/etc'),
    special(name, 'fifo'),
  ])
  return { title: `entries named ${title}`, craft, restore: 4 }
}

const names: readonly HostileCase[] = [
  named('../canary/alive', '../canary/alive'),
  named('..', '..'),
  named('.', '.'),
  named('by nothing', ''),
  named('with a slash', 'a/b'),
  named('by an absolute path', '/tmp/bewaar-hostile-evil'),
  named('with NUL', 'x\\x00y'),
  named('by a slash alone', '/'),
  named('by dots and NUL', '..\\x00'),
  named('with an escape that is none', 'x\\q'),
  {
    title: 'an entry whose name is 300 bytes',
    craft: withNodes((crafted, add) => [file(crafted, add, 'n'.repeat(300))]),
  },
  {
    title: 'a name that would steer a terminal',
    craft: withNodes((crafted, add) => [file(crafted, add, '\\x1b]0;evil\\x07\\n\\x1b[2J', 'fine')]),
    original: { ...sound, '\x1b]0;evil\x07\n\x1b[2J': 'fine' },
    harmless: true,
  },
  {
    title: 'two files of one name',
    craft: withNodes((crafted, add) => [file(crafted, add, 'twice', 'first'), file(crafted, add, 'twice', 'second')]),
    original: { ...sound, twice: 'first' },
    restore: 4,
  },
  {
    title: 'a link, and a folder of its name below which to write',
    craft: withNodes((crafted, add) => [
      link('canary', '../canary'),
      folderNode('canary', add(crafted.tree(file(crafted, add, 'alive')))),
    ]),
    original: { ...sound, canary: '-> ../canary' },
    restore: 4,
  },
  {
    title: 'a folder, and a link of its name',
    craft: withNodes((crafted, add) => [
      folderNode('canary', add(crafted.tree(file(crafted, add, 'alive', 'inside')))),
      link('canary', '../canary'),
    ]),
    original: { ...sound, 'canary/alive': 'inside' },
    restore: 4,
  },
  {
    title: 'names that are not in order',
    craft: withNodes((crafted, add) => [file(crafted, add, 'z', 'last'), file(crafted, add, 'a', 'first')]),
    original: { ...sound, z: 'last', a: 'first' },
  },
  {
    title: 'links that lead out of the target',
    craft: withNodes(() => [
      link('up', '../canary/alive'),
      link('away', '/etc/passwd'),
      link('void', 'x'.repeat(4000)),
    ]),
    original: { ...sound, up: '-> ../canary/alive', away: '-> /etc/passwd', void: `-> ${'x'.repeat(4000)}` },
    harmless: true,
  },
  {
    title: 'links that lead nowhere a link can lead',
    craft: withNodes(() => [link('none', ''), link('long', 'x'.repeat(70_000)), link('nul', 'a\u0000b')]),
  },
  {
    title: 'hard links that share a number with files of other content',
    craft: withNodes((crafted, add) => [
      { ...file(crafted, add, 'a', 'one'), inode: 7, device_id: 1, links: 2 },
      { ...file(crafted, add, 'b', 'two'), inode: 7, device_id: 1, links: 2 },
      { ...link('c', '../canary/alive'), inode: 7, device_id: 1, links: 2 },
    ]),
    original: { ...sound, a: 'one', b: 'two', c: '-> ../canary/alive' },
    harmless: true,
  },
]

const kinds: readonly HostileCase[] = [
  {
    title: 'device nodes, fifos and sockets',
    craft: withNodes(() => [
      special('disk', 'dev', { device: 0x800, mode: 67_109_248 }),
      special('huge', 'chardev', { device: Number.MAX_SAFE_INTEGER, mode: 69_206_400 }),
      special('pipe', 'fifo', { mode: 33_554_816 }),
      special('sock', 'socket', { mode: 16_777_600 }),
    ]),
    original: { ...sound, disk: 'special', huge: 'special', pipe: 'special' },
  },
  {
    title: 'a device node that has content',
    craft: withNodes((crafted, add) => [{ ...file(crafted, add, 'disk'), type: 'dev', device: 0x801 }]),
    original: { ...sound, disk: 'special' },
  },
  {
    title: 'a setuid program of root',
    craft: withNodes((crafted, add) => [{ ...file(crafted, add, 'su', 'fine'), mode: 0o755 | (2 ** 23) }]),
    original: { ...sound, su: 'fine' },
    harmless: true,
  },
  {
    title: 'a node of a type that nobody knows',
    craft: withNodes((crafted, add) => [{ ...file(crafted, add, 'odd'), type: 'portal' }, special('none', '')]),
  },
  {
    title: 'a mode, times and owners out of all bounds',
    craft: withNodes((crafted, add) => [
      {
        ...file(crafted, add, 'odd', 'fine'),
        mode: 2 ** 32 - 1,
        mtime: '9999-12-31T23:59:59.999999999Z',
        atime: '0001-01-01T00:00:00Z',
        uid: 2 ** 32 - 1,
        gid: 2 ** 32 - 1,
      },
    ]),
    original: { ...sound, odd: 'fine' },
    harmless: true,
  },
  {
    title: 'extended attributes that no system has',
    craft: withNodes((crafted, add) => [
      {
        ...file(crafted, add, 'odd', 'fine'),
        extended_attributes: [
          { name: 'nonsense', value: 'AAAA' },
          { name: 'user.x\u0000y', value: '' },
          { name: `user.${'n'.repeat(300)}`, value: Buffer.alloc(90_000).toString('base64') },
          { name: 'security.capability', value: 'not base64!' },
        ],
      },
    ]),
    original: { ...sound, odd: 'fine' },
  },
]

const sizes: readonly HostileCase[] = [
  {
    title: 'a file that is longer than it says',
    craft: withNodes((crafted, add) => [{ ...file(crafted, add, 'long', 'longer'), size: 3 }]),
    restore: 4,
  },
  {
    title: 'a file that is shorter than it says',
    craft: withNodes((crafted, add) => [{ ...file(crafted, add, 'short', 'short'), size: 2 ** 40 }]),
    restore: 4,
  },
  {
    title: 'a size that is no number of bytes',
    craft: withNodes((crafted, add) => [
      { ...file(crafted, add, 'minus'), size: -4 },
      { ...file(crafted, add, 'half'), size: 4.5 },
      { ...file(crafted, add, 'words'), size: 'four' },
    ]),
  },
  {
    title: 'files without content, and with none',
    craft: withNodes((crafted, add) => [
      { ...fileNode('empty', [], 0), content: null },
      { ...file(crafted, add, 'hollow'), content: null },
    ]),
    original: { ...sound, empty: '' },
  },
  {
    title: 'content that is no list of ids',
    craft: withNodes((crafted, add) => [{ ...file(crafted, add, 'odd'), content: ['zz', 7, null, '../x'] }]),
  },
  {
    title: 'content that is nowhere',
    craft: withNodes(() => [fileNode('gone', ['ef'.repeat(32)], 4)]),
    restore: 4,
  },
  {
    title: 'content that is a tree',
    craft: withNodes((crafted, add) => [fileNode('tree', [add(crafted.tree())], 12)]),
    restore: 4,
  },
  {
    title: 'a folder whose tree is data',
    craft: withNodes((crafted, add) => [folderNode('data', add(crafted.blob('data', '{"nodes":[]}\n')))]),
    restore: 4,
  },
  {
    title: 'a folder that has no tree',
    craft: withNodes(() => [folderNode('none', undefined), { ...folderNode('null', undefined), subtree: null }]),
  },
]

// because each level of a restore costs as much as there are levels above it
const deep = isLong ? 10_000 : 2_500

const trees: readonly HostileCase[] = [
  {
    title: `folders ${deep.toLocaleString('en')} deep`,
    craft: withNodes((crafted, add) => {
      let node = file(crafted, add, 'bottom', 'bottom')
      for (let depth = 0; depth < deep; depth++) node = folderNode('d', add(crafted.tree(node)))
      return [node]
    }),
    harmless: true,
  },
  {
    title: 'a folder of 20,000 entries',
    craft: withNodes((crafted, add) => [
      folderNode(
        'many',
        add(crafted.tree(...Array.from({ length: 20_000 }, (_, nth) => link(`l${String(nth).padStart(5, '0')}`, 'x')))),
      ),
    ]),
    original: {
      ...sound,
      ...Object.fromEntries(
        Array.from({ length: 20_000 }, (_, nth) => [`many/l${String(nth).padStart(5, '0')}`, '-> x']),
      ),
    },
    harmless: true,
  },
  {
    title: 'forty trees that stand for more folders than there are atoms',
    craft: withNodes((crafted, add) => {
      let nodes: CraftedNode[] = [file(crafted, add, 'x')]
      for (let depth = 0; depth < 40; depth++) {
        const id = add(crafted.tree(...nodes))
        nodes = [folderNode('a', id), folderNode('b', id)]
      }
      return nodes
    }),
  },
  {
    title: 'a tree that is not JSON',
    craft: withNodes((crafted, add) => [folderNode('odd', add(crafted.blob('tree', '{"nodes":[{"name":"x"')))]),
    restore: 4,
  },
  {
    title: 'a tree of a hundred thousand brackets',
    craft: withNodes((crafted, add) => [
      folderNode('odd', add(crafted.blob('tree', `{"nodes":${'['.repeat(100_000)}${']'.repeat(100_000)}}`))),
    ]),
    restore: 4,
  },
  {
    title: 'trees whose nodes are no nodes',
    craft: withNodes((crafted, add) => [
      folderNode('a', add(crafted.blob('tree', '{"nodes":[null,7,"x",[],{}]}'))),
      folderNode('b', add(crafted.blob('tree', '{"nodes":{"__proto__":{"name":"x"}}}'))),
      folderNode('c', add(crafted.blob('tree', '[]'))),
      folderNode('d', add(crafted.blob('tree', ''))),
      { __proto__: null, name: '__proto__', type: 'file' },
    ]),
  },
]

const million = 2 ** 20
/** Frames of zeros, one after the other: a few kilobytes that stand for 4 GiB. */
const zeros = (): Buffer => {
  const frame = zstdCompressSync(Buffer.alloc(64 * million))
  return Buffer.concat(Array.from({ length: 64 }, () => frame))
}

function sealedBlob(
  crafted: CraftedRepository,
  type: 'data' | 'tree',
  payload: Uint8Array,
  claim: number,
): CraftedBlob {
  const blob = crafted.blob(type, payload, { raw: true })
  return { ...blob, uncompressedLength: claim }
}

/** Run in processes of their own, whose memory is looked at. */
export const bombs: readonly HostileCase[] = [
  {
    title: 'a data blob that swells to 4 GiB',
    craft: withNodes((crafted, add) => [fileNode('bomb', [add(sealedBlob(crafted, 'data', zeros(), 100))], 100)]),
  },
  {
    title: 'a tree that swells to 4 GiB and says so',
    craft: withNodes((crafted, add) => [folderNode('bomb', add(sealedBlob(crafted, 'tree', zeros(), 2 ** 32 - 1)))]),
  },
  {
    title: 'an index that swells to 4 GiB',
    craft: { more: (crafted) => void crafted.saveBody('index', Buffer.concat([Buffer.of(2), zeros()])) },
  },
  {
    title: 'a snapshot that swells to 4 GiB',
    craft: { more: (crafted) => void crafted.saveBody('snapshot', Buffer.concat([Buffer.of(2), zeros()])) },
    original: sound,
  },
  {
    title: 'a lock that swells to 4 GiB',
    craft: { more: (crafted) => void crafted.saveBody('lock', Buffer.concat([Buffer.of(2), zeros()])) },
  },
  {
    title: 'a key that asks for a tebibyte of memory',
    craft: { key: (crafted) => crafted.saveKey({ fields: { N: 2 ** 30, r: 2 ** 10 } }) },
  },
  {
    title: 'a key that would take a year',
    craft: { key: (crafted) => crafted.saveKey({ fields: { N: 2 ** 15, r: 8, p: 2 ** 26 } }) },
  },
]

const whole: readonly HostileCase[] = [
  { title: 'a key whose N is no power of two', craft: { key: (crafted) => crafted.saveKey({ fields: { N: 1000 } }) } },
  {
    title: 'a key whose numbers are none',
    craft: { key: (crafted) => crafted.saveKey({ fields: { N: -1024, r: 'eight', p: 0 } }) },
  },
  { title: 'a key with another function', craft: { key: (crafted) => crafted.saveKey({ fields: { kdf: 'none' } }) } },
  {
    title: 'a key with three bytes of salt',
    craft: { key: (crafted) => crafted.saveKey({ fields: { salt: 'AAAA' } }) },
  },
  { title: 'a key under the name of another', craft: { key: (crafted) => crafted.saveKey({ name: 'ab'.repeat(32) }) } },
  {
    title: 'a config with a polynomial that can be divided',
    craft: { config: JSON.stringify({ ...craftedConfig, chunker_polynomial: '3855f384f04c42' }) },
  },
  {
    title: 'a config with no polynomial',
    craft: { config: JSON.stringify({ ...craftedConfig, chunker_polynomial: 0 }) },
  },
  { title: 'a config of version 9', craft: { config: JSON.stringify({ ...craftedConfig, version: 9 }) } },
  { title: 'a config that is a list', craft: { config: '[]' } },
  {
    title: 'an index whose blobs overlap',
    craft: {
      index: (crafted, packs) =>
        void crafted.saveIndex(
          ...packs.map((pack) => ({ ...pack, blobs: pack.blobs.map((blob) => ({ ...blob, offset: 0 })) })),
        ),
    },
  },
  {
    title: 'an index whose offsets are huge',
    craft: {
      index: (crafted, packs) =>
        void crafted.saveIndex(
          ...packs.map((pack) => ({
            ...pack,
            blobs: pack.blobs.map((blob) => ({ ...blob, offset: 2 ** 32 - 1, length: 2 ** 32 - 1 })),
          })),
        ),
    },
  },
  {
    title: 'an index with numbers beyond all numbers',
    craft: {
      index: (crafted, packs) => {
        const text = JSON.stringify({
          packs: packs.map(({ id, blobs }) => ({
            id,
            blobs: blobs.map((blob) => ({ id: blob.id, type: blob.type, offset: 1e308, length: -1 })),
          })),
        })
        crafted.saveJson('index', text)
      },
    },
  },
  {
    title: 'an index that says that data is a tree',
    craft: {
      index: (crafted, packs) =>
        void crafted.saveIndex(
          ...packs.map((pack) => ({
            ...pack,
            blobs: pack.blobs.map((blob) => ({
              ...blob,
              type: blob.type === 'data' ? ('tree' as const) : ('data' as const),
            })),
          })),
        ),
    },
  },
  {
    title: 'an index that gives the content of one blob for another',
    craft: {
      index: (crafted, [data, tree]) => {
        const [first, second] = data!.blobs
        const swapped = [
          { ...first!, id: second!.id },
          { ...second!, id: first!.id },
        ]
        crafted.saveIndex({ ...data!, blobs: swapped }, tree!)
      },
    },
    restore: 4,
  },
  {
    title: 'an index that names a pack by a path',
    craft: {
      index: (crafted, packs) =>
        void crafted.saveJson('index', {
          packs: packs.map((pack) => ({ id: '../../../canary/alive', blobs: pack.blobs })),
        }),
    },
  },
  {
    title: 'a pack whose header tells of other blobs',
    craft: {
      dataPack: (crafted, blobs) =>
        crafted.pack(blobs, { header: blobs.toReversed().map((blob) => ({ ...blob, offset: 0 })) }),
    },
    original: sound,
  },
  {
    title: 'a pack with bytes between its blobs',
    craft: { dataPack: (crafted, blobs) => crafted.pack(blobs, { gap: { before: 1, bytes: 50 } }) },
    original: sound,
  },
  {
    title: 'a pack that is not there',
    craft: { dataPack: (crafted, blobs) => crafted.pack(blobs, { isMissing: true }) },
    verify: 4,
    restore: 4,
  },
  { title: 'a snapshot without a tree', craft: { snapshot: (crafted) => void crafted.saveSnapshot(undefined) } },
  {
    title: 'a snapshot of a tree that is nowhere',
    craft: { snapshot: (crafted) => void crafted.saveSnapshot('cd'.repeat(32)) },
    verify: 4,
    restore: 4,
  },
  {
    title: 'a snapshot whose tree is itself no tree',
    craft: { snapshot: (crafted) => void crafted.saveSnapshot(crafted.blob('data', 'hello').id) },
    verify: 4,
    restore: 4,
  },
  {
    title: 'a snapshot without a time zone',
    craft: { snapshot: (crafted, tree) => void crafted.saveSnapshot(tree, { time: '2026-01-01T00:00:00' }) },
  },
  {
    title: 'a snapshot of the year 9999',
    craft: { snapshot: (crafted, tree) => void crafted.saveSnapshot(tree, { time: '9999-12-31T23:59:59Z' }) },
    original: sound,
    harmless: true,
  },
  {
    title: 'a snapshot that is a number',
    craft: { snapshot: (crafted) => void crafted.saveJson('snapshot', '7') },
  },
  {
    title: 'snapshots whose tags and paths are not words',
    craft: {
      snapshot: (crafted, tree) => {
        crafted.saveSnapshot(tree, { tags: [7, null, { run: 'x' }], paths: { length: 3 } })
        crafted.saveSnapshot(tree, { time: '2026-01-02T00:00:00Z', tags: 'run:x', paths: null, hostname: 5 })
      },
    },
  },
  {
    title: 'a lock from the future',
    craft: {
      more: (crafted) =>
        void crafted.saveJson('lock', {
          time: '2999-01-01T00:00:00Z',
          exclusive: true,
          hostname: 'elsewhere',
          username: 'somebody',
          pid: 1,
        }),
    },
    verify: 11,
    restore: 11,
  },
  {
    title: 'a lock of a process that cannot be',
    craft: {
      more: (crafted) =>
        void crafted.saveJson('lock', { time: 'never', exclusive: 'yes', hostname: 7, username: [], pid: -1 }),
    },
  },
]

function first(stage: Stage, type: FileType, nth = 0): string {
  return stage.filesOf(type)[nth]!
}

const lies: readonly HostileCase[] = [
  {
    title: 'two packs that carry each other’s names',
    change: (stage) => {
      const [one, other] = stage.filesOf('pack')
      const bytes = [bytesOf(one!), bytesOf(other!)] as const
      rewrite(one!, bytes[1])
      rewrite(other!, bytes[0])
    },
    verify: 4,
  },
  {
    title: 'a pack under another name',
    change: (stage) => {
      const pack = first(stage, 'pack')
      const name = 'ab'.repeat(32)
      mkdirSync(dirname(stage.pathOf('pack', name)), { recursive: true })
      renameSync(pack, stage.pathOf('pack', name))
    },
    verify: 4,
  },
  {
    title: 'a snapshot under another name',
    change: (stage) => renameSync(first(stage, 'snapshot'), stage.pathOf('snapshot', 'ab'.repeat(32))),
  },
  {
    title: 'an index in place of a snapshot',
    change: (stage) => rewrite(first(stage, 'snapshot'), bytesOf(first(stage, 'index'))),
  },
  {
    title: 'a config in place of the key',
    change: (stage) => rewrite(first(stage, 'key'), bytesOf(first(stage, 'config'))),
  },
  {
    title: 'folders where files should be',
    change: (stage) => {
      for (const type of ['pack', 'index', 'snapshot'] as const) {
        const path = first(stage, type)
        rmSync(path)
        mkdirSync(path)
      }
    },
  },
  {
    title: 'a folder where the config should be',
    change: (stage) => {
      rmSync(first(stage, 'config'))
      mkdirSync(first(stage, 'config'))
    },
  },
  {
    title: 'files where folders should be',
    change: (stage) => {
      for (const name of ['snapshots', 'index', 'locks']) {
        rmSync(join(stage.repository, name), { recursive: true })
        writeFileSync(join(stage.repository, name), 'a file')
      }
    },
  },
  {
    title: 'a data folder that is a link to elsewhere',
    change: (stage) => {
      renameSync(join(stage.repository, 'data'), join(stage.repository, 'moved'))
      symlinkSync('moved', join(stage.repository, 'data'))
    },
    original: sound,
    harmless: true,
  },
  {
    title: 'a pack that is a link to itself, and an index that is a link to a device',
    change: (stage) => {
      const pack = first(stage, 'pack')
      rmSync(pack)
      symlinkSync(basename(pack), pack)
      symlinkSync('/dev/zero', stage.pathOf('index', 'ab'.repeat(32)))
    },
  },
  {
    title: 'files that are links to other files of the machine',
    change: (stage) => {
      for (const type of ['index', 'snapshot', 'key'] as const)
        symlinkSync('/etc/hostname', stage.pathOf(type, 'ab'.repeat(32)))
    },
  },
  {
    title: 'five thousand files that are none of the repository',
    change: (stage) => {
      for (let nth = 0; nth < 5000; nth++) {
        const folder = ['keys', 'snapshots', 'index', 'locks', 'data'][nth % 5]!
        writeFileSync(join(stage.repository, folder, nth % 2 === 0 ? `junk${nth}` : `${'g'.repeat(60)}${nth}`), 'junk')
      }
    },
    original: sound,
    harmless: true,
  },
  {
    title: 'fifteen keys that open nothing',
    craft: {
      key: async (crafted) => {
        for (let nth = 0; nth < 15; nth++) await crafted.saveKey({ fields: { data: 'AAAA', nth } })
        await crafted.saveKey()
      },
    },
    original: sound,
    harmless: true,
  },
  { title: 'no key at all', change: (stage) => rmSync(first(stage, 'key')) },
  {
    title: 'nothing but a config',
    change: (stage) => {
      for (const name of ['keys', 'snapshots', 'index', 'locks', 'data'])
        rmSync(join(stage.repository, name), { recursive: true })
    },
  },
  {
    title: 'an empty folder',
    change: (stage) => {
      rmSync(stage.repository, { recursive: true })
      mkdirSync(stage.repository)
    },
    verify: 10,
    restore: 10,
  },
]

const withLock: Craft = {
  more: (crafted) =>
    void crafted.saveJson('lock', {
      time: '2026-01-01T00:00:00Z',
      exclusive: false,
      hostname: 'elsewhere',
      username: 'somebody',
      pid: 4711,
    }),
}

/** All types of files, each with the change. Nothing of a lock has to be right for a restore. */
function eachType(title: string, change: (bytes: Buffer, type: FileType) => Uint8Array): HostileCase[] {
  return (['config', 'key', 'snapshot', 'index', 'lock', 'pack'] as const).map((type) => ({
    title: `a ${type} ${title}`,
    craft: withLock,
    change: (stage: Stage) => {
      const files = stage.filesOf(type)
      for (const path of files) rewrite(path, change(bytesOf(path), type))
    },
    original: sound,
    ...(type === 'lock' && title.includes('of no bytes') && { harmless: true as const }),
  }))
}

function flipped(bytes: Buffer, share: number, bit: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[Math.floor(share * copy.length)]! ^= 1 << bit
  return copy
}

const bitInMiddle = eachType('with a bit turned over in its middle', (bytes) => flipped(bytes, 0.53, 6))

const broken: readonly HostileCase[] = [
  ...eachType('of no bytes', () => Buffer.alloc(0)),
  ...eachType('cut in half', (bytes) => bytes.subarray(0, bytes.length >> 1)),
  ...bitInMiddle,
]

const moreBroken: readonly HostileCase[] = [
  ...eachType('cut off after 31 bytes', (bytes) => bytes.subarray(0, 31)),
  ...eachType('without its last byte', (bytes) => bytes.subarray(0, -1)),
  ...eachType('with a byte more', (bytes) => Buffer.concat([bytes, Buffer.of(0)])),
  ...[0.02, 0.2, 0.4, 0.7, 0.9, 0.9999].flatMap((share) =>
    eachType(`with a bit turned over at ${share} of it`, (bytes) => flipped(bytes, share, Math.floor(share * 100) % 8)),
  ),
]

/** Content of snapshots: a run that begins beside them does not look at it. */
export const contentCases: readonly HostileCase[] = [...names, ...kinds, ...sizes, ...trees]
/** Files of the repository itself, which a run meets too. */
export const fileCases: readonly HostileCase[] = [...whole, ...lies, ...bitInMiddle]
/** Files that are cut or changed; a sample of them, unless all of them are asked for. */
export const brokenCases: readonly HostileCase[] = [
  ...broken.filter((one) => !bitInMiddle.includes(one)),
  ...(isLong ? moreBroken : []),
]
export const soundContent = sound
