import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const place = mkdtempSync(join(tmpdir(), 'bewaar-bundle-'))
const bundles = 'node_modules/.cache/bewaar/program'
const source = 'src/app/main.ts'

after(() => rmSync(place, { recursive: true }))

function node(...args: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  return stdout
}

function store(path: string, text: string): void {
  mkdirSync(dirname(join(place, path)), { recursive: true })
  writeFileSync(join(place, path), text)
}

test('the program starts from the bundle as long as the sources are those that it was made of', () => {
  cpSync(join(root, 'bin'), join(place, 'bin'), { recursive: true })
  store('package.json', '{"type":"module"}')
  store(source, `process.stdout.write('sources')`)
  store(`${bundles}/1/main.mjs`, `process.stdout.write('bundle')`)
  const start = (): string => node(join(place, 'bin/bewaar.js'))
  assert.equal(start(), 'sources')

  const { size, mtimeMs } = statSync(join(place, source))
  const note = { name: '1', sources: { [source]: `${size} ${Math.trunc(mtimeMs)}` } }
  store(`${bundles}/newest.json`, JSON.stringify(note))
  assert.equal(start(), 'bundle')

  const later = mtimeMs / 1000 + 5
  utimesSync(join(place, source), later, later)
  assert.equal(start(), 'sources')

  store(
    `${bundles}/newest.json`,
    JSON.stringify({ ...note, sources: { [source]: `${size} ${Math.trunc(later * 1000)}` } }),
  )
  assert.equal(start(), 'bundle')
  rmSync(join(place, bundles, '1'), { recursive: true })
  assert.equal(start(), 'sources')

  store(`${bundles}/newest.json`, '{')
  assert.equal(start(), 'sources')
})

test('the bundle can be made of the sources, and says what they say', () => {
  node(join(root, 'scripts/bundle.js'))
  const main = node(
    '--input-type=module',
    '--eval',
    `import { findBundle } from ${JSON.stringify(join(root, 'bin/main.js'))}; process.stdout.write(findBundle(${JSON.stringify(root)}) ?? '')`,
  )
  assert.match(main, /program\/[\d-]+\/main\.mjs$/)
  const say = (file: string): string => node('--disable-warning=ExperimentalWarning', file, 'run', '--help')
  assert.match(say(main), /Back up all projects or some/)
  assert.equal(say(main), say(join(root, source)))
})

test('every script of a thread is named so that the bundle finds it', () => {
  const files = globSync('src/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.test.ts'))
  const calls = files.flatMap(
    (file) => readFileSync(join(root, file), 'utf8').match(/.*import\.meta\.resolve\(.*/g) ?? [],
  )
  assert.ok(calls.length > 0)
  for (const call of calls) assert.match(call, /new URL\(import\.meta\.resolve\('\.[^']+\.ts'\)\)/)
})
