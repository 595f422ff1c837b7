import assert from 'node:assert/strict'
import { readdir, rm } from 'node:fs/promises'
import { test } from 'node:test'

import { password, skip, startMachine } from './machine.ts'
import { Steps } from './steps.ts'

/** What a new machine has before anybody recovers anything on it. */
const installed = ['bin', 'home', 'tmp']

test(
  'with nothing left but one vault and its password, Bewaar and then each project come back within two hours',
  { skip },
  async (context) => {
    await using machine = await startMachine({ portaal: 'pgsql', administratie: 'mariadb' })
    const { place, applications } = machine
    for (const application of applications) await application.workOn(2025)
    await machine.bewaar('init')
    await machine.bewaar('run')
    const before = await Promise.all(applications.map((one) => one.record()))
    const homes = await Promise.all(applications.map(async (one) => (await one.answer('/')).body))

    for (const name of await readdir(place.path)) {
      if (![...installed, 'archive'].includes(name)) await rm(place.at(name), { recursive: true })
    }
    for (const { server, name } of applications) {
      await server.removeDatabase(name)
      await server.removeLogin(name)
    }
    for (const application of applications) assert.equal((await application.answer('/')).status, 404)

    const steps = new Steps(context, 120)
    await steps.take('logins on the new servers, the password typed', async () => {
      for (const application of applications) await application.addLogin()
      await place.write('typed', `${password}\n`, 0o600)
    })
    const recover = ['recover', `--from=${place.at('archive')}`, `--password-file=${place.at('typed')}`]
    await steps.take('bewaar recover', () => machine.bewaar(...recover, '--yes'))
    const listed = await steps.take('bewaar list', () => machine.bewaar('list', '--vault=archive'))
    for (const { name } of applications) {
      assert.match(listed.out, new RegExp(` ${name} `))
      const restore = ['restore', `--project=${name}`, '--latest', '--yes']
      await steps.take(`bewaar restore --project=${name}`, () => machine.bewaar(...restore))
    }
    steps.end()

    assert.deepEqual(await Promise.all(applications.map((one) => one.record())), before)
    for (const [nth, application] of applications.entries()) {
      const [install, ...calls] = await application.calls()
      assert.match(install!, /^composer install /)
      assert.deepEqual(calls, ['migrate --force', 'optimize:clear', 'config:cache', 'queue:restart', 'up'])
      application.work()
      await application.assertWell(homes[nth]!, 25_007)
    }
  },
)
