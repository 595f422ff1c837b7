/**
 * Puts the program and the packages that it always needs into a few files, so that a command starts at once: finding and
 * reading some 700 modules is most of the work of a short one. `bin/bewaar` takes the bundle as long as nothing was touched
 * since it was made; `bin/main.js` as long as what it was made of is what is there; else the sources run as they are.
 *
 * Plain JavaScript, because npm runs it where nothing was prepared yet. Without the bundler, which is a tool of developers,
 * it does nothing.
 */
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

import {
  bundleMain,
  bundleNote,
  bundlesFolder,
  bundleStart,
  findBundle,
  findOwnNode,
  nodeOptions,
  noteOf,
  startScript,
} from '../bin/main.js'

const root = fileURLToPath(new URL('..', import.meta.url))
/** They look for files of their own beside themselves, or are seldom needed. */
const keptOutside = [/^@aws-sdk\//, /^@sentry\//, /^nodemailer/, /^pino/, /^prom-client/]
const workerPattern = /new URL\(import\.meta\.resolve\('(\.[^']+)\.ts'\)\)/g

const folder = join(root, bundlesFolder)
const begun = now()
const there = findBundle(root)
if (there === undefined) {
  const bundler = await load()
  if (bundler) await bundle(bundler)
} else {
  storeStart(there)
}

/** The time by the clock of the files, in milliseconds. */
function now() {
  const file = join(folder, `now.${process.pid}`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(file, '')
  const { mtimeMs } = statSync(file)
  rmSync(file)
  return mtimeMs
}

async function load() {
  try {
    return await import('rolldown')
  } catch (error) {
    if (error.code === 'ERR_MODULE_NOT_FOUND') return undefined
    process.stderr.write(`The bundler does not start, so that commands start slower: ${error.message}\n`)
    return undefined
  }
}

async function bundle({ rolldown }) {
  const name = `${Date.now()}-${process.pid}`
  const place = join(folder, name)
  const main = join(root, 'src/app/main.ts')
  const threads = workers()
  const isOwn = (path) => path.startsWith(join(root, 'src')) || path === join(root, 'package.json')
  // Because a module of ours only tells what it has, a command gets nothing but what it uses of the rooms that it enters.
  const entries = [main, ...Object.values(threads)]
  const moduleSideEffects = (path) => (isOwn(path) ? entries.includes(path) : undefined)
  const build = async (input, options) => {
    const built = await rolldown({
      input,
      cwd: root,
      platform: 'node',
      external: keptOutside,
      plugins: [
        { name: 'workers', transform: nameWorkers },
        { name: 'commander', transform: delaySpawn },
      ],
      treeshake: { moduleSideEffects },
      logLevel: 'silent',
    })
    const { output } = await built.generate(options)
    await built.close()
    return output
  }
  const parts = await build({ main }, { format: 'cjs', chunkFileNames: '[name]-[hash].js', comments: false })
  const names = { entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' }
  const scripts = await build(threads, { format: 'esm', ...names })

  mkdirSync(place, { recursive: true })
  writeFileSync(join(place, 'program.js'), asFunctions(parts))
  copyFileSync(join(root, 'bin/bundled.cjs'), join(place, bundleMain))
  for (const { fileName, code } of scripts) writeFileSync(join(place, fileName), code)
  const own = [...parts, ...scripts].flatMap((chunk) => chunk.moduleIds ?? []).filter(isOwn)
  const sources = [...own.map((path) => relative(root, path)), 'bin/bundled.cjs', 'package-lock.json']
  compile(join(place, bundleMain))
  store(bundleNote, JSON.stringify({ name, sources: noteOf(root, [...new Set(sources)]) }))
  storeStart(join(place, bundleMain))
  removeOthers(name)
  removeCompiled()
}

/** One expression, an object of functions by the names of the parts, which `bin/bundled.cjs` calls; in ASCII, which is read fastest. */
function asFunctions(parts) {
  const functions = parts.map(({ fileName, code }) => {
    const ascii = code.replaceAll(/[^\0-\x7F]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    return `${JSON.stringify(`./${fileName}`)}(exports, require, module, __filename, __dirname) {\n${ascii}\n}`
  })
  return `({\n${functions.join(',\n')}\n})\n`
}

/** Keeps what V8 makes of it, which the first command would have to wait for, and each one of a user who may not write there. */
function compile(main) {
  spawnSync(findOwnNode() ?? process.execPath, [...nodeOptions, main, '--help'], { stdio: 'ignore' })
}

/** Only with the Node that came with Bewaar, because another one may be gone tomorrow. */
function storeStart(main) {
  const own = findOwnNode()
  const node = own && relative(root, own)
  // of the time when it began, so that whatever is changed meanwhile is newer
  if (node && !node.startsWith('..')) store(bundleStart, startScript(node, relative(root, main)), begun / 1000)
  else rmSync(join(folder, bundleStart), { force: true })
}

/** Each script of a thread is a file of its own. */
function workers() {
  const paths = readdirSync(join(root, 'src'), { recursive: true }).filter((path) => path.endsWith('.ts'))
  const scripts = paths.flatMap((path) => {
    const file = join(root, 'src', path)
    const found = readFileSync(file, 'utf8').matchAll(workerPattern)
    return [...found].map(([, script]) => resolve(dirname(file), `${script}.ts`))
  })
  return Object.fromEntries(scripts.map((path) => [workerName(path), path]))
}

function nameWorkers(code, path) {
  return code.replace(workerPattern, (_, script) => {
    const name = workerName(resolve(dirname(path), `${script}.ts`))
    return `new URL('./${name}.mjs', import.meta.url)`
  })
}

/** The parser of command lines can start programs, which it does not for us: to load for that is a tenth of `--help`. */
function delaySpawn(code, path) {
  if (!path.includes('node_modules/commander/')) return undefined
  const spawn = "spawn: (...args) => process.getBuiltinModule('node:child_process').spawn(...args)"
  return code.replace("import childProcess from 'node:child_process'", `const childProcess = { ${spawn} }`)
}

/** `src/engine/archive/worker.ts` becomes `archive-worker`. */
function workerName(path) {
  return `${basename(dirname(path))}-${basename(path, '.ts')}`
}

function store(name, text, time) {
  const passing = join(folder, `${name}.${process.pid}`)
  writeFileSync(passing, text)
  if (time !== undefined) utimesSync(passing, time, time)
  renameSync(passing, join(folder, name))
}

/** The one before stays, because a process that runs may still load parts of it. */
function removeOthers(name) {
  const bundles = readdirSync(folder).filter((other) => /^\d+-\d+$/.test(other) && other !== name)
  for (const other of bundles.sort().slice(0, -1)) rmSync(join(folder, other), { recursive: true, force: true })
}

/** Removes the compiled sources of a week ago: what is still used is compiled again, and the rest would pile up. */
function removeCompiled() {
  const longAgo = begun - 7 * 86_400_000
  const cache = dirname(folder)
  for (const version of readdirSync(cache).filter((name) => /^v\d/.test(name))) {
    for (const name of readdirSync(join(cache, version))) {
      const file = join(cache, version, name)
      if ((statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? begun) < longAgo) rmSync(file, { force: true })
    }
  }
}
