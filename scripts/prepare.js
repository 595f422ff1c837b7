/**
 * Makes a clone ready to run: the npm packages of package-lock.json, with Node 26 among them, and with `--system` the
 * Debian packages that tests drive; with `--long` also those of the long tests.
 *
 * Plain JavaScript for the machine's own Node (20 or later), because nothing is installed when it runs. It prints a line
 * only for what it does, and takes well under a second when there is nothing to do.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { findBundle } from '../bin/main.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const nodeNeeded = 26

/** What stops the preparation; its message is all that is shown. */
class Refusal extends Error {}

try {
  preparePackages()
  if (process.argv.includes('--system')) prepareSystem()
} catch (error) {
  if (!(error instanceof Refusal)) throw error
  process.stderr.write(`prepare: ${error.message}\n`)
  process.exitCode = 1
}

function preparePackages() {
  const lock = readLock(join(root, 'package-lock.json'))
  if (lock === undefined) throw new Refusal('package-lock.json is missing or cannot be read; clone again')
  if (!packagesFit(lock)) {
    alone(() => {
      if (!packagesFit(lock)) installPackages()
    })
  }
  requireNode()
  if (findBundle(root) === undefined) bundle()
}

/** Whether what npm noted in node_modules is what the lock file asks for on this machine. */
function packagesFit(lock) {
  const installed = readLock(join(root, 'node_modules/.package-lock.json'))
  if (installed === undefined) return false
  const stray = Object.keys(installed).some((path) => lock[path] === undefined)
  return !stray && Object.entries(lock).every(([path, entry]) => path === '' || fits(path, entry, installed[path]))
}

function fits(path, entry, present) {
  if (present === undefined) return entry.optional === true && !isMadeForThisMachine(entry)
  return present.version === entry.version && present.integrity === entry.integrity && existsSync(join(root, path))
}

/** Optional packages that name no machine belong to others that do, and npm leaves them out with those. */
function isMadeForThisMachine(entry) {
  if (entry.os === undefined && entry.cpu === undefined) return false
  return allows(entry.os, process.platform) && allows(entry.cpu, process.arch) && allows(entry.libc, libc())
}

/** npm's rule for `os`, `cpu` and `libc`: a list of what is allowed, or of `!what` is not. */
function allows(list, value) {
  if (list === undefined) return true
  const items = [list].flat()
  if (items.includes(`!${value}`)) return false
  return items.includes(value) || items.every((item) => item.startsWith('!'))
}

function libc() {
  if (process.platform !== 'linux') return 'none'
  return process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl'
}

function readLock(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages
  } catch {
    return undefined
  }
}

function installPackages() {
  say('installing the npm packages')
  const args = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error']
  const npm = process.env['npm_execpath']
  const [program, first] = npm?.endsWith('npm-cli.js') ? [process.execPath, [npm]] : ['npm', []]
  const result = spawnSync(program, [...first, ...args], { cwd: root, encoding: 'utf8' })
  if (result.error) throw new Refusal(`npm could not be started: ${result.error.message}`)
  if (result.status !== 0) {
    throw new Refusal(`"npm ci" failed; is the package registry within reach?\n${tail(result.stdout + result.stderr)}`)
  }
}

/** Whatever it says is for who reads along: without a bundle the sources run. */
function bundle() {
  const program = join(root, 'node_modules/.bin/node')
  spawnSync(existsSync(program) ? program : 'node', [join(root, 'scripts/bundle.js')], { stdio: ['ignore', 2, 2] })
}

/** `npm run` puts node_modules/.bin first on the PATH; a platform without a Node package needs its own Node 26. */
function requireNode() {
  const program = join(root, 'node_modules/.bin/node')
  const found = spawnSync(existsSync(program) ? program : 'node', ['--version'], { encoding: 'utf8' })
  const major = Number(/^v(\d+)\./.exec(found.stdout ?? '')?.[1] ?? 0)
  if (major >= nodeNeeded) return
  throw new Refusal(
    `Node ${nodeNeeded} is needed and there is no package of it for ${process.platform}-${process.arch}; install it and see that "node" is it`,
  )
}

function prepareSystem() {
  const missing = missingPackages()
  if (missing.length === 0) return
  if (canInstall()) alone(() => installSystem(missingPackages()))
  const still = missingPackages()
  if (still.length > 0) say(`not installed, so the tests that need them are skipped: ${still.join(' ')}`)
}

function missingPackages() {
  const packages = JSON.parse(readFileSync(join(root, 'scripts/system-packages.json'), 'utf8'))
  const isWanted = (entry) => entry.tests !== 'long' || process.argv.includes('--long')
  return packages.filter((entry) => isWanted(entry) && !isProgram(entry.program)).map((entry) => entry.package)
}

function isProgram(name) {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return folders.some((folder) => folder !== '' && isExecutable(join(folder, name)))
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function canInstall() {
  return process.getuid?.() === 0 && isProgram('apt-get')
}

function installSystem(packages) {
  if (packages.length === 0) return
  say(`installing ${packages.join(' ')}`)
  if (!hasPackageLists()) apt(['update'])
  if (aptInstall(packages)) return
  apt(['update']) // because lists from an old image name versions that the mirror has dropped
  if (aptInstall(packages)) return
  for (const name of packages) aptInstall([name]) // because one unknown name makes apt-get refuse the whole list
}

function hasPackageLists() {
  try {
    return readdirSync('/var/lib/apt/lists').some((name) => name.includes('_Packages'))
  } catch {
    return false
  }
}

function aptInstall(packages) {
  return apt(['install', '-y', '--no-install-recommends', ...packages])
}

function apt(args) {
  const result = spawnSync('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=300', ...args], {
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
  if (result.status !== 0) say(`apt-get ${args[0]} failed: ${tail(result.stderr ?? String(result.error), 3)}`)
  return result.status === 0
}

/** Runs `work` while no other preparation of this clone does; waits for one that is under way. */
function alone(work) {
  const name = createHash('sha256').update(root).digest('hex').slice(0, 16)
  const lock = join(tmpdir(), `bewaar-prepare-${name}.lock`)
  while (!takeLock(lock)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
  try {
    work()
  } finally {
    rmSync(lock, { force: true })
  }
}

function takeLock(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    if (!isRunning(lock)) rmSync(lock, { force: true })
    return false
  }
}

/** Whether the process that wrote the lock lives; a lock that is still empty was made this very moment. */
function isRunning(lock) {
  try {
    const text = readFileSync(lock, 'utf8')
    if (text !== '') process.kill(Number(text), 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function tail(text, lines = 15) {
  return text.trim().split('\n').slice(-lines).join('\n')
}

function say(text) {
  process.stderr.write(`prepare: ${text}\n`)
}
