/** A door for something from outside: the only files of `src` that may use it. */
export interface OutsideDoor {
  /** Files, or folders that end in `/`. Empty: nothing may. */
  readonly onlyIn: readonly string[]
  readonly because: string
}

/** Packages from npm. A new one needs a line here and a decision in docs/decisions. */
export const packages: Readonly<Record<string, OutsideDoor>> = {
  '@aws-sdk/client-s3': {
    onlyIn: ['src/engine/backend/s3/'],
    because: 'one folder speaks S3, and it is loaded when a vault there is opened',
  },
  '@hono/node-server': { onlyIn: ['src/api/listen.ts'], because: 'one file listens to the network' },
  '@sentry/core': { onlyIn: ['src/notify/channels/sentry.ts'], because: 'one file speaks to Sentry' },
  commander: { onlyIn: ['src/cli/program.ts'], because: 'a command is a value that no parser of flags shapes' },
  croner: { onlyIn: ['src/model/schedule.ts'], because: 'one file knows the notation of cron' },
  hono: {
    onlyIn: ['src/api/', 'src/notify/messages/', 'src/usecases/kit/'],
    because: 'pages, kits and mails are written with templates that escape what they are given',
  },
  kysely: { onlyIn: ['src/catalog/'], because: 'SQL is written in the catalog only' },
  nodemailer: { onlyIn: ['src/notify/channels/mail.ts'], because: 'one file sends mail, and it is loaded for that' },
  pino: { onlyIn: ['src/app/logger.ts'], because: 'secrets are redacted in one place' },
  'prom-client': { onlyIn: ['src/api/metrics.ts'], because: 'one file writes what a monitoring system reads' },
  qr: { onlyIn: ['src/usecases/kit/qr-code.ts'], because: 'one file draws codes for cameras, for paper only' },
  yaml: { onlyIn: ['src/app/config/document.ts'], because: 'positions of errors come from one reading of the file' },
  zod: { onlyIn: ['src/app/config/'], because: 'what comes in is parsed once, where it comes in' },
}

const filesOfPeople = [
  'src/credentials/',
  'src/sources/',
  'src/engine/archive/',
  'src/engine/restore/',
  'src/engine/export/',
]
const filesOfOurs = [
  'src/base/large-pipe.ts',
  'src/engine/backend/local/',
  'src/engine/backend/cache-folder.ts',
  'src/engine/filesystem/',
  'src/catalog/',
  'src/sandbox/',
  'src/app/',
]
const filesystem = {
  onlyIn: [...filesOfPeople, ...filesOfOurs],
  because: 'whoever touches the disk follows the write rule or reads what is being backed up',
}
const network = { onlyIn: [], because: 'nothing speaks to a network yet; a backend that does gets a line here' }

