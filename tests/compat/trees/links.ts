import { linkSync, lutimesSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

import { at, noise, run, writeNamed, type Tree } from './tree.ts'

function link(folder: string, from: string, ...names: readonly string[]): void {
  for (const name of names) {
    mkdirSync(at(folder, dirname(name)), { recursive: true })
    linkSync(at(folder, from), at(folder, name))
  }
}

export const links: readonly Tree[] = [
  {
    title: 'links to files and folders, dangling ones, absolute ones and loops',
    build: (folder) => {
      mkdirSync(at(folder, 'folder'))
      writeNamed(folder, 'file')
      writeNamed(at(folder, 'folder'), 'inner')
      const targets = ['file', 'folder', 'folder/', './folder/../file', 'folder/inner', 'nowhere', '/etc/passwd', '/']
      const others = ['..', '../../..', '.', '/nowhere/at/all', '/proc/self/fd/0', 'self', ' ', '-', '\\']
      for (const [nth, target] of [...targets, ...others].entries()) symlinkSync(target, at(folder, `link ${nth}`))
      symlinkSync('self', at(folder, 'self'))
      symlinkSync('pong', at(folder, 'ping'))
      symlinkSync('ping', at(folder, 'pong'))
    },
  },
  {
    title: 'links whose target is as long as one may be',
    build: (folder) => {
      for (const length of [59, 60, 61, 255, 256, 4094, 4095])
        symlinkSync(`${'t/'.repeat(length >> 1)}${length % 2 ? 'x' : ''}`, at(folder, `${length}`))
    },
  },
  {
    title: 'links whose target has odd characters',
    build: (folder) => {
      const targets = [
        'a\nb',
        '\t',
        '"\'\\',
        '<&>',
        '\u2028\u2029',
        '\x01\x1f\x7f',
        '\ufffd',
        '😀',
        'é',
        'e\u0301',
        '\\xff',
      ]
      for (const [nth, target] of targets.entries()) symlinkSync(target, at(folder, `${nth}`))
    },
  },
  {
    title: 'links whose target is not UTF-8',
    blind: ['link-targets'],
    build: (folder) => {
      const targets = [Buffer.from([0xff]), Buffer.from('gr\xfc\xdfe', 'latin1'), Buffer.from([0x61, 0xed, 0xa0, 0x80])]
      for (const [nth, target] of targets.entries()) symlinkSync(target, at(folder, `${nth}`))
    },
  },
  {
    title: 'times of links, to the nanosecond',
    build: (folder) => {
      symlinkSync('nowhere', at(folder, 'old'))
      lutimesSync(at(folder, 'old'), 1, 1)
      symlinkSync('nowhere', at(folder, 'ns'))
      run(folder, 'touch', '-h', '-d', '2001-02-03 04:05:06.789012345 UTC', 'ns')
      symlinkSync('nowhere', at(folder, 'before 1970'))
      run(folder, 'touch', '-h', '-d', '1931-02-03 04:05:06.000000001 UTC', 'before 1970')
    },
  },
  {
    title: 'hard links in one folder',
    build: (folder) => {
      writeNamed(folder, 'b')
      link(folder, 'b', 'a', 'c')
      writeFileSync(at(folder, 'single'), 'I am b')
    },
  },
  {
    title: 'hard links across folders, met before and after their fellows',
    build: (folder) => {
      mkdirSync(at(folder, 'm'))
      writeFileSync(at(folder, 'm/large'), noise('linked', 3_000_000))
      link(folder, 'm/large', 'a/a/large', 'z/z/large', 'large')
      writeFileSync(at(folder, 'm/empty'), '')
      link(folder, 'm/empty', 'a/empty', 'z/empty')
    },
  },
  {
    title: 'several groups of hard links with the same content',
    build: (folder) => {
      for (let group = 0; group < 20; group++) {
        writeFileSync(at(folder, `${group}`), 'all the same')
        link(folder, `${group}`, `in/${group % 4}/${group}`, `twin of ${group}`)
      }
    },
  },
  {
    title: 'one file with 300 names',
    build: (folder) => {
      writeNamed(folder, 'first')
      for (let name = 0; name < 300; name++) link(folder, 'first', `${name % 10}/${name}`)
    },
  },
  {
    title: 'hard links whose fellow lies outside',
    build: (folder) => {
      const outside = join(dirname(folder), `fellow of ${basename(folder)}`)
      writeFileSync(outside, 'shared with somebody')
      linkSync(outside, at(folder, 'name'))
      writeFileSync(`${outside} 2`, 'shared with somebody else')
      linkSync(`${outside} 2`, at(folder, 'one'))
      linkSync(`${outside} 2`, at(folder, 'two'))
    },
  },
  {
    title: 'hard links of links',
    blind: ['links-of-others'],
    build: (folder) => {
      symlinkSync('nowhere', at(folder, 'link'))
      link(folder, 'link', 'again', 'in/folder')
    },
  },
  {
    title: 'hard links of devices',
    needs: ['root'],
    blind: ['links-of-others'],
    build: (folder) => {
      run(folder, 'mknod', 'null', 'c', '1', '3')
      run(folder, 'mknod', 'disk', 'b', '8', '1')
      link(folder, 'null', 'null again')
      link(folder, 'disk', 'in/disk')
    },
  },
]
