import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'

import { at, withDeepFolder, writeNamed, type Tree } from './tree.ts'

export const shapes: readonly Tree[] = [
  { title: 'nothing at all', build: () => {} },
  {
    title: 'nothing but empty folders',
    build: (folder) => {
      for (const path of ['a/b/c/d', 'a/e', 'f', 'g/h']) mkdirSync(at(folder, path), { recursive: true })
    },
  },
  {
    title: 'nothing but empty files',
    build: (folder) => {
      mkdirSync(at(folder, 'more'))
      for (let file = 0; file < 40; file++) {
        writeFileSync(at(folder, `empty ${file}`), '')
        writeFileSync(at(folder, 'more', `empty ${file}`), '')
      }
    },
  },
  { title: 'one byte', build: (folder) => writeFileSync(at(folder, 'byte'), '\0') },
  {
    title: '20,000 entries in one folder',
    build: (folder) => {
      for (let entry = 0; entry < 20_000; entry++) {
        if (entry % 10 === 0) symlinkSync(`${entry + 1}`, at(folder, `${entry}`))
        else writeFileSync(at(folder, `${entry}`), entry % 3 === 0 ? `${entry % 100}` : '')
      }
    },
  },
  {
    title: '800 folders of a few files each',
    build: (folder) => {
      for (let outer = 0; outer < 20; outer++) {
        for (let inner = 0; inner < 40; inner++) {
          mkdirSync(at(folder, `${outer}/${inner}`), { recursive: true })
          writeFileSync(at(folder, `${outer}/${inner}/same`), 'same')
          if (inner % 7 === 0) writeFileSync(at(folder, `${outer}/${inner}/own`), `${outer} ${inner}\n`.repeat(inner))
        }
      }
    },
  },
  {
    title: 'a path of 300 folders',
    build: (folder) =>
      withDeepFolder(folder, Array<string>(300).fill('d'), (deepest) => writeNamed(deepest, 'at the bottom')),
  },
  {
    title: 'a path of more than 4,096 bytes, and things at its end',
    blind: ['deep-paths'],
    build: (folder) =>
      withDeepFolder(folder, Array<string>(20).fill('long'.repeat(60)), (deepest) => {
        writeNamed(deepest, 'file', 'x'.repeat(255), Buffer.from([0xff]))
        mkdirSync(at(deepest, 'empty'))
        symlinkSync('file', at(deepest, 'link'))
        writeFileSync(at(deepest, 'large'), Buffer.alloc(3_000_000, 'deep '))
      }),
  },
  {
    title: 'a path of 600 folders in 6,600 bytes',
    blind: ['deep-paths'],
    build: (folder) =>
      withDeepFolder(
        folder,
        Array.from({ length: 600 }, (_, depth) => `folder${String(depth).padStart(4, '0')}`),
        (deepest) => writeNamed(deepest, 'at the bottom'),
      ),
  },
  {
    title: 'the same folder in several places',
    build: (folder) => {
      for (const place of ['one', 'two', 'two/three']) {
        mkdirSync(at(folder, place, 'shared/inner'), { recursive: true })
        writeFileSync(at(folder, place, 'shared/text'), 'the same text\n')
        writeFileSync(at(folder, place, 'shared/inner/large'), Buffer.alloc(2_000_000, 'again and again '))
      }
    },
  },
]
