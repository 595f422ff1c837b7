import assert from 'node:assert/strict'
import { mkdir, readdir, rename } from 'node:fs/promises'
import { describe, test } from 'node:test'

import type { Ended, StartOptions } from './place.ts'
import { backedUpShop, configuration, shopPlace } from './shop.ts'

function assertDone({ code, err }: Ended): void {
  assert.deepEqual({ code, err }, { code: 0, err: '' })
}

describe('configurations', { concurrency: 2 }, () => {
  test('two beside each other keep their projects, vaults and states apart', async () => {
    await using place = await backedUpShop()
    const text = configuration
      .replace('./state', './other/state')
      .replace('./hot', './other/hot')
      .replace('./archive', './other/archive')
    await place.write('second.yaml', text.replaceAll('shop:', 'store:'))
    for (const verb of ['init', 'run']) assertDone(await place.bewaar(verb, '--config=second.yaml'))
    const projects = async (...args: string[]): Promise<unknown> => {
      const { out } = await place.bewaar('list', '--json', ...args)
      return [...new Set((JSON.parse(out) as { project: string }[]).map(({ project }) => project))]
    }
    assert.deepEqual(await projects(), ['shop'])
    assert.deepEqual(await projects('--config=second.yaml'), ['store'])
    assert.deepEqual((await readdir(place.at('other/hot'))).toSorted(), ['bewaar', 'store'])
    assert.deepEqual((await readdir(place.at('hot'))).toSorted(), ['bewaar', 'shop'])
  })

  test('files of bewaar.d add projects whose paths are beside themselves', async () => {
    await using place = await shopPlace()
    await place.write(
      'bewaar.d/blog.yaml',
      'projects:\n  blog: { type: generic, path: ./blog, schedule: daily 04:00, vault: hot }\n',
    )
    await place.write('bewaar.d/blog/post.md', '# A post\n')
    assertDone(await place.bewaar('init'))
    const { out } = await place.bewaar('run', '--project=blog', '--json')
    const [run] = JSON.parse(out) as { project: string; status: string; artifacts: unknown }[]
    assert.deepEqual([run!.project, run!.status], ['blog', 'complete'])
    assertDone(await place.bewaar('restore', '--project=blog', '--to=out', '--quiet'))
    assert.deepEqual(await readdir(place.at('out/files')), ['post.md'])
  })

  test('${NAME} takes an environment variable, also for the password', async () => {
    const text = configuration
      .replaceAll('{ file: ./password }', '{ env: VAULT_PASSWORD }')
      .replaceAll('path: ./shop', 'path: ${WWW}/shop')
    await using place = await shopPlace(text)
    const env = { VAULT_PASSWORD: 'from the environment', WWW: place.path }
    const run = (args: readonly string[], more: StartOptions = {}): Promise<Ended> =>
      place.start(args, { env, ...more }).ended
    for (const verb of ['init', 'run']) assertDone(await run([verb]))
    const wrong = { ...env, VAULT_PASSWORD: 'from elsewhere' }
    assert.equal((await run(['verify'], { env: wrong })).code, 12)
    const { out } = await run(['list', '--json'])
    assert.ok(!out.includes('from the environment'))
  })

  test('$BEWAAR_CONFIG names one, --config wins over it, and the folder of XDG comes after the working folder', async () => {
    await using place = await shopPlace()
    await mkdir(place.at('home/config/bewaar'), { recursive: true })
    await place.write('home/config/bewaar/bewaar.yaml', configuration.replaceAll('shop:', 'home:'))
    await place.write('named.yaml', configuration.replaceAll('shop:', 'named:'))
    await place.write('given.yaml', configuration.replaceAll('shop:', 'given:'))
    const projects = async (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string[]> => {
      const { out } = await place.start(['config', '--json', ...args], { env }).ended
      return Object.keys((JSON.parse(out) as { projects: object }).projects)
    }
    assert.deepEqual(await projects([], { BEWAAR_CONFIG: 'named.yaml' }), ['named'])
    assert.deepEqual(await projects(['--config=given.yaml'], { BEWAAR_CONFIG: 'named.yaml' }), ['given'])
    assert.deepEqual(await projects([]), ['shop'])
    await rename(place.at('bewaar.yaml'), place.at('aside.yaml'))
    assert.deepEqual(await projects([]), ['home'])
  })

  test('a project that is paused runs only when forced', async () => {
    await using place = await backedUpShop()
    await place.write('bewaar.yaml', `${configuration}    paused: true\n`)
    assert.deepEqual(await place.bewaar('run'), {
      code: 0,
      out: 'shop: paused; --force backs it up all the same\n',
      err: '',
    })
    assert.match((await place.bewaar('run', '--force')).out, /^shop +complete/m)
  })

  test('a configuration without projects says so', async () => {
    await using place = await shopPlace(configuration.slice(0, configuration.indexOf('projects:')))
    for (const verb of ['init', 'run']) {
      assert.deepEqual(await place.bewaar(verb), {
        code: 0,
        out: 'The configuration names no projects yet.\n',
        err: '',
      })
    }
  })
})
