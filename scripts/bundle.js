/**
 * Puts the program and the packages that it always needs into a few files, so that a command starts at once: finding and
 * reading some 700 modules is most of the work of a short one. `bin/main.js` takes the bundle as long as what it was made
 * of is what is there; else the sources run as they are.
 *
 * Plain JavaScript, because npm runs it where nothing was prepared yet. Without the bundler, which is a tool of developers,
 * it does nothing.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

import { bundleNote, bundlesFolder, findBundle, noteOf } from '../bin/main.js'

const root = fileURLToPath(new URL('..', import.meta.url))
/** They look for files of their own beside themselves, or are seldom needed. */
const keptOutside = [/^@aws-sdk\//, /^@sentry\//, /^nodemailer/, /^pino/, /^prom-client/]
const workerPattern = /new URL\(import\.meta\.resolve\('(\.[^']+)\.ts'\)\)/g

if (findBundle(root) === undefined) {
  const bundler = await load()
  if (bundler) await bundle(bundler)
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
  const folder = join(root, bundlesFolder)
  const name = `${Date.now()}-${process.pid}`
  const build = await rolldown({
    input: { main: join(root, 'src/app/main.ts'), ...workers() },
    cwd: root,
    platform: 'node',
    external: keptOutside,
    plugins: [{ name: 'workers', transform: nameWorkers }],
    logLevel: 'silent',
  })
  const { output } = await build.write({
    dir: join(folder, name),
    format: 'esm',
    entryFileNames: '[name].mjs',
    chunkFileNames: '[name]-[hash].mjs',
  })
  await build.close()
  const isOwn = (path) => path.startsWith(join(root, 'src')) || path === join(root, 'package.json')
  const own = output.flatMap((chunk) => chunk.moduleIds ?? []).filter(isOwn)
  const sources = [...new Set([...own.map((path) => relative(root, path)), 'package-lock.json'])]
  store(folder, bundleNote, JSON.stringify({ name, sources: noteOf(root, sources) }))
  removeOthers(folder, name)
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

/** `src/engine/archive/worker.ts` becomes `archive-worker`. */
function workerName(path) {
  return `${basename(dirname(path))}-${basename(path, '.ts')}`
}

function store(folder, name, text) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${name}.${process.pid}`), text)
  renameSync(join(folder, `${name}.${process.pid}`), join(folder, name))
}

/** The one before stays, because a process that runs may still load parts of it. */
function removeOthers(folder, name) {
  const bundles = readdirSync(folder).filter((other) => other !== bundleNote)
  const older = bundles.filter((other) => other !== name).sort()
  for (const other of older.slice(0, -1)) rmSync(join(folder, other), { recursive: true, force: true })
}
