import assert from 'node:assert/strict'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'

import { linesOf } from './database.ts'
import { skip, startMachine } from './machine.ts'
import { Steps } from './steps.ts'

test(
  'data of years ago comes out of the archive by its date within an hour, while the application goes on',
  { skip },
  async (context) => {
    await using machine = await startMachine({ administratie: 'mariadb' })
    const [administratie] = machine.applications as [(typeof machine.applications)[0]]
    const { place } = machine
    const { server, name } = administratie
    await machine.bewaarAt('2021-01-01 12:00:00', 'init')
    await administratie.workOn(2021)
    await machine.bewaarAt('2021-12-31 03:00:00', 'run')
    const of2021 = await administratie.record()
    const invoices = await server.run('select * from invoices order by id', name)
    const pdf = await readFile(administratie.at('storage/app/invoices/2021/21007.pdf'))
    await administratie.workOn(2023)
    await server.run('delete from jobs where id < 23000; update customers set note = null', name)
    await machine.bewaarAt('2023-12-31 03:00:00', 'run')
    await machine.bewaar('run')
    const today = Temporal.Now.plainDateISO('Europe/Amsterdam').toString()
    await machine.bewaar('cleanup', '--yes', '--vault=hot', `--confirm=${today}`)
    const present = await administratie.record()
    const home = (await administratie.answer('/')).body

    const steps = new Steps(context, 60)
    const date = ['--project=administratie', '--date=2022-03-31']
    const into = place.at('of-2021')
    const restored = await steps.take('bewaar restore --to', () => machine.bewaar('restore', ...date, `--to=${into}`))
    assert.match(restored.err, /made 2021-12-31 .*from the vault archive: no hot vault has it/)
    await server.addDatabase('of_2021', name)
    await steps.take('its database into an empty one', () =>
      server.load(createReadStream(`${into}/database/administratie.sql`), 'of_2021'),
    )
    await server.addDatabase('invoices_of_2021', name)
    await steps.take('bewaar dump --table', async () => {
      const { out } = await machine.bewaar('dump', ...date, '--table=customers', '--table=invoices')
      await server.load(bytesOf(out), 'invoices_of_2021')
    })
    const dumped = await steps.take('bewaar dump of one file', () =>
      machine.bewaar('dump', ...date, 'storage/app/invoices/2021/21007.pdf'),
    )
    steps.end()

    assert.deepEqual(await server.record('of_2021'), of2021.rows)
    assert.equal(await server.run('select * from invoices order by id', 'invoices_of_2021'), invoices)
    assert.deepEqual(linesOf(await server.run('show tables', 'invoices_of_2021')), ['customers', 'invoices'])
    assert.deepEqual(Buffer.from(dumped.out), pdf)
    const both = await Promise.all(['files', 'config'].map((part) => administratie.recordFiles(`${into}/${part}`)))
    assert.deepEqual([...new Set(both.flat())].toSorted(), of2021.files)

    assert.deepEqual(await administratie.record(), present)
    administratie.work()
    await administratie.assertWell(home, 23_007)
  },
)

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}
