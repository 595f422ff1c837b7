import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'

import { at, run, writeNamed, type Tree } from './tree.ts'

function touch(folder: string, times: Readonly<Record<string, string>>): void {
  for (const [name, time] of Object.entries(times)) {
    writeNamed(folder, name)
    mkdirSync(at(folder, `folder ${name}`))
    for (const path of [name, `folder ${name}`]) run(folder, 'touch', '-d', time, path)
  }
  run(folder, 'touch', '-d', Object.values(times)[0]!, '.')
}

function setAttribute(folder: string, path: string, name: string, value: Uint8Array): void {
  const text = value.length > 0 ? `0x${Buffer.from(value).toString('hex')}` : ''
  run(folder, 'setfattr', '-h', '-n', name, '-v', text, path)
}

export const metadata: readonly Tree[] = [
  {
    title: 'times before 1970',
    build: (folder) =>
      touch(folder, {
        'just before': '1969-12-31 23:59:59.999999999 UTC',
        'a bit before': '1969-12-31 23:59:58.000000001 UTC',
        long: '1959-12-30 05:06:07.123456789 UTC',
        'as early as ext4 can': '1901-12-13 20:45:52 UTC',
      }),
  },
  {
    title: 'times around 1970, and with any number of digits',
    build: (folder) =>
      touch(folder, {
        zero: '@0',
        ns: '@0.000000001',
        last: '@0.999999999',
        tenth: '@1234567890.1',
        hundredth: '@1234567890.12',
        micro: '@1234567890.123456',
        nine: '@1234567890.987654321',
        'summer time': '2021-03-28 01:30:00.5 UTC',
      }),
  },
  {
    title: 'times in the far future',
    blind: ['far-times'],
    build: (folder) =>
      touch(folder, {
        2038: '2038-01-19 03:14:08.000000001 UTC',
        2106: '2106-02-07 06:28:16.999999999 UTC',
        'as late as ext4 can': '2446-05-10 22:38:55 UTC',
      }),
  },
  {
    title: 'all sorts of modes of files',
    needs: ['root'],
    build: (folder) => {
      for (const mode of [
        0, 0o1, 0o111, 0o222, 0o400, 0o444, 0o600, 0o644, 0o755, 0o777, 0o1644, 0o2755, 0o4755, 0o7777,
      ]) {
        writeNamed(folder, mode.toString(8))
        chmodSync(at(folder, mode.toString(8)), mode)
      }
    },
  },
  {
    title: 'all sorts of modes of folders with something in them',
    needs: ['root'],
    build: (folder) => {
      for (const mode of [0, 0o111, 0o500, 0o555, 0o700, 0o777, 0o1777, 0o2775, 0o3751, 0o4755, 0o7777]) {
        const name = mode.toString(8)
        mkdirSync(at(folder, name))
        mkdirSync(at(folder, name, 'inner'))
        writeNamed(at(folder, name), 'file')
        chmodSync(at(folder, name), mode)
      }
      chmodSync(folder, 0o1711)
    },
  },
  {
    title: 'owners that nobody knows',
    needs: ['root'],
    build: (folder) => {
      for (const [uid, gid] of [
        [4_000_000_000, 4_000_000_001],
        [1, 0],
        [0, 1],
        [65_534, 65_534],
        [1000, 2_147_483_648],
        [4_294_967_294, 5],
      ] as const) {
        const name = `${uid} ${gid}`
        writeNamed(folder, name)
        symlinkSync(name, at(folder, `link to ${name}`))
        mkdirSync(at(folder, `folder ${name}`))
        for (const path of [name, `link to ${name}`, `folder ${name}`]) lchownSync(at(folder, path), uid, gid)
      }
      chownSync(folder, 12_345, 54_321)
    },
  },
  {
    title: 'files of other owners that run with their rights',
    needs: ['root'],
    build: (folder) => {
      for (const mode of [0o4755, 0o2755, 0o6711, 0o6000]) {
        writeNamed(folder, `${mode}`)
        chownSync(at(folder, `${mode}`), 1234, 5678)
        chmodSync(at(folder, `${mode}`), mode)
      }
      mkdirSync(at(folder, 'inherits the group'))
      chownSync(at(folder, 'inherits the group'), 0, 5678)
      chmodSync(at(folder, 'inherits the group'), 0o2775)
      writeNamed(at(folder, 'inherits the group'), 'file')
      mkdirSync(at(folder, 'inherits the group/folder'))
    },
  },
  {
    title: 'many extended attributes',
    needs: ['setfattr'],
    build: (folder) => {
      writeNamed(folder, 'file')
      for (let nth = 0; nth < 60; nth++) setAttribute(folder, 'file', `user.number-${nth * 37}`, Buffer.from(`${nth}`))
    },
  },
  {
    title: 'extended attributes that are empty, long, binary, or have long names',
    needs: ['setfattr'],
    build: (folder) => {
      writeNamed(folder, 'empty', 'long', 'binary', 'names')
      setAttribute(folder, 'empty', 'user.empty', Buffer.alloc(0))
      setAttribute(folder, 'long', 'user.long', Buffer.alloc(3900, 'long'))
      setAttribute(folder, 'binary', 'user.binary', Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)))
      for (const name of [`user.${'n'.repeat(250)}`, 'user.größe', 'user.a b', 'user.<&>"\\', 'user.a.b.c'])
        setAttribute(folder, 'names', name, Buffer.from(name))
    },
  },
  {
    title: 'extended attributes of folders, the outermost among them',
    needs: ['setfattr'],
    build: (folder) => {
      mkdirSync(at(folder, 'folder/inner'), { recursive: true })
      for (const path of ['.', 'folder', 'folder/inner']) setAttribute(folder, path, 'user.of', Buffer.from(path))
      chmodSync(at(folder, 'folder/inner'), 0o500)
    },
  },
  {
    title: 'extended attributes that only root sees',
    needs: ['root', 'setfattr'],
    build: (folder) => {
      writeNamed(folder, 'file')
      mkdirSync(at(folder, 'folder'))
      for (const path of ['file', 'folder']) setAttribute(folder, path, 'trusted.of', Buffer.from(path))
    },
  },
  {
    title: 'extended attributes of links and devices',
    needs: ['root', 'setfattr'],
    blind: ['link-attributes'],
    build: (folder) => {
      symlinkSync('nowhere', at(folder, 'link'))
      run(folder, 'mkfifo', 'fifo')
      for (const path of ['link', 'fifo']) setAttribute(folder, path, 'trusted.of', Buffer.from(path))
    },
  },
  {
    title: 'access control lists',
    needs: ['setfacl'],
    build: (folder) => {
      writeNamed(folder, 'users', 'groups', 'mask', 'none')
      run(folder, 'setfacl', '-m', 'u:1234:rw,u:4000000000:r', 'users')
      run(folder, 'setfacl', '-m', 'g:77:rwx,g:0:r', 'groups')
      run(folder, 'setfacl', '-m', 'u:1:rwx,m::r', 'mask')
    },
  },
  {
    title: 'default access control lists, and what inherits them',
    needs: ['setfacl'],
    build: (folder) => {
      mkdirSync(at(folder, 'plain'))
      run(folder, 'setfacl', '-d', '-m', 'u:1234:rwx,g:77:rx', '.')
      mkdirSync(at(folder, 'inherits/further'), { recursive: true })
      writeNamed(at(folder, 'inherits'), 'file')
      writeNamed(at(folder, 'plain'), 'file')
      writeNamed(folder, 'without')
      run(folder, 'setfacl', '-b', 'without')
    },
  },
  {
    title: 'programs with capabilities',
    needs: ['root', 'setfattr'],
    build: (folder) => {
      writeNamed(folder, 'one', 'two')
      chownSync(at(folder, 'two'), 1234, 1234)
      chmodSync(at(folder, 'two'), 0o4755)
      for (const path of ['one', 'two'])
        setAttribute(
          folder,
          path,
          'security.capability',
          Buffer.from('0100000200040000000000000000000000000000', 'hex'),
        )
    },
  },
  {
    title: 'fifos',
    build: (folder) => {
      run(folder, 'mkfifo', '-m', '600', 'fifo', 'another')
      run(folder, 'mkfifo', '-m', '644', '255 '.repeat(63))
    },
  },
  {
    title: 'devices',
    needs: ['root'],
    build: (folder) => {
      run(folder, 'mknod', 'null', 'c', '1', '3')
      run(folder, 'mknod', 'disk', 'b', '8', '0')
      run(folder, 'mknod', '-m', '660', 'large minor', 'b', '259', '70000')
      run(folder, 'mknod', 'large major', 'c', '4095', '1048575')
      run(folder, 'mknod', 'zero', 'c', '0', '0')
      lchownSync(at(folder, 'disk'), 1, 6)
    },
  },
  {
    title: 'everything but a socket',
    leftOut: ['socket', 'in/socket'],
    build: (folder) => {
      mkdirSync(at(folder, 'in'))
      writeNamed(folder, 'file')
      for (const path of ['socket', 'in/socket']) listenOnce(folder, path)
    },
  },
]

