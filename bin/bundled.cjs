// The start of a bundle, beside which `scripts/bundle.js` puts it: `program.js` holds the parts of the program as functions, and
// `compiled` what V8 made of them, also of functions inside of functions, which a cache of Node itself does not keep.
'use strict'
const { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } = require('node:fs')
const { constants, Script } = require('node:vm')
const { crc32 } = require('node:zlib')

const file = `${__dirname}/program.js`
const compiled = `${__dirname}/compiled`
const verb = /^-{0,2}[a-z]{1,20}$/.exec(process.argv[2] ?? '')?.[0] ?? 'other'
/** V8 forgets what was not used for long, and who works for minutes does not mind a tenth of a second. */
const longestSeconds = 20

const known = read(verb) ?? read('--help')
const script = new Script(readFileSync(file, 'latin1'), {
  filename: file,
  cachedData: known?.code,
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
})
const parts = script.runInThisContext()
const loaded = new Map()
process.on('exit', (exitCode) => {
  if (exitCode === 0 && isNews() && process.uptime() < longestSeconds) keep()
})
load('./main.js')

function load(name) {
  if (!name.startsWith('./')) return require(name)
  let part = loaded.get(name)
  if (part === undefined) {
    part = { exports: {} }
    loaded.set(name, part)
    parts[name](part.exports, load, part, __filename, __dirname)
  }
  return part.exports
}

/** Whether the next time this verb has more to do than is known of it, as when nothing was due until then. */
function isNews() {
  return script.cachedDataRejected !== false || known.verb !== verb || known.parts < loaded.size
}

/** V8 would believe whatever is there: hence the sum. */
function read(name) {
  try {
    const bytes = readFileSync(`${compiled}/${name}`)
    const code = bytes.subarray(0, -8)
    if (crc32(code) !== bytes.readUInt32LE(code.length)) return undefined
    return { verb: name, code, parts: bytes.readUInt32LE(code.length + 4) }
  } catch {
    return undefined // because it is compiled again then
  }
}

function keep() {
  // because V8 keeps the options beside the code, and who changed this one at work did not start with it
  require('node:v8').setFlagsFromString('--heap-growing-percent=0')
  const code = script.createCachedData()
  const end = Buffer.alloc(8)
  end.writeUInt32LE(crc32(code))
  end.writeUInt32LE(loaded.size, 4)
  const passing = `${compiled}/${verb}.${process.pid}`
  try {
    mkdirSync(compiled, { recursive: true })
    const opened = openSync(passing, 'wx')
    writeSync(opened, code)
    writeSync(opened, end)
    fsyncSync(opened)
    closeSync(opened)
    renameSync(passing, `${compiled}/${verb}`)
  } catch {
    // because whoever may not write there only starts slower
  }
}