/** Builtin modules with power over the machine. */
export const builtins: Readonly<Record<string, OutsideDoor>> = {
  'node:child_process': {
    onlyIn: ['src/base/subprocess.ts'],
    because: 'a program is run with an argument array, never by a shell, and its exit code and signal are read',
  },
  'node:v8': {
    onlyIn: ['src/base/heap.ts'],
    because: 'settings of the engine that runs us hold for the whole process',
  },
  'node:crypto': {
    onlyIn: [
      'src/base/random.ts',
      'src/credentials/share-text.ts',
      'src/engine/crypto/',
      'src/engine/native/aes.ts',
      'src/engine/native/poly1305.ts',
      'src/engine/archive/read-files.ts',
      'src/engine/restore/stream-file.ts',
      'src/engine/backend/s3/upload.ts',
      'src/notify/channels/webhook.ts',
    ],
    because: 'hashes and ciphers of the format are written once, and chance comes from one place',
  },
  'node:ffi': {
    onlyIn: ['src/base/foreign-functions.ts'],
    because: 'a wrong call of the C library ends the process, and so may a right one that Node makes too quickly',
  },
  'node:fs': filesystem,
  'node:fs/promises': filesystem,
  'node:os': {
    onlyIn: ['src/app/', 'src/catalog/process-mark.ts', 'src/engine/', 'src/sandbox/'],
    because: 'rules do not depend on the machine',
  },
  'node:sqlite': {
    onlyIn: ['src/catalog/sqlite.ts', 'src/sources/sqlite/'],
    because: 'who opens a database closes it',
  },
  'node:worker_threads': {
    onlyIn: ['src/engine/', 'src/sources/sqlite/'],
    because: 'threads are for work that takes a processor, and each has one owner who ends it',
  },
  'node:zlib': { onlyIn: ['src/engine/'], because: 'the format says what is compressed, and with what limits' },
  'node:readline/promises': { onlyIn: ['src/cli/terminal.ts'], because: 'only the face asks a person' },
  'node:stream': {
    onlyIn: ['src/cli/terminal.ts', 'src/engine/backend/s3/', 'src/engine/backend/rest/'],
    because: 'streams are async iterables but where Node wants its own',
  },
  'node:dgram': network,
  'node:dns': {
    onlyIn: ['src/notify/http.ts'],
    because: 'where a message goes is looked up once, checked, and connected to',
  },
  'node:http': {
    onlyIn: ['src/base/get-http.ts', 'src/engine/backend/rest/http1.ts', 'src/notify/http.ts'],
    because: 'one file speaks HTTP/1.1 to vaults, and one guards what messages may reach',
  },
  'node:https': {
    onlyIn: ['src/base/get-http.ts', 'src/engine/backend/rest/http1.ts', 'src/notify/http.ts'],
    because: 'one file speaks HTTP/1.1 to vaults, and one guards what messages may reach',
  },
  'node:http2': { onlyIn: ['src/engine/backend/rest/http2.ts'], because: 'one file speaks HTTP/2, over a program' },
  'node:net': {
    onlyIn: [
      'src/base/large-pipe.ts',
      'src/sandbox/',
      'src/notify/addresses.ts',
      'src/notify/http.ts',
      'src/notify/channels/mail.ts',
    ],
    because:
      'it leads out of the machine; here it leads to our own child, or with a message to an address that was checked',
  },
  'node:tls': network,
}

/** Builtin modules that only compute. */
export const harmless: readonly string[] = [
  'node:buffer',
  'node:path',
  'node:string_decoder',
  'node:timers/promises',
  'node:url',
  'node:util',
]

export interface GlobalDoor extends OutsideDoor {
  readonly name: string
  readonly pattern: RegExp
}

/** What needs no import, and is as powerful. */
export const globals: readonly GlobalDoor[] = [
  {
    name: 'the time',
    pattern: /\bDate\.now\(|\bnew Date\(\)|\bTemporal\.Now\b/,
    onlyIn: ['src/base/clock.ts'],
    because: 'a rule that asks for the time itself cannot be tested at another time',
  },
  { name: 'Math.random', pattern: /\bMath\.random\b/, onlyIn: [], because: 'it can be guessed; base has random bytes' },
  {
    name: 'process.exit',
    pattern: /\bprocess\.exit\(/,
    onlyIn: [],
    because: 'it cuts off output and skips what must be closed; set process.exitCode',
  },
  {
    name: 'console',
    pattern: /\bconsole\.\w+\(/,
    onlyIn: [],
    because: 'results and messages go through the terminal of the face, or into the log',
  },
  {
    name: 'the network',
    pattern: /(?<![.\w])fetch\(|\bnew WebSocket\(/,
    onlyIn: network.onlyIn,
    because: network.because,
  },
  {
    name: 'a shell',
    pattern: /\bshell:\s*true\b/,
    onlyIn: [],
    because: 'a name of a file or a database would be read as a command',
  },
  {
    name: 'code from text',
    pattern: /\beval\(|\bnew Function\(/,
    onlyIn: [],
    because: 'nothing that a repository or a project holds may be run',
  },
]
