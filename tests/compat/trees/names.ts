import { mkdirSync, writeFileSync } from 'node:fs'

import { at, writeNamed, writeOfEachType, type Tree } from './tree.ts'

const bytes = (...values: readonly number[]): Buffer => Buffer.from(values)
const codePoints = (...values: readonly number[]): string[] => values.map((value) => `x${String.fromCodePoint(value)}y`)

export const names: readonly Tree[] = [
  {
    title: 'names of 255 bytes',
    build: (folder) => writeOfEachType(folder, 'x'.repeat(255), `${'é'.repeat(127)}x`, Buffer.alloc(255, 0x01)),
  },
  {
    title: 'names of 255 bytes that are not UTF-8, because a character is cut in two',
    build: (folder) => writeOfEachType(folder, Buffer.from('é'.repeat(128)).subarray(0, 255), Buffer.alloc(255, 0xff)),
  },
  {
    title: 'names that are not UTF-8',
    build: (folder) =>
      writeOfEachType(
        folder,
        Buffer.from('gr\xfc\xdfe', 'latin1'),
        bytes(0x80),
        bytes(0xff, 0xfe),
        bytes(0x61, 0xc3),
        bytes(0xe2, 0x82, 0x61),
        bytes(0xf5, 0x80, 0x80, 0x80),
      ),
  },
  {
    title: 'names of overlong forms and lone surrogates in UTF-8',
    build: (folder) =>
      writeOfEachType(
        folder,
        bytes(0xc0, 0xaf),
        bytes(0xc0, 0x80),
        bytes(0xe0, 0x80, 0xaf),
        bytes(0xed, 0xa0, 0x80),
        bytes(0xed, 0xbf, 0xbf),
        bytes(0xf4, 0x90, 0x80, 0x80),
      ),
  },
  {
    title: 'every byte as a name of its own',
    build: (folder) => {
      for (let byte = 1; byte < 256; byte++) if (byte !== 0x2f && byte !== 0x2e) writeNamed(folder, bytes(byte))
    },
  },
  {
    title: 'names with line ends, tabs and other control characters',
    build: (folder) => writeOfEachType(folder, 'a\nb', '\n', 'a\r\nb', '\t', '\x1b[31mred\x1b[0m', '\x07\x08', 'a\x7f'),
  },
  {
    title: 'names with quotes, backslashes and what shells understand',
    build: (folder) =>
      writeOfEachType(folder, '"', "'", '\\', '\\\\', 'a"b\\c\'d', '`id`', '$(id)', '$HOME', 'a;b', 'a|b', 'a&b', '<>'),
  },
  {
    title: 'names that look like options',
    build: (folder) => writeOfEachType(folder, '-', '--', '-rf', '--delete', '--help', '-n\n'),
  },
  {
    title: 'names of spaces and dots',
    build: (folder) => writeOfEachType(folder, ' ', '  ', ' a', 'a ', '...', '..a', '. ', ' .', '~', '~root'),
  },
  {
    title: 'names that look like escapes',
    build: (folder) =>
      writeOfEachType(
        folder,
        '\\x41',
        '\\xff',
        '\\n',
        '\\u0041',
        '\\U0001f600',
        '\\',
        '\\"',
        '\\101',
        '%2F',
        '%00',
        '&amp;',
        '\\u003c<',
      ),
  },
  {
    title: 'names that look like patterns and comments',
    build: (folder) => writeOfEachType(folder, '*', '**', '?', '[a]', '[!a]', '{a,b}', '!x', '#x', 'a*b', '[', ']'),
  },
  {
    title: 'emoji, and characters whose order in bytes is not their order in UTF-16',
    build: (folder) =>
      writeOfEachType(folder, '😀', '👩‍👩‍👧‍👦', '🇳🇱', '\ue000', '\uff5e', '\u{10000}', '\u{10ffff}', '1️⃣', '👍🏽'),
  },
  {
    title: 'names that are equal once they are normalised',
    build: (folder) =>
      writeOfEachType(folder, 'é', 'e\u0301', 'Å', 'A\u030a', '\u212b', '\ufb01', 'fi', '한', '\u1112\u1161\u11ab'),
  },
  {
    title: 'names from right to left, and with marks that nobody sees',
    build: (folder) =>
      writeOfEachType(
        folder,
        'שלום',
        'مرحبا',
        'exe.\u202etxt',
        'a\u200bb',
        '\ufeffbom',
        'a\u00a0b',
        'a\u2028b',
        'a\u2029b',
        'a\u00adb',
        'a\u200d',
      ),
  },
  {
    title: 'names that differ in nothing but case',
    build: (folder) => writeOfEachType(folder, 'name', 'Name', 'NAME', 'ß', 'ẞ', 'ss', 'i', 'I', 'ı', 'İ'),
  },
  {
    title: 'names that say nothing, or were given a meaning after restic 0.14',
    build: (folder) =>
      writeNamed(
        folder,
        ...codePoints(0xfffd, 0xfffe, 0xffff, 0x1fffe, 0x378, 0xe0041, 0xf0000, 0x10fffd),
        ...codePoints(0x1fae8, 0x1fa75, 0x0cf3, 0x1e4d0, 0x11f00, 0x31350, 0x1fadf, 0x20c0, 0x870, 0x85),
      ),
  },
  {
    title: 'names of which one begins another, as files and as folders',
    build: (folder) => {
      writeNamed(folder, 'a-', 'a.', 'a0', 'aa', 'a b', 'A', 'b.d')
      for (const name of ['a', 'a\x01', 'b', 'b.c']) mkdirSync(at(folder, name))
      writeNamed(at(folder, 'a'), 'a', 'a.', 'b')
      writeNamed(at(folder, 'b'), 'c')
    },
  },
  {
    title: 'the names that a snapshot of ours has',
    build: (folder) => {
      for (const name of ['files', 'files/+mnt', 'files/+mnt/disk', '+mnt', 'config', 'git', 'database', '+', '.git'])
        mkdirSync(at(folder, name))
      writeNamed(folder, 'RESTORE.md', '+etc', 'manifest', 'bewaar.yaml')
      writeFileSync(at(folder, 'manifest.json'), '{"manifest":1,"project":"another","artifacts":[]}')
      writeNamed(at(folder, 'files'), 'manifest.json', 'RESTORE.md', 'files')
      writeNamed(at(folder, 'files/+mnt/disk'), 'x')
      writeNamed(at(folder, 'git'), 'repository.bundle')
    },
  },
  {
    title: 'the names that a repository has, and those of files half written',
    build: (folder) => {
      for (const name of ['keys', 'data', 'data/00', 'index', 'locks', 'snapshots']) mkdirSync(at(folder, name))
      writeNamed(folder, 'config', '.tmp', 'x.tmp', '.bewaar-partial', '.nfs000', 'core', 'lost+found', '.DS_Store')
      writeNamed(at(folder, 'data/00'), '0'.repeat(64), `${'0'.repeat(64)}-tmp-123`)
      writeNamed(at(folder, 'keys'), 'f'.repeat(64))
    },
  },
]
