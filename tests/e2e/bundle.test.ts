import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, relative } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { bundleMain, bundleStart, nodeOptions, startScript, withSettings } from '../../bin/main.js'

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
  store(`${bundles}/1/${bundleMain}`, `process.stdout.write('bundle')`)
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

/** A copy of the launchers, with a bundle that says how it was started, and sources that say that they were. */
function stage(name: string): { at: (...names: readonly string[]) => string; main: string } {
  const at = (...names: readonly string[]): string => join(place, name, ...names)
  cpSync(join(root, 'bin'), at('bin'), { recursive: true })
  store(`${name}/package.json`, '{"type":"module"}')
  store(`${name}/package-lock.json`, '{}')
  store(`${name}/${source}`, `process.stdout.write('sources')`)
  const told = `{ pid: process.pid, options: process.execArgv, args: process.argv.slice(2), env: process.env }`
  const main = `${bundles}/1/${bundleMain}`
  store(`${name}/${main}`, `process.stdout.write(JSON.stringify(${told})); process.exitCode = 11`)
  mkdirSync(at('node_modules/node'))
  symlinkSync(process.execPath, at('node_modules/node/node'))
  store(`${name}/${bundles}/${bundleStart}`, startScript('node_modules/node/node', main))
  return { at, main: at(main) }
}

interface Told {
  readonly pid: number
  readonly options: readonly string[]
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
}

const plain = { PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter) }

function launch(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = place): string {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', cwd, env: { ...plain, ...env } })
  assert.equal(stderr, '')
  return stdout
}

test('the launcher of users becomes the bundle, with the options, settings and arguments that any start has', () => {
  const { at, main } = stage('with a space')
  const args = ['run', '', 'two words', '--project=$HOME', "'"]
  const { pid, stdout, status } = spawnSync(at('bin/bewaar'), args, { encoding: 'utf8', cwd: place, env: plain })
  const told = JSON.parse(stdout) as Told
  assert.deepEqual([told.pid, told.args, told.options, status], [pid, args, nodeOptions, 11])
  for (const [name, value] of Object.entries(withSettings({}, at(), main))) assert.equal(told.env[name], value, name)

  const settings = { NODE_COMPILE_CACHE: '', MALLOC_TRIM_THRESHOLD_: '7' }
  const { env } = JSON.parse(launch(at('bin/bewaar'), [], settings)) as Told
  assert.deepEqual([env['NODE_COMPILE_CACHE'], env['MALLOC_TRIM_THRESHOLD_']], ['', '7'])

  symlinkSync(at('bin/bewaar'), join(place, 'first'))
  symlinkSync('first', join(place, 'linked'))
  for (const way of [join(place, 'linked'), './linked', './with a space/bin/bewaar'])
    assert.match(launch(way, []), /pid/)
  assert.match(launch('./bewaar', [], { CDPATH: '/usr' }, at('bin')), /pid/)
  assert.match(launch('bewaar', [], { PATH: `${at('bin')}:${plain.PATH}` }), /pid/)
})

test('the launcher of users starts the sources after any change, also one that brings an older time', async () => {
  const { at, main } = stage('changed')
  const start = (): string => launch(at('bin/bewaar'), [])
  const touchedAt = (): number => Math.trunc(statSync(at(bundles, bundleStart)).mtimeMs)
  assert.match(start(), /pid/)
  await pause(20) // because the clock of the files has ticks
  utimesSync(at(source), 1, 1)
  assert.equal(start(), 'sources')

  store(`changed/${bundles}/${bundleStart}`, readFileSync(at(bundles, bundleStart), 'utf8'))
  assert.match(start(), /pid/)
  await pause(20)
  store('changed/src/app/other.ts', '')
  assert.equal(start(), 'sources')

  store(`changed/${bundles}/${bundleStart}`, readFileSync(at(bundles, bundleStart), 'utf8'))
  chmodSync(at('src'), 0o755)
  const ahead = touchedAt() / 1000 + 60
  utimesSync(at(bundles, bundleStart), ahead, ahead)
  assert.match(start(), /pid/)
  rmSync(main)
  assert.equal(start(), 'sources')

  rmSync(at('package-lock.json'))
  assert.equal(start(), 'sources')
})

