import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { test } from 'node:test'

import { emptyPlace, type Place } from '../e2e/place.ts'
import { needs } from '../needs.ts'

const configuration = `state: ./state of % and $
vaults:
  local: { location: ./vault, password: { credential: vault-password } }
  box: { location: sftp://user@box.example.org/./bewaar, password: { env: BOX_PASSWORD } }
projects:
  shop: { type: generic, path: ./shop, schedule: daily 03:00 }
`

async function place(): Promise<Place> {
  const made = await emptyPlace()
  await made.write('bewaar.yaml', configuration)
  return made
}

interface Unit {
  readonly file: string
  readonly state: string
  readonly text: string
}

const kinds = [[], ['--timer'], ['--user'], ['--user', '--timer']]

test(
  'systemd accepts the units, and judges that the services are shut in',
  { skip: needs('systemd-analyze') },
  async () => {
    await using here = await place()
    await mkdir(here.at('units'))
    for (const kind of kinds) {
      const { code, out, err } = await here.bewaar('service', 'show', '--json', ...kind)
      assert.equal(code, 0, err)
      const files: string[] = []
      for (const { file, text } of JSON.parse(out) as Unit[]) {
        files.push(here.at('units', file.split('/').at(-1)!))
        await writeFile(files.at(-1)!, text)
      }
      const verified = await here.run('systemd-analyze', ['verify', '--man=no', ...files]).ended
      assert.deepEqual(
        { code: verified.code, said: verified.out + verified.err },
        { code: 0, said: '' },
        kind.join(' '),
      )
      if (kind.includes('--user')) continue
      const service = files.find((file) => file.endsWith('.service'))!
      const judged = await here.run('systemd-analyze', ['security', '--offline=true', '--threshold=25', service]).ended
      assert.equal(judged.code, 0, judged.out)
    }
  },
)

test('a unit holds what the configuration needs: its folders, credentials and variables', async () => {
  await using here = await place()
  const { out } = await here.bewaar('service', 'show')
  assert.ok(out.includes(`ReadWritePaths="-${here.path}/state of %% and $" -${here.path}/vault\n`), out)
  assert.match(out, /^LoadCredential=vault-password:\/etc\/bewaar\/credentials\/vault-password$/m)
  assert.match(out, /^EnvironmentFile=-\/etc\/bewaar\/environment$/m)
  assert.ok(out.includes(` serve --config ${here.path}/bewaar.yaml\n`))
})

test('what is there is replaced only by force, and a dry run writes nothing', async () => {
  await using here = await place()
  const unit = here.at('home/config/systemd/user/bewaar.service')
  const install = (...args: readonly string[]) => here.bewaar('service', 'install', '--user', ...args)
  assert.equal((await install('--dry-run')).code, 0)
  await assert.rejects(readFile(unit), { code: 'ENOENT' })
  assert.match((await install()).out, /bewaar\.service {2}written\n/)
  const written = await readFile(unit, 'utf8')
  assert.match((await install()).out, /bewaar\.service {2}as it was\n/)
  await writeFile(unit, '# mine\n')
  const refused = await install()
  assert.equal(refused.code, 1)
  assert.match(refused.err, /\(cli\.unit-exists\)\n$/)
  assert.equal(await readFile(unit, 'utf8'), '# mine\n')
  assert.match((await install('--force')).out, /bewaar\.service {2}replaced\n/)
  assert.equal(await readFile(unit, 'utf8'), written)
})
