import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'

import { collect } from '#base'
import { faultStage, ownChildren, read } from './mysql-fault-stage.ts'
import { isPrivate, skip } from './mysql-scene.ts'

const stage = faultStage()
const { assertFails, dumpWhile, unchanged } = stage

/** The dump program that runs at the moment. */
function dumpProcess(): number {
  return ownChildren().find(({ name }) => name === 'mariadb-dump')!.id
}

suite('a dump of MariaDB never ends well because of the programs', { skip }, () => {
  let folders = 0

  for (const signal of ['SIGKILL', 'SIGTERM', 'SIGSEGV'] as const) {
    test(`the dump program ends by ${signal}`, async () => {
      await assertFails(
        dumpWhile(await unchanged(), async () => process.kill(dumpProcess(), signal)),
        'source.dump-incomplete',
        new RegExp(signal),
      )
    })
  }

  /** Dumps with programs that stand before the real ones; undefined: the program is not there. */
  async function dumpWith(programs: Readonly<Record<string, string | undefined>>): Promise<Buffer> {
    const folder = join(stage.scene.context.temporaryFolder, `programs-${++folders}`)
    mkdirSync(folder)
    const all: Record<string, string | undefined> = {
      mariadb: 'exec /usr/bin/mariadb "$@"',
      'mariadb-dump': 'exec /usr/bin/mariadb-dump "$@"',
      ...programs,
    }
    for (const [name, script] of Object.entries(all)) {
      if (script === undefined) continue
      const path = join(folder, name)
      writeFileSync(
        path,
        `#!/bin/sh\n[ "$2" = --version ] && [ -z "$LIES" ] && exec /usr/bin/mariadb-dump --version\n${script}\n`,
      )
      if (script.startsWith('echo')) writeFileSync(path, `#!/bin/sh\n${script}\n`)
      chmodSync(path, 0o755)
    }
    for (const tool of ['sed', 'head', 'cat']) symlinkSync(`/usr/bin/${tool}`, join(folder, tool))
    const part = await stage.scene.part(await unchanged(), {}, { PATH: folder })
    assert.ok(part.content.kind === 'stream')
    return Buffer.from(await collect(part.content.open()))
  }
  const real = '/usr/bin/mariadb-dump'
  /** Lets a script put an option of its own behind that for the option file. */
  const change = 'first="$1"; shift; for last; do :; done;'

  const cases: Record<string, [programs: Readonly<Record<string, string | undefined>>, code: string, message: RegExp]> =
    {
      'no client': [{ mariadb: undefined }, 'source.client-missing', /mariadb or mysql/],
      'no dump program': [{ 'mariadb-dump': undefined }, 'source.client-missing', /mariadb-dump/],
      'the dump program of MySQL alone': [
        {
          'mariadb-dump': undefined,
          mysqldump: 'echo "mysqldump  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)"',
        },
        'source.client-missing',
        /mariadb-dump/,
      ],
      'a dump program that is older than the server': [
        { 'mariadb-dump': 'echo "mysqldump  Ver 10.19 Distrib 10.5.23-MariaDB, for debian-linux-gnu (x86_64)"' },
        'source.client-old',
        /10\.5\.23.*10\.11/,
      ],
      'nothing is written': [{ 'mariadb-dump': 'exit 0' }, 'source.dump-incomplete', /Dump completed/],
      'only the beginning is written': [
        { 'mariadb-dump': `${real} "$@" | head -c 1500` },
        'source.dump-incomplete',
        /Dump completed|lacks/,
      ],
      'the output is cut in a row': [
        { 'mariadb-dump': `${real} "$@" | head -c 4000001` },
        'source.dump-incomplete',
        /rows of table m_big break off/,
      ],
      'the trailer is missing': [
        { 'mariadb-dump': `${real} "$@" | sed '/^-- Dump completed/d'` },
        'source.dump-incomplete',
        /Dump completed/,
      ],
      'something follows the trailer': [
        { 'mariadb-dump': `${real} "$@"; echo "DROP TABLE x;"` },
        'source.dump-incomplete',
        /follows/,
      ],
      'the dump comes twice': [{ 'mariadb-dump': `${real} "$@"; ${real} "$@"` }, 'source.dump-incomplete', /follows/],
      'a trailer stands in the middle': [
        { 'mariadb-dump': `${real} "$@" | sed 's/^UNLOCK TABLES;/&\\n-- Dump completed/'` },
        'source.dump-incomplete',
        /follows/,
      ],
      'the rows of a table are missing': [
        { 'mariadb-dump': `${real} "$@" | sed '/^INSERT INTO \`z_late\`/,/;$/d'` },
        'source.dump-incomplete',
        /rows of table z_late/,
      ],
      'the end of a row is missing': [
        { 'mariadb-dump': `${real} "$@" | sed "s/^(17,'late'),$/(17,'la/"` },
        'source.dump-incomplete',
        /broken off/,
      ],
      'bytes stand between the rows': [
        { 'mariadb-dump': `${real} "$@" | sed "s/^(17,'late'),$/&\\nx/"` },
        'source.dump-incomplete',
        /between/,
      ],
      'a table is left out': [
        { 'mariadb-dump': `${change} set -- "$first" --ignore-table="$last.a_small" "$@"; exec ${real} "$@"` },
        'source.dump-incomplete',
        /a_small/,
      ],
      'all rows are left out': [
        { 'mariadb-dump': `${change} exec ${real} "$first" --no-data "$@"` },
        'source.dump-incomplete',
        /data of table/,
      ],
      'the definition of a table is missing': [
        { 'mariadb-dump': `${real} "$@" | sed '/^CREATE TABLE \`z_late\`/,/;$/d'` },
        'source.dump-incomplete',
        /the table z_late/,
      ],
      'views are missing': [
        { 'mariadb-dump': `${real} "$@" | sed '/^\\/\\*!50001 VIEW/d'` },
        'source.dump-incomplete',
        /view over_late/,
      ],
      'triggers are missing': [
        { 'mariadb-dump': `${real} "$@" | sed '/TRIGGER\\|trigger/d'` },
        'source.dump-incomplete',
        /1 of 1 triggers/,
      ],
      'events are missing': [
        { 'mariadb-dump': `${real} "$@" | sed '/ EVENT .e. ON/d'` },
        'source.dump-incomplete',
        /1 of 1 events/,
      ],
      'routines are missing': [
        { 'mariadb-dump': `${real} "$@" | sed '/^CREATE DEFINER.*PROCEDURE/d'` },
        'source.dump-incomplete',
        /1 of 1 routines/,
      ],
      'a whole dump with an exit code': [
        { 'mariadb-dump': `${real} "$@"; exit 5` },
        'source.dump-incomplete',
        /exit code 5/,
      ],
      'a whole dump that ends by a signal': [
        { 'mariadb-dump': `${real} "$@"; kill -9 $$` },
        'source.dump-incomplete',
        /SIGKILL/,
      ],
    }
  for (const [what, [programs, code, message]] of Object.entries(cases)) {
    test(what, () => assertFails(dumpWith(programs), code, message))
  }

  test('the same with programs that change nothing is a whole dump: the test can fail', async () => {
    assert.match((await dumpWith({ 'mariadb-dump': `${real} "$@" | cat` })).toString('latin1'), /Dump completed\n$/)
  })
})