test('the bundle can be made of the sources, and says what they say', () => {
  node(join(root, 'scripts/bundle.js'))
  const main = node(
    '--input-type=module',
    '--eval',
    `import { findBundle } from ${JSON.stringify(join(root, 'bin/main.js'))}; process.stdout.write(findBundle(${JSON.stringify(root)}) ?? '')`,
  )
  assert.match(main, /program\/[\d-]+\/main\.cjs$/)
  const say = (file: string): string => node('--disable-warning=ExperimentalWarning', file, 'run', '--help')
  assert.match(say(main), /Back up all projects or some/)
  assert.equal(say(main), say(join(root, source)))

  const start = join(root, bundles, bundleStart)
  const ownNode = relative(root, process.execPath)
  if (ownNode.startsWith('..')) assert.ok(!existsSync(start), 'a Node that is not ours may be gone tomorrow')
  else assert.equal(readFileSync(start, 'utf8'), startScript(ownNode, relative(root, main)))
})

/** A bundle of one part, which answers a verb and tells whether what was compiled before served it. */
function stageParts(name: string): { start: (...args: readonly string[]) => string; kept: string } {
  const folder = join(place, name)
  mkdirSync(folder)
  cpSync(join(root, 'bin/bundled.cjs'), join(folder, bundleMain))
  writeFileSync(
    join(folder, 'program.js'),
    `({
      "./main.js"(exports, require) {
        if (process.argv[2] === 'more') require('./other.js')
        process.stdout.write(answer(process.argv[2]))
        process.exitCode = process.argv[2] === 'wrong' ? 2 : 0
        function answer(verb) { return 'did ' + verb }
      },
      "./other.js"() {}
    })`,
  )
  return {
    start: (...args) => spawnSync(process.execPath, [join(folder, bundleMain), ...args], { encoding: 'utf8' }).stdout,
    kept: join(folder, 'compiled'),
  }
}

test('a verb that ended well keeps what was compiled for it, and keeps it anew only when there was more to do', () => {
  const { start, kept } = stageParts('parts')
  const noteOf = (verb: string): string => readFileSync(join(kept, verb)).subarray(-8).toString('hex')
  assert.equal(start('wrong'), 'did wrong')
  assert.ok(!existsSync(kept))
  for (const verb of ['run', '--help', 'more']) assert.equal(start(verb), `did ${verb}`)
  assert.deepEqual(readdirSync(kept).toSorted(), ['--help', 'more', 'run'])
  assert.equal(readFileSync(join(kept, 'more')).readUInt32LE(statSync(join(kept, 'more')).size - 4), 2)

  const before = [noteOf('run'), statSync(join(kept, 'run')).ino]
  assert.equal(start('run'), 'did run')
  assert.deepEqual([noteOf('run'), statSync(join(kept, 'run')).ino], before)
  cpSync(join(kept, 'run'), join(kept, 'more'))
  assert.equal(start('more'), 'did more')
  assert.equal(readFileSync(join(kept, 'more')).readUInt32LE(statSync(join(kept, 'more')).size - 4), 2)
})

test('what was compiled is not believed when a byte of it changed, and a name that leads elsewhere is none', () => {
  const { start, kept } = stageParts('damaged')
  start('run')
  const file = join(kept, 'run')
  const bytes = readFileSync(file)
  for (const damaged of [bytes.fill(0, bytes.length / 2, bytes.length / 2 + 64), bytes.subarray(0, 100), Buffer.of()]) {
    writeFileSync(file, damaged)
    assert.equal(start('run'), 'did run')
    assert.notDeepEqual(readFileSync(file), damaged)
  }
  assert.equal(start('../out'), 'did ../out')
  assert.deepEqual(readdirSync(kept).toSorted(), ['other', 'run'])
})

test('no module is imported for what it does when it is loaded, because the bundle leaves it out', () => {
  const files = globSync('src/**/*.ts', { cwd: root })
  const bare = files.filter((file) => /^import '/m.test(readFileSync(join(root, file), 'utf8')))
  assert.deepEqual(bare, [])
})

test('every script of a thread is named so that the bundle finds it', () => {
  const files = globSync('src/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.test.ts'))
  const calls = files.flatMap(
    (file) => readFileSync(join(root, file), 'utf8').match(/.*import\.meta\.resolve\(.*/g) ?? [],
  )
  assert.ok(calls.length > 0)
  for (const call of calls) assert.match(call, /new URL\(import\.meta\.resolve\('\.[^']+\.ts'\)\)/)
})