/** On file systems in memory any time can be had. */
export const metadataInMemory: readonly Tree[] = [
  {
    title: 'times that ext4 cannot have',
    blind: ['far-times'],
    build: (folder) =>
      touch(folder, {
        2500: '2500-01-01 00:00:00.000000001 UTC',
        9999: '9999-12-31 23:59:59.999999999 UTC',
        1850: '1850-06-07 08:09:10.111111111 UTC',
        'long ago': '0001-01-02 00:00:00 UTC',
      }),
  },
  {
    title: 'extended attributes of 60 KB',
    needs: ['root', 'setfattr'],
    build: (folder) => {
      writeNamed(folder, 'file')
      setAttribute(folder, 'file', 'trusted.long', Buffer.alloc(60_000, 'very long '))
    },
  },
  {
    title: 'all sorts of small things on a file system in memory',
    build: (folder) => {
      writeFileSync(at(folder, 'file'), 'x'.repeat(100_000))
      symlinkSync('file', at(folder, 'link'))
      run(folder, 'mkfifo', 'fifo')
      run(folder, 'ln', 'file', 'again')
    },
  },
]

/** Leaves a socket behind, as a server does that was killed. */
function listenOnce(folder: string, path: string): void {
  const program = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', program, path], { cwd: folder })
}
