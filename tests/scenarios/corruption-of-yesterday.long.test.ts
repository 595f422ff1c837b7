import assert from 'node:assert/strict'
import { chmod, chown, rm, writeFile } from 'node:fs/promises'
import { test } from 'node:test'

import { skip, startMachine } from './machine.ts'
import { Steps } from './steps.ts'

test(
  'corruption that a night has backed up too is gone within 15 minutes, by one command',
  { skip },
  async (context) => {
    await using machine = await startMachine({ portaal: 'pgsql' })
    const [portaal] = machine.applications as [(typeof machine.applications)[0]]
    await portaal.workOn(2025)
    portaal.work()
    await machine.bewaarAt('-2d', 'init')
    await machine.bewaarAt('-1d', 'run')
    const before = await portaal.record()
    const home = (await portaal.answer('/')).body
    await portaal.assertWell(home, 25_007)

    await portaal.server.run(
      `update invoices set amount = 0; delete from photos where id % 2 = 0; delete from jobs; alter table customers drop column note;
       update customers set name = 'x' where id % 5 = 0`,
      portaal.name,
    )
    await writeFile(portaal.at('storage/app/invoices/2025/25007.pdf'), 'encrypted by somebody')
    await writeFile(portaal.at('public/index.php'), '<?php echo "hacked";')
    await rm(portaal.at('storage/app/public/photos'), { recursive: true })
    await chmod(portaal.at('storage/app/invoices/2025'), 0o777)
    await chown(portaal.at('storage/app/invoices/2025/25008.pdf'), 0, 0)
    await machine.bewaar('run')
    assert.notDeepEqual(await portaal.record(), before)
    assert.equal((await portaal.answer('/')).body, 'hacked')
    await portaal.calls()
    const worker = portaal.workerId

    const steps = new Steps(context, 15)
    const listed = await steps.take('bewaar list', () => machine.bewaar('list', '--vault=hot', '--json'))
    const [, good] = JSON.parse(listed.out) as { snapshot: string; time: string }[]
    const day = Temporal.Instant.from(good!.time).toZonedDateTimeISO('Europe/Amsterdam').toPlainDate().toString()
    const restore = ['restore', '--project=portaal', `--date=${day}`]
    const plan = await steps.take('bewaar restore --dry-run', () => machine.bewaar(...restore, '--dry-run'))
    assert.match(plan.out, new RegExp(`${good!.snapshot.slice(0, 8)}.* from the vault hot`))
    await steps.take('bewaar restore', () => machine.bewaar(...restore, '--yes'))
    steps.end()

    assert.deepEqual(await portaal.record(), before)
    assert.deepEqual(await portaal.calls(), [
      'down --retry=60',
      'migrate --force',
      'optimize:clear',
      'config:cache',
      'queue:restart',
      'up',
    ])
    await portaal.assertWell(home, 25_007)
    assert.notEqual(portaal.workerId, worker)
  },
)