suite('a dump of MariaDB never ends well because somebody stops it', { skip }, () => {
  test('a signal ends it, and leaves no process behind', async () => {
    const stop = new AbortController()
    const part = await stage.scene.part(await unchanged())
    const { content } = part
    assert.ok(content.kind === 'stream')
    const reading = (async () => {
      for await (const piece of content.open(stop.signal)) if (piece.length > 0) stop.abort(new Error('stopped'))
    })()
    await assert.rejects(reading, { message: 'stopped' })
    assert.deepEqual(ownChildren(), [])
  })

  test('a consumer that stops early leaves no process behind', async () => {
    const part = await stage.scene.part(await unchanged())
    assert.ok(part.content.kind === 'stream')
    for await (const piece of part.content.open()) if (piece.length > 0) break
    assert.deepEqual(ownChildren(), [])
  })
})

test('the password is in no argument list, no environment, and nothing that the source says', { skip }, async () => {
  const seen: string[] = []
  const look = (): void => {
    for (const { id } of ownChildren())
      for (const file of ['cmdline', 'environ']) seen.push(read(`/proc/${id}/${file}`))
  }
  const timer = setInterval(look, 3)
  await dumpWhile(await unchanged(), async () => look())
  await stage.scene.dumpGrants()
  clearInterval(timer)
  assert.ok(seen.some((text) => text.includes('mariadb-dump')))
  for (const text of seen) assert.ok(!text.includes('canary-7f3a'))
  assert.ok(isPrivate(stage.scene.context.findings) && isPrivate(stage.scene.context.artifacts))
})
